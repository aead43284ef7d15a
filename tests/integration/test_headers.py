"""Headers of Kafka messages reach landing."""

from __future__ import annotations

import ctypes
import json
from importlib.metadata import files
from pathlib import Path

import pytest
from confluent_kafka import Producer

from stack.clients.kafka import client_options
from tests.integration.books import land, new_books, remove
from tests.integration.lakehouse import Lakehouse

pytestmark = pytest.mark.same_in_both_modes


def test_headers_of_a_message_are_kept(lakehouse: Lakehouse, tmp_path: Path) -> None:
    made = new_books(lakehouse, ["headers"], tmp_path / "first")
    try:
        books = made["headers"]
        producer = Producer(client_options(lakehouse.settings))
        headers: list[tuple[str, str | bytes | None]] = [
            ("trace", b"abc"),
            ("trace", b"\xff\x00"),
            ("none", None),
        ]
        producer.produce(books.topic, b"with", b"key", headers=headers)
        producer.produce(books.topic, b"without", b"key")
        assert producer.flush(30) == 0
        land(tmp_path / "second", [books.topic])

        rows = books.landing().scan(selected_fields=("message", "message_headers")).to_arrow()
        found = {row["message"]: row["message_headers"] for row in rows.to_pylist()}
        assert json.loads(found["with"]) == [
            ["trace", "abc"],
            ["trace", {"base64": "/wA="}],
            ["none", None],
        ]
        assert found["without"] is None
        assert found["line 0"] is None
    finally:
        remove(made)


# Arguments of librdkafka's producev, each behind the number of its kind.
END, TOPIC, VALUE, COPIED, HEADER = 0, 1, 4, 7, 9
COPY = 2


def send_with_header_named(name: bytes, topic: str, value: bytes, servers: str) -> None:
    """Produce by librdkafka itself: its Python client takes no name that is not UTF-8."""
    (library,) = (file for file in files("confluent-kafka") or () if "librdkafka-" in file.name)
    kafka = ctypes.CDLL(str(library.locate()))
    kafka.rd_kafka_conf_new.restype = kafka.rd_kafka_new.restype = ctypes.c_void_p
    text = ctypes.create_string_buffer(512)
    size = ctypes.c_size_t
    conf = ctypes.c_void_p(kafka.rd_kafka_conf_new())
    kafka.rd_kafka_conf_set(conf, b"bootstrap.servers", servers.encode(), text, size(len(text)))
    producer = ctypes.c_void_p(kafka.rd_kafka_new(0, conf, text, size(len(text))))
    assert producer, text.value
    failure = kafka.rd_kafka_producev(
        producer,
        *(TOPIC, topic.encode()),
        *(VALUE, value, size(len(value))),
        *(COPIED, COPY),
        *(HEADER, name, b"x", size(1)),
        END,
    )
    assert failure == 0
    assert kafka.rd_kafka_flush(producer, 30_000) == 0
    kafka.rd_kafka_destroy(producer)


def test_a_header_name_that_is_no_utf8_stops_nothing(lakehouse: Lakehouse, tmp_path: Path) -> None:
    made = new_books(lakehouse, ["names"], tmp_path / "first")
    try:
        books = made["names"]
        servers = lakehouse.settings.kafka_bootstrap_servers
        send_with_header_named(b"\xff\xfe", books.topic, b"odd", servers)
        send_with_header_named(b"plain", books.topic, b"after", servers)
        land(tmp_path / "second", [books.topic])

        rows = books.landing().scan(selected_fields=("message", "message_headers")).to_arrow()
        found = {row["message"]: row["message_headers"] for row in rows.to_pylist()}
        assert found["odd"] == '{"error": "a name is not UTF-8"}'
        assert found["after"] == '[["plain","x"]]'
    finally:
        remove(made)
