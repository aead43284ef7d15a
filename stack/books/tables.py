"""Ask Trino to count what is new in tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from stack.books.evidence import Head, LandedBatch, LandedRows, OutcomeRows
from stack.clients.trino import Trino
from stack.watermarks.landed import LANDED_PROPERTY, SKIPPED_KEY

LANDED_SQL = """
select
    kafka_topic_id,
    kafka_partition,
    count(*),
    count(distinct kafka_offset),
    min(kafka_offset),
    max(kafka_offset),
    count_if(batch_id <= {through}),
    max(kafka_offset) filter (where batch_id <= {through}) + 1,
    coalesce(sum({skipped}), 0)
from iceberg.{table} for version as of {snapshot_id}
where {window}
group by 1, 2
order by 1, 2
"""
OUTCOME_SQL = """
select coalesce(cast({reason} as varchar), ''), count(*), count_if(batch_id <= {through})
from iceberg.{table} for version as of {snapshot_id}
where {window}
group by 1
order by 1
"""


class Tables(Protocol):
    """What is asked of the lakehouse. Everything raises RetriableError while it is away."""

    def landed(self, table: str, head: Head, after: LandedBatch, through: int) -> list[LandedRows]:
        """Rows of a landing table at a state, after one batch, by topic id and partition."""

    def outcomes(
        self, table: str, reason: str, head: Head, after: LandedBatch, through: int
    ) -> list[OutcomeRows]:
        """Rows of an outcome table at a state, after one batch, by reason."""


class TrinoTables:
    """A lakehouse's tables as one user of Trino sees them."""

    def __init__(self, trino: Trino) -> None:
        self._trino = trino

    def landed(self, table: str, head: Head, after: LandedBatch, through: int) -> list[LandedRows]:
        """Rows of a landing table at a state, after one batch, by topic id and partition."""
        # A state that an older lander left has no such column.
        is_told = f'"{SKIPPED_KEY}"' in head.properties.get(LANDED_PROPERTY, "")
        skipped = "kafka_skipped" if is_told else "0"
        sql = counting(LANDED_SQL, table, head, (after, through), skipped=skipped)
        return [LandedRows(*row) for row in self._trino.rows(sql)]

    def outcomes(
        self, table: str, reason: str, head: Head, after: LandedBatch, through: int
    ) -> list[OutcomeRows]:
        """Rows of an outcome table at a state, after one batch, by reason."""
        sql = counting(OUTCOME_SQL, table, head, (after, through), reason=reason)
        return [OutcomeRows(*row) for row in self._trino.rows(sql)]


def counting(
    sql: str, table: str, head: Head, bounds: tuple[LandedBatch, int], **expressions: str
) -> str:
    """A counting statement; both bounds of the window are literals, so that files are pruned."""
    after, through = bounds
    window = "true"
    if after.number:
        at = datetime.fromisoformat(after.landed_at).astimezone(UTC)
        literal = f"timestamp '{at:%Y-%m-%d %H:%M:%S.%f} UTC'"
        window = f"batch_id > {after.number} and landed_at >= {literal}"
    return sql.format(
        table=table, snapshot_id=head.snapshot_id, through=through, window=window, **expressions
    )
