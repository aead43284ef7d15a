"""Account for what became of landed messages: accepted, with flags or none, or rejected."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stack.books.evidence import Head, LandedBatch, OutcomeRows
from stack.books.tables import Tables

PROGRESS_PROPERTY = "meterhouse.progress"
ACCEPTED = ""
# What the reason of an accepted message begins with whose side fields are flagged.
FLAGGED = "flagged: "


@dataclass(frozen=True)
class Outcomes:
    """Rows of one outcome table through a batch, by reason; ACCEPTED and FLAGGED reject nothing.

    build: which making of the table was counted; another one has rows of its own.
    """

    build: str
    counts: Mapping[str, int]


def is_accepted(reason: str) -> bool:
    """Whether rows of this reason were accepted."""
    return reason == ACCEPTED or reason.startswith(FLAGGED)


def flags_in(counts: Mapping[str, int]) -> Counter[str]:
    """Accepted messages by each of their flags."""
    found: Counter[str] = Counter()
    for reason, number in counts.items():
        if reason.startswith(FLAGGED):
            found.update(dict.fromkeys(reason.removeprefix(FLAGGED).split(", "), number))
    return found


def watermark_of(head: Head | None) -> dict[str, Any]:
    """The watermark of a model's table; empty if it does not exist or says nothing."""
    text = head.properties.get(PROGRESS_PROPERTY) if head else None
    content: dict[str, Any] = json.loads(text) if text else {}
    return content


def processed_through(heads: Sequence[Head | None]) -> LandedBatch:
    """The batch that all these tables have dealt with."""
    batches = [
        LandedBatch(int(said["batch_id"]), str(said["landed_at"]))
        if (said := watermark_of(head)).get("batch_id")
        else LandedBatch()
        for head in heads
    ]
    return min(batches, key=lambda batch: batch.number, default=LandedBatch())


def account(
    name: tuple[str, str],
    head: Head,
    window: tuple[LandedBatch, LandedBatch],
    previous: Outcomes | None,
    tables: Tables,
) -> Outcomes:
    """Count a table's rows after what was counted, or all where that is no longer true.

    name: the table and the SQL of a row's reason. window: the batch `previous` was counted
    through, and the one to count through.
    """
    build = str(watermark_of(head).get("build") or "")
    before = previous if previous and previous.build == build else None
    after, through = window if before else (LandedBatch(), window[1])
    if before and after == through and sum(before.counts.values()) == head.rows:
        return before
    rows = count(name, head, after, through, tables)
    if after.number and before:
        if sum(before.counts.values()) + sum(each.rows for each in rows) == head.rows:
            return Outcomes(build, added(before.counts, rows))
        rows = count(name, head, LandedBatch(), through, tables)
    return Outcomes(build, added({}, rows))


def count(
    name: tuple[str, str], head: Head, after: LandedBatch, through: LandedBatch, tables: Tables
) -> Sequence[OutcomeRows]:
    """Rows after a batch; none in a table without a commit."""
    if head.snapshot_id is None:
        return ()
    return tables.outcomes(*name, head, after, through.number)


def added(counts: Mapping[str, int], rows: Sequence[OutcomeRows]) -> dict[str, int]:
    """Counts with new rows added; reasons without rows are left out."""
    result = Counter(counts)
    for each in rows:
        result[each.reason] += each.rows_through
    return {reason: number for reason, number in sorted(result.items()) if number}
