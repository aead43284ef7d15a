"""Account for a landing table: every message up to its watermark once, nothing gone since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stack.books.evidence import START, Difference, Head, LandedBatch, LandedRows
from stack.books.tables import Tables
from stack.watermarks.landed import (
    LANDED_PROPERTY,
    LOST_PROPERTY,
    TRUNCATED,
    Loss,
    Watermark,
    losses_from_json,
)

Ends = Mapping[str, Mapping[int, int]]
LOOK = "bin/stack reconcile --full counts everything again"
RESTORE = "restore a snapshot of the table that holds them, then bin/stack reconcile --full"


@dataclass(frozen=True)
class Landing:
    """What a landing table holds.

    batch: through which it is counted; rows: through that batch; ends: topic id -> partition ->
    offset after the last row through it; later: rows of later batches; watermark: what the table
    says has landed, None if it says nothing; lost: messages recorded as lost. holes: differences
    within what is counted, which stay until everything is counted again; differences: all.
    """

    batch: LandedBatch = START
    rows: int = 0
    ends: Ends = field(default_factory=dict)
    later: int = 0
    watermark: Watermark | None = None
    lost: int = 0
    holes: tuple[Difference, ...] = ()
    differences: tuple[Difference, ...] = ()


def account(
    table: str, head: Head, through: LandedBatch, previous: Landing | None, tables: Tables
) -> Landing:
    """Count what landed after `previous`, or everything where that is None or no longer true.

    previous: not counted beyond `through`. The snapshot's own number of rows tells whether
    anything but new batches came or went.
    """
    watermark = watermark_of(head)
    before = previous or Landing()
    is_idle = watermark is not None and watermark.batch_id == before.batch.number
    if is_idle and before.rows == head.rows:
        return described(table, head, through, before, ())
    rows = count(table, head, before.batch, through, tables)
    if before.rows + sum(each.rows for each in rows) != head.rows and before.batch.number:
        before = Landing()
        rows = count(table, head, before.batch, through, tables)
    return described(table, head, through, before, rows)


def watermark_of(head: Head) -> Watermark | None:
    """The watermark of a landing table, None if it says nothing."""
    text = head.properties.get(LANDED_PROPERTY)
    return Watermark.from_json(text) if text else None


def count(
    table: str, head: Head, after: LandedBatch, through: LandedBatch, tables: Tables
) -> Sequence[LandedRows]:
    """Rows after a batch; none in a table without a commit."""
    if head.snapshot_id is None:
        return ()
    return tables.landed(table, head, after, through.number)


def described(
    table: str, head: Head, through: LandedBatch, before: Landing, rows: Sequence[LandedRows]
) -> Landing:
    """The account of a table from what was counted before and what came since."""
    watermark = watermark_of(head)
    losses = losses_from_json(head.properties.get(LOST_PROPERTY))
    now = merged(before.ends, {(each.topic_id, each.partition): each.last + 1 for each in rows})
    holes = (
        *before.holes,
        *(found for each in rows for found in row_differences(table, each, before.ends, losses)),
    )
    counted = {(r.topic_id, r.partition): r.end_through for r in rows if r.end_through is not None}
    landed = sum(each.rows_through for each in rows)
    return Landing(
        batch=through,
        rows=before.rows + landed,
        ends=merged(before.ends, counted),
        later=sum(each.rows for each in rows) - landed,
        watermark=watermark,
        lost=sum(loss.last - loss.first + 1 for loss in losses if loss.last is not None),
        holes=holes,
        differences=(
            *holes,
            *watermark_differences(table, watermark, now, losses),
            *loss_differences(table, losses),
        ),
    )


def merged(ends: Ends, newer: Mapping[tuple[str, int], int]) -> dict[str, dict[int, int]]:
    """Ends with newer ones by (topic id, partition) in their place."""
    result = {topic_id: dict(partitions) for topic_id, partitions in ends.items()}
    for (topic_id, partition), end in newer.items():
        result.setdefault(topic_id, {})[partition] = end
    return result


def lost_between(
    losses: Sequence[Loss], topic_id: str, partition: int, first: int, end: int
) -> int:
    """How many offsets of a partition from `first` up to, excluding, `end` are recorded as lost."""
    spans = [(loss.first, loss.last) for loss in losses if loss.is_of(topic_id, partition)]
    return sum(
        max(0, min(last + 1, end) - max(lowest, first))
        for lowest, last in spans
        if last is not None
    )


def row_differences(
    table: str, rows: LandedRows, before: Ends, losses: Sequence[Loss]
) -> Iterator[Difference]:
    """Messages that are missing, duplicate or landed again in one partition."""
    start = before.get(rows.topic_id, {}).get(rows.partition, 0)
    end = rows.last + 1
    place = f"{table}, partition {rows.partition} of topic id {rows.topic_id}"
    wanted = f"{place}: every message from offset {start} to {rows.last} once"
    lost = lost_between(losses, rows.topic_id, rows.partition, start, end)
    missing = end - start - rows.offsets - rows.skipped - lost
    if rows.first < start:
        yield Difference(wanted, f"offsets from {rows.first} on landed again", LOOK)
    elif missing > 0:
        yield Difference(wanted, f"{missing} missing", RESTORE)
    if rows.rows > rows.offsets:
        yield Difference(wanted, f"{rows.rows - rows.offsets} duplicated", RESTORE)


def watermark_differences(
    table: str, watermark: Watermark | None, ends: Ends, losses: Sequence[Loss]
) -> Iterator[Difference]:
    """Partitions whose rows do not end where the table says."""
    if watermark is None:
        return
    held = ends.get(watermark.topic_id, {})
    for partition, following in sorted(watermark.ends_of(watermark.topic_id).items()):
        end = held.get(partition, 0)
        if following < end and is_truncated(losses, watermark.topic_id, partition):
            continue
        if following - lost_between(losses, watermark.topic_id, partition, end, following) != end:
            yield Difference(
                f"{table}, partition {partition}: rows up to offset {following - 1}, "
                f"as {LANDED_PROPERTY} says",
                f"rows up to {end - 1}",
                RESTORE,
            )


def is_truncated(losses: Sequence[Loss], topic_id: str, partition: int) -> bool:
    """Whether it was accepted that a partition goes on before where its rows end."""
    return any(
        loss.is_of(topic_id, partition) and loss.is_accepted and loss.reason == TRUNCATED
        for loss in losses
    )


def loss_differences(table: str, losses: Sequence[Loss]) -> Iterator[Difference]:
    """Losses that nobody has accepted."""
    for loss in losses:
        if not loss.is_accepted:
            yield Difference(
                f"{table}: every message of the topic",
                f"lost before it landed: {loss}",
                "go on without: .venv/bin/python -m lander --accept-loss --until-caught-up",
            )
