"""Tell what maintenance did: a table for people, and rows in iceberg.ops.maintenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from stack.base.text import aligned
from stack.clients.trino import Trino
from stack.maintenance.work import Done

CREATE_SQL = """
create table if not exists iceberg.ops.maintenance (
    started_at timestamp(6) with time zone comment 'Start of the run.',
    table_schema varchar comment 'Schema of the table.',
    table_name varchar comment 'The table.',
    steps varchar comment 'What was done, in order; compact x 3: in three partitions.',
    error varchar comment 'What kept the table from being done; empty if nothing did.',
    seconds double comment 'Time it took.',
    files_before bigint comment 'Data files of the newest snapshot.',
    files_after bigint comment 'The same afterwards.',
    delete_files_before bigint comment 'Files that list deleted rows.',
    delete_files_after bigint comment 'The same afterwards.',
    bytes_before bigint comment 'Bytes of data and delete files of the newest snapshot.',
    bytes_after bigint comment 'The same afterwards.',
    manifests_before bigint comment 'Manifests of the newest snapshot.',
    manifests_after bigint comment 'The same afterwards.',
    snapshots_before bigint comment 'Snapshots one can go back to.',
    snapshots_after bigint comment 'The same afterwards.'
)
comment 'What maintenance did, one row per run and table it changed.'
with (partitioning = array['month(started_at)'])
"""
HEADER = ("table", "files", "deletes", "bytes", "manifests", "snapshots", "seconds", "done")


def listed(steps: Iterable[str]) -> str:
    """Steps in order, repeated ones with their number."""
    return ", ".join(
        name if count == 1 else f"{name} x {count}" for name, count in Counter(steps).items()
    )


def lines(results: Sequence[Done]) -> list[str]:
    """The results as aligned lines, each figure before and after."""
    return aligned([HEADER, *map(cells, results)])


def cells(done: Done) -> tuple[str, ...]:
    """One result's line."""
    was, now = done.before, done.after
    pairs = (
        (was.files, now.files),
        (was.delete_files, now.delete_files),
        (was.bytes, now.bytes),
        (was.manifests, now.manifests),
        (was.snapshots, now.snapshots),
    )
    told = [str(old) if old == new else f"{old} > {new}" for old, new in pairs]
    ending = () if done.is_whole else ("not to its end",)
    note = done.error or ", ".join((listed(done.steps), *ending)).removeprefix(", ")
    return str(done.table), *told, f"{done.seconds:.1f}", note


def keep(trino: Trino, results: Sequence[Done], started_at: datetime) -> None:
    """Add a row for each table that was changed; nothing where none was.

    Raises RetriableError if Trino does not take them.
    """
    changed = [done for done in results if done.is_changed]
    if not changed:
        return
    trino.rows(CREATE_SQL)
    values = ", ".join(row(done, started_at) for done in changed)
    trino.commit(f"insert into iceberg.ops.maintenance values {values}")  # noqa: S608


def row(done: Done, started_at: datetime) -> str:
    """One result as a row of SQL literals."""
    was, now = done.before, done.after
    texts = (done.table.schema, done.table.name, listed(done.steps), done.error)
    numbers = (
        was.files,
        now.files,
        was.delete_files,
        now.delete_files,
        was.bytes,
        now.bytes,
        was.manifests,
        now.manifests,
        was.snapshots,
        now.snapshots,
    )
    quoted = ["'" + text.replace("'", "''") + "'" for text in texts]
    moment = f"timestamp '{started_at:%Y-%m-%d %H:%M:%S.%f} UTC'"
    return f"({', '.join([moment, *quoted, f'{done.seconds:.3f}e0', *map(str, numbers)])})"
