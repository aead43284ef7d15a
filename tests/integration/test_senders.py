"""Whatever codec a sender compresses with, keys and values land as they were sent."""

from __future__ import annotations

import json

import pytest
from confluent_kafka import Message, Producer

from stack.clients.kafka import client_options
from tests.fuzz.check import original
from tests.integration.lakehouse import TOPIC, Lakehouse, reading

pytestmark = pytest.mark.same_in_both_modes

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
NOTE = json.dumps(reading("MTR-10000", "2026-01-01T00:00:00Z") | {"note": "x" * 2_000}).encode()
PAIRS: list[tuple[bytes | None, bytes | None]] = [
    (b"MTR-10000", NOTE),
    (None, NOTE),
    (b"", NOTE),
    (b"MTR-10000", None),
    (b"MTR-10000", b""),
    (None, None),
    (b"", b""),
    (b"\xff\x00", b"\x00\xff"),
]
Places = dict[tuple[int, int], tuple[bytes | None, bytes | None]]


def sent(lakehouse: Lakehouse, codec: str) -> Places:
    """The pairs, sent in one compressed batch, by where the broker put them."""
    places: Places = {}

    def delivered(error: object, message: Message) -> None:
        assert error is None
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        places[partition, offset] = PAIRS[len(places)]

    options = client_options(lakehouse.settings) | {"compression.type": codec, "linger.ms": 200}
    producer = Producer(options)
    for key, value in PAIRS:
        producer.produce(TOPIC, value, key, partition=0, on_delivery=delivered)
    assert producer.flush(60) == 0
    return places


@pytest.fixture(scope="module")
def places(lakehouse: Lakehouse) -> dict[str, Places]:
    found = {codec: sent(lakehouse, codec) for codec in CODECS}
    lakehouse.land()
    return found


@pytest.mark.parametrize("codec", CODECS)
def test_keys_and_values_land_as_sent(
    lakehouse: Lakehouse, places: dict[str, Places], codec: str
) -> None:
    offsets = ", ".join(str(offset) for _, offset in places[codec])
    rows = lakehouse.sql(
        "select kafka_partition, kafka_offset, message_key, message_key_encoding, message, "
        f"message_encoding from iceberg.landing.{TOPIC} "
        f"where kafka_partition = 0 and kafka_offset in ({offsets})"
    )
    landed = {(row[0], row[1]): (original(*row[2:4]), original(*row[4:])) for row in rows}
    assert len(rows) == len(PAIRS)
    assert landed == places[codec]
