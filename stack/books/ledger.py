"""Keep the books: one row a reconciliation in iceberg.ops, and what the next one counts on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stack.books.report import ADDED, COLUMNS, Report
from stack.clients.trino import Trino

RECENT_DAYS = 7
CREATE_SQL = """
create table if not exists iceberg.{table} (
    {columns}
)
comment 'One row a reconciliation: every message from producer to mart, and what differs.'
with (
    partitioning = array['month(reconciled_at)'],
    extra_properties = map_from_entries(array[
        row('write.metadata.delete-after-commit.enabled', 'true'),
        row('write.metadata.previous-versions-max', '20')
    ])
)
"""
LAST_SQL = """
select * from iceberg.{table}
where reconciled_at > current_timestamp - interval '{days}' day
order by reconciled_at desc
limit 1
"""


def quoted(text: str) -> str:
    """A text as SQL spells it."""
    return "'" + text.replace("'", "''") + "'"


def create(trino: Trino, table: str) -> None:
    """Make the ledger unless it is there."""
    columns = ",\n    ".join(
        f"{name} {kind} comment {quoted(comment)}" for name, (kind, comment) in COLUMNS.items()
    )
    trino.rows(CREATE_SQL.format(table=table, columns=columns))


def add_columns(trino: Trino, table: str) -> None:
    """Give a ledger of 0.1.0 the columns that came later."""
    for name in ADDED:
        kind, comment = COLUMNS[name]
        trino.rows(
            f"alter table iceberg.{table} add column if not exists {name} {kind} "
            f"comment {quoted(comment)}"
        )


def last(trino: Trino, table: str) -> dict[str, Any]:
    """The newest row by column; empty if there is none. A ledger of 0.1.0 lacks what was ADDED."""
    # Of a ledger of years only the newest files are read, unless it rested for a week.
    for days in (RECENT_DAYS, 36500):
        for row in trino.records(LAST_SQL.format(table=table, days=days)):
            return dict.fromkeys(ADDED) | row
    return {}


def append(trino: Trino, table: str, report: Report) -> None:
    """Write one row, in one snapshot."""
    columns = ", ".join(COLUMNS)
    trino.rows(f"insert into iceberg.{table} ({columns}) values ({values(report)})")  # noqa: S608


def values(report: Report) -> str:
    """A row as SQL, in the order of COLUMNS."""
    return ", ".join(expression(getattr(report, name), kind) for name, (kind, _) in COLUMNS.items())


def expression(value: Any, kind: str) -> str:
    """A value of one column as SQL."""
    if isinstance(value, datetime):
        return f"from_iso8601_timestamp_nanos({quoted(value.isoformat(timespec='microseconds'))})"
    if isinstance(value, str):
        return quoted(value)
    content = dict(value) if isinstance(value, Mapping) else [str(each) for each in value]
    return f"cast(json_parse({quoted(json.dumps(content, sort_keys=True))}) as {kind})"
