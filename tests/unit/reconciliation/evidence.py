"""Tables in memory: rows of (topic id, partition, offset, batch, reason)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from stack.books.evidence import Head, LandedBatch, LandedRows, OutcomeRows

TOPIC_ID = "topic-1"
AT = "2026-01-02T03:04:05.000000+00:00"


@dataclass(frozen=True)
class Row:
    """A row of a landing table, or of an outcome table with its reason."""

    partition: int
    offset: int
    batch: int = 1
    reason: str = ""
    topic_id: str = TOPIC_ID
    skipped: int = 0


def rows(partition: int, offsets: Iterable[int], batch: int = 1) -> list[Row]:
    """Rows of one partition and batch."""
    return [Row(partition, offset, batch) for offset in offsets]


@dataclass
class FakeTables:
    """Counts rows as Trino does; asked holds which table was counted after which batch."""

    content: dict[str, list[Row]]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def landed(self, table: str, head: Head, after: LandedBatch, through: int) -> list[LandedRows]:
        """Rows by topic id and partition."""
        found = self._behind(table, after)
        groups = sorted({(row.topic_id, row.partition) for row in found})
        return [
            landed_rows([row for row in found if (row.topic_id, row.partition) == group], through)
            for group in groups
        ]

    def outcomes(
        self, table: str, reason: str, head: Head, after: LandedBatch, through: int
    ) -> list[OutcomeRows]:
        """Rows by reason."""
        found = self._behind(table, after)
        return [
            OutcomeRows(
                name,
                sum(row.reason == name for row in found),
                sum(row.reason == name and row.batch <= through for row in found),
            )
            for name in sorted({row.reason for row in found})
        ]

    def _behind(self, table: str, after: LandedBatch) -> list[Row]:
        self.asked.append((table, after.number))
        return [row for row in self.content[table] if row.batch > after.number]


def landed_rows(found: list[Row], through: int) -> LandedRows:
    """What Trino says of rows of one partition."""
    offsets = [row.offset for row in found]
    early = [row.offset for row in found if row.batch <= through]
    return LandedRows(
        found[0].topic_id,
        found[0].partition,
        len(found),
        len(set(offsets)),
        min(offsets),
        max(offsets),
        len(early),
        max(early) + 1 if early else None,
        sum(row.skipped for row in found),
    )


def landing_head(
    count: int,
    offsets: dict[int, int],
    batch: int = 1,
    lost: list[dict[str, object]] | None = None,
    skipped: dict[int, int] | None = None,
) -> Head:
    """The state of a landing table: its rows, and what its properties say."""
    landed = {"batch_id": batch, "landed_at": AT, "offsets": offsets, "topic_id": TOPIC_ID}
    properties = {"meterhouse.landed": json.dumps(landed | {"skipped": skipped or {}})}
    if lost:
        properties["meterhouse.lost"] = json.dumps(lost)
    return Head(1, count, properties=properties)


def model_head(count: int, batch: int, build: str = "b1") -> Head:
    """The state of a model's table."""
    said = {"batch_id": batch, "landed_at": AT, "build": build}
    return Head(1, count, properties={"meterhouse.progress": json.dumps(said)})


def loss(
    first: int,
    last: int | None,
    *,
    is_accepted: bool,
    topic_id: str | None = TOPIC_ID,
    reason: str = "retention",
) -> dict[str, object]:
    """A loss as the lander records it; without a topic id as it once did."""
    return {
        "partition": 0,
        "first": first,
        "last": last,
        "reason": reason,
        "noticed_at": AT,
        "is_accepted": is_accepted,
        **({"topic_id": topic_id} if topic_id else {}),
    }
