"""Maintenance by hand and between rounds: one writer, watched, and never twice at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence, Set
from datetime import datetime
from pathlib import Path

from stack.base.errors import ConfigurationError, MeterhouseError
from stack.base.files import replace_file
from stack.base.settings import Settings
from stack.clients import postgres
from stack.maintenance.policy import policy_of
from stack.maintenance.program import FAILED, OK, UNFINISHED, MaintenanceRequest
from stack.maintenance.tables import Table, tables
from stack.rounds import program
from stack.rounds.by_hand import run_watched
from stack.rounds.models import end_statements
from stack.rounds.program import Program
from stack.writing import statements
from stack.writing.lock import MAINTENANCE, OBJECTS_KEY, WriterLock, hold_lock, one_writer
from stack.writing.statements import MAINTENANCE_USER

WAIT_SECONDS = 600.0
# Between rounds another writer is not waited for: the next round ends soon enough.
TURN_SECONDS = 5.0
RESULTS: dict[int | None, str] = {
    OK: "ok",
    FAILED: "see the lines above",
    UNFINISHED: "goes on after the next round",
}

Say = Callable[[str], None]


def left_first(found: list[Table], rest: Path) -> list[Table]:
    """The tables, those first that the last run left over: none waits for ever."""
    try:
        order = {name: place for place, name in enumerate(json.loads(rest.read_text()))}
    except (OSError, ValueError, TypeError):
        return found
    return sorted(found, key=lambda table: order.get(str(table), len(order)))


def run_maintenance(settings: Settings, say: Say, wanted: Set[str]) -> int:
    """Maintain tables by hand; 0, 1 if anything is wrong, 130 if interrupted.

    wanted: names with their schemas; empty: every table. Raises ConfigurationError for a name that
    no table has and for settings that would endanger readers, RetriableError if another writer
    keeps the lock or a service is away.
    """
    policy = policy_of(settings)
    trino = statements.writers(settings, MAINTENANCE_USER)
    with (
        hold_lock(settings, MAINTENANCE, WAIT_SECONDS, say, key=OBJECTS_KEY) as objects,
        one_writer(settings, MAINTENANCE, WAIT_SECONDS, say, MAINTENANCE_USER) as lock,
    ):
        found = chosen(tables(postgres.client(settings, postgres.DBT)), wanted)
        request = MaintenanceRequest(names(found), policy)
        return run_watched(
            lambda: start(settings, request, [objects, lock]),
            lock.glance,
            lambda: end_statements(trino, say),
        )


def start(settings: Settings, request: MaintenanceRequest, held: Sequence[WriterLock]) -> Program:
    """Start the program that does it."""
    module = "stack.maintenance.program"
    return program.start(module, [request.to_json()], settings.environment(), held)


def names(found: Sequence[Table]) -> tuple[tuple[str, str], ...]:
    """Schema and name of each table."""
    return tuple((table.schema, table.name) for table in found)


def chosen(found: list[Table], wanted: Set[str]) -> list[Table]:
    """The wanted ones, or all. Raises ConfigurationError for a name that none has."""
    known = {str(table) for table in found}
    if unknown := wanted - known:
        raise ConfigurationError(
            f"tables to maintain, of {', '.join(sorted(known))}",
            ", ".join(sorted(unknown)),
            "name a table with its schema, as it is written there",
        )
    return [table for table in found if not wanted or str(table) in wanted]


class Upkeep:
    """Maintenance between rounds: due every MAINTENANCE_INTERVAL seconds, however often asked."""

    def __init__(self, settings: Settings, log: Callable[..., None]) -> None:
        self._settings, self._log = settings, log
        self._policy = policy_of(settings)
        self._record = last_run_file(settings.state_dir)

    def is_due(self, now: datetime) -> bool:
        """Whether the interval has passed since the last run; never where it is 0.

        A stack without a run on record is new: the time is counted from now on.
        """
        interval = self._settings.maintenance_interval
        last = last_run(self._record)
        if last is None:
            self._keep(now)
            return False
        return interval > 0 and (now - last).total_seconds() >= interval

    def after_round(
        self, is_stop_wanted: Callable[[], bool], beat: Callable[[], None], now: datetime
    ) -> None:
        """Maintain if it is due; put off to the next round if the lock or a service is missing.

        It takes at most half the time between two rounds, and goes on after the next one.
        """
        if is_stop_wanted() or not self.is_due(now):
            return
        started = time.monotonic()
        try:
            code = self._run(is_stop_wanted, beat)
        except MeterhouseError as error:
            self._log("maintenance put off", why=str(error))
            return
        # What could not be done for one table waits for the next time, like the others.
        if code in {OK, FAILED}:
            self._keep(now)
        self._log(
            "maintenance ended",
            result=RESULTS.get(code, f"exit code {code}"),
            seconds=time.monotonic() - started,
        )

    def _keep(self, now: datetime) -> None:
        replace_file(self._record, json.dumps({"maintained_at": now.isoformat()}))

    def _run(self, is_stop_wanted: Callable[[], bool], beat: Callable[[], None]) -> int | None:
        settings, limit = self._settings, self._settings.dbt_run_interval / 2
        trino = statements.writers(settings, MAINTENANCE_USER)
        turn = (settings, MAINTENANCE, TURN_SECONDS, self._log, beat)
        with (
            hold_lock(*turn, key=OBJECTS_KEY) as objects,
            hold_lock(*turn) as lock,
        ):
            statements.settle(trino, self._log, beat=beat)
            rest = self._record.with_name("left_over.json")
            found = names(left_first(tables(postgres.client(settings, postgres.DBT)), rest))
            request = MaintenanceRequest(found, self._policy, limit, str(rest), is_logged=True)
            running = start(settings, request, [objects, lock])

            def look_after() -> None:
                beat()
                lock.glance()

            program.watch(running, is_stop_wanted, look_after)
            code = running.process.returncode
            if code not in {OK, FAILED, UNFINISHED}:
                end_statements(trino, self._log, beat)
            return code


def last_run_file(state_dir: Path) -> Path:
    """Where the last whole run is on record."""
    return state_dir / "dbt" / "maintained.json"


def last_run(path: Path) -> datetime | None:
    """When the last whole run began; None if none is on record."""
    try:
        return datetime.fromisoformat(json.loads(path.read_text())["maintained_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
