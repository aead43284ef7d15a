"""Batches: text encodings, order, row groups and offsets."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from lander.batch import Batch, Chunk, Stamp, columns_of, encode_text, groups
from lander.headers import header_text
from lander.parse import JsonParser, TextParser
from lander.topics import Field
from stack.base.errors import FatalError

STAMP = Stamp(7, datetime(2026, 1, 2, tzinfo=UTC), "topic-id", {})
FIELDS = (
    Field(("meter",), "meter", "string", True, ""),
    Field(("level",), "level", "double", False, ""),
)


def chunk(*rows: tuple[int, int, bytes | None]) -> Chunk:
    """A chunk of (partition, offset, message)."""
    return Chunk(
        partitions=np.array([row[0] for row in rows], np.int32),
        offsets=np.array([row[1] for row in rows], np.int64),
        times_ms=np.array([1_000 * row[1] for row in rows], np.int64),
        keys=[None] * len(rows),
        messages=[row[2] for row in rows],
    )


def batch_of(*rows: tuple[int, int, bytes | None], fields: tuple[Field, ...] = ()) -> Batch:
    batch = Batch(JsonParser(fields) if fields else TextParser())
    batch.add(chunk(*rows), now=0.0)
    return batch


def test_a_kafka_time_that_no_engine_reads_lands_as_none() -> None:
    times = np.array([-1, 0, 253_402_300_799_999, 253_402_300_800_000, 2**63 - 1])
    rows = replace(chunk(*((0, place, b"x") for place in range(5))), times_ms=times)

    assert columns_of(rows, TextParser())["kafka_at"].to_pylist() == [
        None,
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("value", "text", "encoding"),
    [
        pytest.param(b"plain", "plain", "utf8", id="ascii"),
        pytest.param("Zähler".encode(), "Zähler", "utf8", id="utf8"),
        pytest.param(b"", "", "utf8", id="empty"),
        pytest.param(None, None, None, id="tombstone"),
        pytest.param(b"\xff\x00", "/wA=", "base64", id="bytes"),
    ],
)
def test_a_message_is_kept_as_text_that_leads_back_to_its_bytes(
    value: bytes | None, text: str | None, encoding: str | None
) -> None:
    texts, encodings = encode_text([b"before", value, b"after"])

    assert texts.to_pylist() == ["before", text, "after"]
    assert encodings.to_pylist() == ["utf8", encoding, "utf8"]
    if encoding == "base64":
        assert base64.b64decode(text or "") == value


def test_rows_are_sorted_by_the_named_columns_nulls_first() -> None:
    batch = batch_of(
        (0, 1, b'{"meter": "B", "level": 2}'),
        (0, 2, b'{"meter": "A", "level": 10}'),
        (0, 3, b"bad"),
        (0, 4, b'{"meter": "A", "level": 9.5}'),
        (0, 5, b'{"meter": "A"}'),
        fields=FIELDS,
    )

    (table,) = batch.sorted_rows(["meter", "level"], STAMP)

    assert table.column("kafka_offset").to_pylist() == [3, 5, 4, 2, 1]


def test_rows_without_a_sort_stay_as_kafka_gave_them() -> None:
    batch = batch_of((1, 5, b"x"), (0, 9, b"y"), (1, 6, b"z"))

    (table,) = batch.sorted_rows([], STAMP)

    assert table.column("message").to_pylist() == ["x", "y", "z"]


def test_a_row_carries_its_coordinates_and_its_batch() -> None:
    (table,) = batch_of((3, 9, b"x")).sorted_rows([], STAMP)

    assert table.to_pylist() == [
        {
            "kafka_topic_id": "topic-id",
            "kafka_partition": 3,
            "kafka_offset": 9,
            "kafka_at": datetime(1970, 1, 1, 0, 0, 9, tzinfo=UTC),
            "message_key": None,
            "message_key_encoding": None,
            "message": "x",
            "message_encoding": "utf8",
            "extra_fields": None,
            "parse_error": None,
            "field_errors": None,
            "batch_id": 7,
            "landed_at": datetime(2026, 1, 2, tzinfo=UTC),
            "kafka_skipped": 9,
            "message_headers": None,
        }
    ]


def test_a_row_tells_how_many_offsets_before_it_hold_no_message() -> None:
    batch = batch_of((0, 5, b"x"), (1, 0, b"x"), (0, 6, b"x"), (2, 4, b"x"), (0, 9, b"x"))
    batch.add(chunk((1, 2, b"x"), (0, 10, b"x")), now=1.0)

    (table,) = batch.sorted_rows([], replace(STAMP, ends={0: 4, 2: 4}))

    assert table.column("kafka_skipped").to_pylist() == [1, 0, 0, 0, 2, 1, 0]


def test_headers_are_kept_as_json_that_leads_back_to_their_bytes() -> None:
    headers: list[tuple[str, bytes | str | None]] = [
        ("trace", b"abc"),
        ("größe", "zwölf".encode()),
        ("trace", b"\xff\x00"),
        ("none", None),
        ("empty", b""),
    ]

    text = header_text(headers)

    assert text == (
        '[["trace","abc"],["größe","zwölf"],["trace",{"base64":"/wA="}],["none",null],["empty",""]]'
    )
    assert header_text([]) is None
    assert header_text(None) is None
    with_headers = replace(chunk((0, 0, b"x"), (0, 1, b"y")), headers=[None, text])
    batch = Batch(TextParser())
    batch.add(with_headers, now=0.0)
    (table,) = batch.sorted_rows([], STAMP)
    assert table.column("message_headers").to_pylist() == [None, text]


def test_a_batch_knows_where_each_partition_goes_on() -> None:
    batch = batch_of((0, 4, b"x"), (2, 8, b"x"), (0, 7, b"x"))
    batch.add(chunk((2, 9, b"x")), now=1.0)

    assert batch.next_offsets == {0: 8, 2: 10}
    assert len(batch) == 4


def test_an_offset_seen_before_is_refused() -> None:
    batch = batch_of((0, 4, b"x"))

    with pytest.raises(FatalError, match="offset 4 again"):
        batch.add(chunk((0, 4, b"x")), now=1.0)


@pytest.mark.parametrize(
    ("rows", "byte_count", "expected"),
    [
        pytest.param(0, 0, [], id="nothing"),
        pytest.param(10, 100, [(0, 10)], id="small"),
        pytest.param(
            120_000, 120_000, [(0, 50_000), (50_000, 100_000), (100_000, 120_000)], id="many-rows"
        ),
        pytest.param(3, 96 * 2**20, [(0, 1), (1, 2), (2, 3)], id="large-messages"),
        pytest.param(2, 2**30, [(0, 1), (1, 2)], id="one-message-beyond-the-limit"),
    ],
)
def test_row_groups_are_bounded_in_rows_and_bytes(
    rows: int, byte_count: int, expected: list[tuple[int, int]]
) -> None:
    assert list(groups(rows, byte_count)) == expected


def test_a_message_without_kafka_time_has_none() -> None:
    batch = Batch(TextParser())
    one = chunk((0, 0, b"x"))
    batch.add(Chunk(one.partitions, one.offsets, np.array([-1]), one.keys, one.messages), 0.0)

    (table,) = batch.sorted_rows([], STAMP)

    assert table.column("kafka_at").to_pylist() == [None]
