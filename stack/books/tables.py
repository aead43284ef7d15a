"""Ask Trino about tables: their newest state from metadata, and counts of what is new in them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Protocol

from stack.books.evidence import Head, LandedBatch, LandedRows, OutcomeRows
from stack.clients.trino import Trino
from stack.watermarks.landed import LANDED_PROPERTY, SKIPPED_KEY

# One statement for all tables: within it Trino sees each table at one state.
HEAD_SQL = """
select '{table}' as named, key as fact, value from iceberg.{schema}."{name}$properties"
where key like 'meterhouse.%'
union all
select '{table}', 'main', cast(snapshot_id as varchar) from iceberg.{schema}."{name}$refs"
where name = 'main'
union all
select '{table}', cast(snapshot_id as varchar), json_format(cast(summary as json))
from iceberg.{schema}."{name}$snapshots"
"""
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

    def heads(self, tables: Collection[str]) -> dict[str, Head]:
        """The newest state of tables that exist."""

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

    def heads(self, tables: Collection[str]) -> dict[str, Head]:
        """The newest state of tables that exist."""
        if not tables:
            return {}
        rows = self._trino.rows("union all".join(map(head_sql, tables)))
        return {
            table: head_of((fact, value) for named, fact, value in rows if named == table)
            for table in tables
        }

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


def head_sql(table: str) -> str:
    """The question for one table's newest state."""
    schema, name = table.split(".")
    return HEAD_SQL.format(table=table, schema=schema, name=name)


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


def head_of(facts: Iterable[tuple[str, str]]) -> Head:
    """A table's newest state from (fact, value) rows of HEAD_SQL."""
    values = dict(facts)
    properties = {name: text for name, text in values.items() if name.startswith("meterhouse.")}
    snapshots = {name: text for name, text in values.items() if name.isdecimal()}
    main = values.get("main")
    if main is None:
        return Head(properties=properties, snapshots=len(snapshots))
    summary = json.loads(snapshots[main])
    files = int(summary.get("total-data-files", 0)) + int(summary.get("total-delete-files", 0))
    return Head(int(main), rows_of(summary), files, len(snapshots), properties)


def rows_of(summary: dict[str, str]) -> int | None:
    """Rows that a snapshot's summary states; None where it does not, or deletes by value."""
    if "total-records" not in summary or int(summary.get("total-equality-deletes", 0)):
        return None
    return int(summary["total-records"]) - int(summary.get("total-position-deletes", 0))
