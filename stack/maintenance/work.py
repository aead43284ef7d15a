"""What is done to one table: compact, rewrite manifests, expire, remove orphans."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from stack.base.errors import MeterhouseError
from stack.base.settings import Settings
from stack.clients.trino import TableGoneError, Trino, patient
from stack.maintenance.policy import Policy
from stack.maintenance.tables import Table, TableState, expiry_ms, state, touched
from stack.writing.statements import MAINTENANCE_USER

ORPHANS = "orphans"
SECOND_MS = 1_000
HOUR_SECONDS = 3_600


@dataclass(frozen=True)
class Done:
    """What was done to a table. seconds: for all of it; error: what kept it from its end."""

    table: Table
    before: TableState
    after: TableState
    steps: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""
    is_whole: bool = True

    @property
    def is_changed(self) -> bool:
        """Whether anything but the look for orphans, which is done each time, came of it."""
        return bool(set(self.steps) - {ORPHANS} or self.error)


def session_properties(policy: Policy) -> dict[str, str]:
    """Trino's settings for the statements below."""
    return {
        "iceberg.target_max_file_size": f"{policy.file_mb}MB",
        # Trino's own least ages are the floors of policy.py; tests go below both.
        "iceberg.expire_snapshots_min_retention": f"{hours_ms(policy.snapshot_hours)}ms",
        "iceberg.remove_orphan_files_min_retention": f"{hours_ms(policy.orphan_hours)}ms",
    }


def client_of(settings: Settings, policy: Policy) -> Trino:
    """Trino as maintenance asks it."""
    return patient(settings, MAINTENANCE_USER, session_properties(policy))


def hours_ms(hours: float) -> int:
    """Hours in milliseconds."""
    return round(hours * HOUR_SECONDS * SECOND_MS)


def maintain(
    trino: Trino, table: Table, policy: Policy, is_over: Callable[[], bool]
) -> Done | None:
    """Do what a table needs; None for a table that was dropped meanwhile.

    is_over: whether the time is up; no statement begins after that.
    A statement that fails ends the table's turn, and is told in the result's error. A second call
    finds nothing to do.
    """
    started = time.monotonic()
    try:
        before = state(trino, table)
        done = Done(table, before, before)
        try:
            done = work(trino, policy, is_over, done)
        except TableGoneError:
            raise
        except MeterhouseError as error:
            done = replace(done, error=str(error), is_whole=False)
        after = state(trino, table) if done.is_changed else before
    except TableGoneError:
        return None
    return replace(done, after=after, seconds=time.monotonic() - started)


def work(trino: Trino, policy: Policy, is_over: Callable[[], bool], done: Done) -> Done:
    """Run the statements one after the other until the time is up."""
    for step, sql in statements(trino, done.table, policy, done.before):
        if is_over():
            return replace(done, is_whole=False)
        trino.commit(sql)
        done = replace(done, steps=(*done.steps, step))
    return done


def statements(
    trino: Trino, table: Table, policy: Policy, before: TableState
) -> Iterator[tuple[str, str]]:
    """Each step's name and its statement, found out when it is its turn."""
    threshold = f"file_size_threshold => '{policy.file_mb}MB'"
    now = before
    if max(before.files, before.delete_files) >= policy.min_files:
        for where in touched(trino, table, policy):
            yield "compact", procedure(table, f"optimize({threshold})") + f" where {where}"
        now = state(trino, table)
    if now.has_small_manifests:
        yield "manifests", procedure(table, "optimize_manifests")
    age_ms = expiry_ms(trino, table, policy) if now.snapshots > 1 else None
    if age_ms is not None:
        yield "expire", procedure(table, f"expire_snapshots(retention_threshold => '{age_ms}ms')")
    orphan_ms = hours_ms(policy.orphan_hours)
    yield (
        ORPHANS,
        procedure(table, f"remove_orphan_files(retention_threshold => '{orphan_ms}ms')"),
    )


def procedure(table: Table, call: str) -> str:
    """A table procedure's statement."""
    return f"alter table {table.sql} execute {call}"
