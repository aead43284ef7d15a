"""Maintenance by hand and between rounds: one writer, watched, and never twice at once."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Set
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stack import lock as locks
from stack import statements
from stack.errors import ConfigurationError, MeterhouseError
from stack.lock import Witness
from stack.maintenance import record, retention
from stack.maintenance.policy import Policy, policy_of
from stack.maintenance.tables import Table, tables
from stack.maintenance.warehouse import Warehouse
from stack.maintenance.work import Done, Turn, maintain, session_properties
from stack.rounds import child
from stack.rounds.by_hand import run_watched
from stack.rounds.models import end_statements
from stack.rounds.seen import replace_file
from stack.settings import Settings
from stack.statements import MAINTENANCE_USER as USER

WAIT_SECONDS = 600.0
# Between rounds another writer is not waited for: the next round ends soon enough.
TURN_SECONDS = 5.0
OK, FAILED, UNFINISHED = 0, 1, 3
RESULTS: dict[int | None, str] = {
    OK: "ok",
    FAILED: "see the lines above",
    UNFINISHED: "goes on after the next round",
}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One run over all tables, in a child of the process that holds the lock.

    limit_seconds: no statement begins later; None for no limit. rest: file for the tables that the
    limit left over.
    """

    settings: Settings
    policy: Policy
    lock: Witness
    say: Say
    limit_seconds: float | None = None
    rest: Path | None = None

    def __call__(self, found: list[Table]) -> int:
        """Maintain the tables, look at the topics, tell of both; OK, FAILED or UNFINISHED."""
        started_at, started = datetime.now(UTC), time.monotonic()
        limit = float("inf") if self.limit_seconds is None else self.limit_seconds
        turn = Turn(lambda: time.monotonic() - started > limit, self.lock.check)
        with closing(Warehouse(self.settings, session_properties(self.policy))) as warehouse:
            every = (maintain(warehouse, table, self.policy, turn) for table in found)
            results = [done for done in every if done]
            if self.rest:
                replace_file(self.rest, json.dumps(left_over(results)))
            record.keep(warehouse, results, started_at)
            topics = retention.check(self.settings, warehouse, found, datetime.now(UTC))
        for text in (*record.lines(results), *map(str, topics)):
            self.say(text)
        return exit_code(results, topics)


def exit_code(results: list[Done], topics: list[retention.Retention]) -> int:
    """What the caller is told."""
    if any(done.error for done in results) or any(topic.problems for topic in topics):
        return FAILED
    return OK if all(done.is_whole for done in results) else UNFINISHED


def left_over(results: list[Done]) -> list[str]:
    """Tables not done to their end: the untouched ones first, those that failed last."""
    unfinished = [done for done in results if not done.is_whole]
    in_turn = sorted(unfinished, key=lambda done: (bool(done.error), len(done.steps)))
    return [str(done.table) for done in in_turn]


def left_first(found: list[Table], rest: Path) -> list[Table]:
    """The tables, those first that the last run left over: none waits for ever behind others."""
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
    trino = statements.Trino(settings, USER)
    with (
        locks.hold_lock(settings, locks.MAINTENANCE, WAIT_SECONDS, say, key=locks.OBJECTS_KEY),
        locks.one_writer(settings, locks.MAINTENANCE, WAIT_SECONDS, say, USER) as lock,
    ):
        found = chosen(tables(settings), wanted)
        run = Run(settings, policy, lock.for_child(settings), say)
        return run_watched(
            lambda: as_process(lambda: run(found)),
            lock.glance,
            lambda: end_statements(trino, say),
        )


def chosen(found: list[Table], wanted: Set[str]) -> list[Table]:
    """The wanted ones, or all. Raises ConfigurationError for a name that none has."""
    names = {str(table) for table in found}
    if unknown := wanted - names:
        raise ConfigurationError(
            f"tables to maintain, of {', '.join(sorted(names))}",
            ", ".join(sorted(unknown)),
            "name a table with its schema, as it is written there",
        )
    return [table for table in found if not wanted or str(table) in wanted]


def as_process(work: Callable[[], int]) -> None:
    """Be a process that does the work: its code is the exit code, an expected failure is said."""
    try:
        code = work()
    except MeterhouseError as error:
        sys.stderr.write(f"{error}\n")
        code = FAILED
    sys.exit(code)


class Upkeep:
    """Maintenance between rounds: due every MAINTENANCE_INTERVAL seconds, however often asked."""

    def __init__(self, settings: Settings, log: Callable[..., None]) -> None:
        self._settings, self._log = settings, log
        self._policy = policy_of(settings)
        self._record = last_run_file(settings)

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
        trino = statements.Trino(settings, USER)
        turn = (settings, locks.MAINTENANCE, TURN_SECONDS, self._log, beat)
        with (
            locks.hold_lock(*turn, key=locks.OBJECTS_KEY),
            locks.hold_lock(*turn) as lock,
        ):
            statements.settle(trino, self._log, beat=beat)
            witness, rest = lock.for_child(settings), self._record.with_name("left_over.json")
            run = Run(settings, self._policy, witness, self._log, limit, rest)
            found = left_first(tables(settings), rest)
            process = child.start(
                lambda: as_process(lambda: run(found)), lambda: end_statements(trino, self._log)
            )

            def look_after() -> None:
                beat()
                lock.glance()

            child.watch(process, is_stop_wanted, look_after)
            if process.exitcode not in {OK, FAILED, UNFINISHED}:
                end_statements(trino, self._log)
            return process.exitcode


def last_run_file(settings: Settings) -> Path:
    """Where the last whole run is on record."""
    return settings.state_dir / "dbt" / "maintained.json"


def last_run(path: Path) -> datetime | None:
    """When the last whole run began; None if none is on record."""
    try:
        return datetime.fromisoformat(json.loads(path.read_text())["maintained_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
