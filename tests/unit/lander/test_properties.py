"""Rows and property of a landing table tell the same, past losses that were accepted."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from lander.properties import difference
from stack.watermarks.landed import Loss, Watermark

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ACCEPTED = [
    Loss(2, 5, 8, "retention", NOON, is_accepted=True, topic_id="first"),
    Loss(2, 9, 19, "retention", NOON, is_accepted=True, topic_id="first"),
    Loss(3, 5, 8, "retention", NOON, topic_id="first"),
    Loss(4, 5, None, "topic truncated", NOON, is_accepted=True, topic_id="first"),
    Loss(0, 5, None, "topic recreated", NOON, is_accepted=True, topic_id="first"),
    Loss(5, 5, None, "topic truncated", NOON, is_accepted=True, topic_id="first"),
    Loss(5, 2, None, "topic recreated", NOON, is_accepted=True, topic_id="first"),
    Loss(2, 0, 4, "retention", NOON, is_accepted=True, topic_id="older"),
]


@pytest.mark.parametrize(
    ("partition", "end", "watermark", "told"),
    [
        pytest.param(2, 5, Watermark(7, NOON, {2: 9}, "first"), None, id="retention"),
        pytest.param(2, 5, Watermark(7, NOON, {2: 20}, "first"), None, id="retention-twice"),
        pytest.param(2, 5, Watermark(7, NOON, {2: 15}, "first"), "to 5, property 15", id="beyond"),
        pytest.param(2, 4, Watermark(7, NOON, {2: 9}, "first"), "to 4, property 9", id="rows-gone"),
        pytest.param(3, 5, Watermark(7, NOON, {3: 9}, "first"), "to 5, property 9", id="undecided"),
        pytest.param(4, 5, Watermark(7, NOON, {4: 2}, "first"), None, id="truncated"),
        pytest.param(4, 5, Watermark(7, NOON, {}, "first"), "property None", id="cut-to-nothing"),
        pytest.param(0, 5, Watermark(7, NOON, {0: 0}, "second"), None, id="recreated"),
        pytest.param(5, 5, Watermark(7, NOON, {5: 0}, "second"), None, id="cut-then-recreated"),
        pytest.param(5, 4, Watermark(7, NOON, {5: 0}, "second"), "property None", id="neither"),
        pytest.param(
            1, 5, Watermark(7, NOON, {1: 0}, "second"), "property None", id="another-topic"
        ),
        pytest.param(1, 5, Watermark(7, NOON, {1: 8}, "first", {}, {1: 3}), None, id="skipped"),
        pytest.param(
            2, 5, Watermark(7, NOON, {2: 23}, "first", {}, {2: 3}), None, id="skipped-lost"
        ),
        pytest.param(
            1, 4, Watermark(7, NOON, {1: 8}, "first", {}, {1: 3}), "to 4, property 5", id="row-gone"
        ),
        pytest.param(0, 5, Watermark(7, NOON, {0: 0}, "first"), "property 0", id="not-recreated"),
    ],
)
def test_accepted_losses_lead_from_the_rows_to_the_property(
    partition: int, end: int, watermark: Watermark, told: str | None
) -> None:
    found = pa.Table.from_pylist([newest_row(partition, end - 1)])

    problem = difference(found, watermark, ACCEPTED)

    assert (problem is None) == (told is None)
    assert (told or "") in (problem or "")


def newest_row(partition: int, offset: int, batch_id: int = 7) -> dict[str, object]:
    return {
        "kafka_topic_id": "first",
        "kafka_partition": partition,
        "kafka_offset": offset,
        "batch_id": batch_id,
    }


@pytest.mark.parametrize(
    ("newest_rows", "told"),
    [
        pytest.param([(0, 3, 7), (0, 4, 7), (1, 8, 7)], None, id="agrees"),
        pytest.param([(0, 4, 7)], None, id="a-partition-without-rows-in-the-last-batch"),
        pytest.param([], "last batch 0 in the rows, 7", id="rows-gone"),
        pytest.param([(0, 4, 7), (0, 5, 8)], "last batch 8 in the rows", id="rows-ahead"),
        pytest.param([(0, 9, 7)], "partition 0: rows up to 10, property 5", id="offset-ahead"),
        pytest.param([(0, 3, 7)], "partition 0: rows up to 4, property 5", id="offset-too-far"),
        pytest.param([(2, 0, 7)], "partition 2: rows up to 1, property None", id="unknown"),
    ],
)
def test_rows_and_property_must_tell_the_same(
    newest_rows: list[tuple[int, int, int]], told: str | None
) -> None:
    numbers = [(name, pa.int64()) for name in ("kafka_partition", "kafka_offset", "batch_id")]
    found = pa.Table.from_pylist(
        [newest_row(*row) for row in newest_rows],
        schema=pa.schema([("kafka_topic_id", pa.string()), *numbers]),
    )

    problem = difference(found, Watermark(7, NOON, {0: 5, 1: 9}, "first"), [])

    assert (problem is None) == (told is None)
    assert (told or "") in (problem or "")
