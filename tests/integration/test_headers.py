"""Headers of Kafka messages reach landing."""

from __future__ import annotations

import json
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
