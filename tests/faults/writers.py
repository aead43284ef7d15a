"""dbt, rounds and maintenance struck at their steps, and the marts judged by a second engine."""

from __future__ import annotations

import functools
import os
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

from stack.base.settings import Settings, load_settings
from stack.maintenance.policy import Policy
from stack.maintenance.service import run_maintenance
from stack.maintenance.tables import Table
from stack.provision import ready
from stack.rounds.by_hand import run_dbt
from stack.writing.statements import without_comments
from tests.faults import rounds
from tests.faults.case import (
    FROZEN_SECONDS,
    LANDERS,
    LOG,
    LOG_CHARACTERS,
    MARK,
    Case,
    Verdict,
    is_stopped,
    wait_until,
)
from tests.faults.far_trino import FarTrino, far_trino
from tests.faults.marts import differences
from tests.faults.meters import LOGS_TOPIC, Meters
from tests.faults.network import TROUBLES, Way
from tests.faults.oracle import Finding
from tests.faults.rounds import DONE, DUE, KILL_BOTH, LOSE_LOCK, MOMENTS, RUNNING, SWAP, struck_at
from tests.faults.steps import FREEZE, KILL, SERVICES, Strike, replace
from tests.integration.lakehouse import TOPIC, Lakehouse
from tests.integration.test_rounds import end_session_of

# Of the network: between Trino and the object store or the catalog.
WHATS = (KILL, KILL_BOTH, FREEZE, LOSE_LOCK, "trino", *SERVICES[1:], *TROUBLES)
DBT = {
    "insert": "insert into ",
    "merge": "merge into ",
    "progress": "set properties extra_properties",
}
# The same within a round of the runner, which records the progress itself.
ROUND = {f"round {kind}": DBT[kind] for kind in ("insert", "merge")}
UPKEEP = {
    "compaction": "execute optimize(",
    "expiry": "execute expire_snapshots(",
    "orphans": "execute remove_orphan_files(",
}
STEPS = [f"{kind} {moment}" for kind in (*DBT, *ROUND, SWAP, *UPKEEP) for moment in MOMENTS]
# Who is struck.
BY_HAND, RUNNER, MAINTENANCE = "dbt by hand", "round", "maintenance"
TIMES = (1, 1, 2, 3)
MESSAGES = 80
RUN_SECONDS = 600.0
HEAL_SECONDS = 240.0
# Ages that no stack allows; what is of a running statement is younger than a minute.
EAGER = Policy(snapshot_hours=0, orphan_hours=1 / 60, file_mb=128, min_files=2, margin_seconds=0)
MAINTAINED = {
    Table("staging", "stg_telemetry_raw"),
    Table("intermediate", "int_meter_readings"),
    Table("marts", "device_daily_metrics"),
}
ARMED = """
import sys
if "-m" in sys.orig_argv:
    from pathlib import Path
    from tests.faults.steps import Strike
    from tests.faults.writers import arm
    arm(Strike(*{strike!r}), Path({mark!r}))
"""
BALANCE = """
select
    (select count(*) from iceberg.landing.telemetry_raw),
    (select count(*) from iceberg.staging.stg_telemetry_raw),
    (select count(*) from iceberg.quality.quarantine_telemetry_raw),
    (
        select count(distinct telemetry_key) from (
            select telemetry_key from iceberg.staging.stg_telemetry_raw
            union all
            select telemetry_key from iceberg.quality.quarantine_telemetry_raw
        )
    )
"""


class Writers:
    """Processes that write the models' tables, one strike at a time."""

    def __init__(self, lakehouse: Lakehouse, folder: Path) -> None:
        self._lakehouse, self._folder = lakehouse, folder
        self._started: list[BaseProcess] = []
        self._far_trinos = ExitStack()
        self._far_trino: FarTrino | None = None
        self._way: Way | None = None

    @property
    def far_trino(self) -> FarTrino:
        """A Trino behind a network of its own, started when it is first asked for."""
        if self._far_trino is None:
            folder = self._folder / "far"
            folder.mkdir()
            self._far_trino = self._far_trinos.enter_context(
                far_trino(self._lakehouse.settings, folder, self._folder / MARK)
            )
        return self._far_trino

    def start(self, role: str, strike: Strike | None = None) -> BaseProcess:
        """Start dbt, a round or maintenance."""
        environment, self._way = {}, None
        if strike and strike.what in TROUBLES:
            self._way = self.far_trino.await_trouble(strike.what)
            environment = self.far_trino.environment()
        process = LANDERS.Process(
            target=be_writer,
            args=(self._folder, role, strike, environment),
        )
        process.start()
        self._started.append(process)
        return process

    def run(self) -> str:
        """Run the models; what went wrong."""
        process = self.start(BY_HAND)
        process.join(RUN_SECONDS)
        return "" if process.exitcode == 0 else f"dbt ended with {process.exitcode}"

    def suffer(self, strike: Strike, land_more: Callable[[], None]) -> tuple[bool, str]:
        """Run a writer that is struck; whether it was, and what went wrong besides.

        land_more: called while a writer without its lock stands still, before another begins, so
        that the other goes further than the writer knows of.
        """
        (self._folder / MARK).unlink(missing_ok=True)
        process = self.start(role_of(strike), strike)
        wait_until(lambda: is_stopped(process) or not process.is_alive(), RUN_SECONDS)
        trouble = self._meanwhile(process, strike, land_more) if is_stopped(process) else ""
        process.join(RUN_SECONDS)
        was_struck = (self._folder / MARK).exists()
        if self._way:
            was_struck = was_struck and self._way.was_met
        elif was_struck and strike.what in {"trino", *SERVICES}:
            ready.wait(self._lakehouse.settings, HEAL_SECONDS, lambda text: None)
        # Whoever is struck may fail, but ends; a run that is only held up must go well.
        must_go_well = not was_struck or strike.what == FREEZE
        if process.exitcode is None or (must_go_well and process.exitcode):
            trouble += f"{strike}: the struck writer ended with {process.exitcode}"
        return was_struck, trouble

    def _meanwhile(
        self, process: BaseProcess, strike: Strike, land_more: Callable[[], None]
    ) -> str:
        """Another writer while the struck one stands still, which goes on afterwards."""
        assert process.pid
        if strike.what == LOSE_LOCK:
            end_session_of(self._lakehouse.settings, process.pid)
            land_more()
        other = self.start(RUNNER if role_of(strike) == RUNNER else BY_HAND)
        # With the lock in other hands it waits: it need not end before the frozen one goes on.
        other.join(RUN_SECONDS if strike.what == LOSE_LOCK else FROZEN_SECONDS)
        for frozen in [*psutil.Process(process.pid).children(), psutil.Process(process.pid)]:
            frozen.resume()
        other.join(RUN_SECONDS)
        return (
            "" if other.exitcode == 0 else f"{strike}: the second one ended with {other.exitcode}"
        )

    def end(self) -> None:
        """End what still runs."""
        self._far_trinos.close()
        for process in self._started:
            if process.is_alive() and process.pid:
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
                process.kill()


@contextmanager
def writers_of(lakehouse: Lakehouse) -> Iterator[tuple[Writers, Path]]:
    """Writers with a folder of their own; none is left afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        writers = Writers(lakehouse, Path(folder))
        try:
            yield writers, Path(folder) / LOG
        finally:
            writers.end()


def run_case(settings: Settings, case: Case) -> Verdict:
    """Play a case on the stack's own tables, with meters of its own, and judge it."""
    lakehouse = Lakehouse(settings)
    meters = Meters(settings, case.seed * 1000 + case.number)
    struck: list[Strike] = []
    troubles: list[str] = []

    def land_more() -> None:
        meters.move()
        meters.speak(MESSAGES)
        for topic in (TOPIC, LOGS_TOPIC):
            lakehouse.land(topic, HEAL_SECONDS)

    with writers_of(lakehouse) as (writers, log):
        # Where no model ran yet, or none since these meters came, tables are made, not added to.
        troubles += filter(None, [writers.run()])
        for each in case.strikes:
            land_more()
            was_struck, trouble = writers.suffer(each, land_more)
            struck += [each] if was_struck else []
            troubles += [trouble] if trouble else []
        troubles += filter(None, [writers.run()])
        snapshots = lakehouse.snapshots()
        troubles += filter(None, [writers.run()])
        is_repeatable = lakehouse.snapshots() == snapshots
        troubles += differences(lakehouse, meters)
        if troubles:
            troubles.append(log.read_text(encoding="utf-8")[-LOG_CHARACTERS:])
    return Verdict(
        case, tuple(struck), balance(lakehouse, meters), is_repeatable, "\n".join(troubles)
    )


def balance(lakehouse: Lakehouse, meters: Meters) -> Finding:
    """Whether each landed message is accepted or quarantined, once."""
    lakehouse.offsets_exactly_once()
    ((landed, accepted, rejected, different),) = lakehouse.sql(BALANCE)
    return Finding(
        messages=len(meters.ledger.readings),
        lost=landed - different,
        duplicated=accepted + rejected - different,
        is_ordered=True,
        snapshot=None,
    )


def role_of(strike: Strike) -> str:
    """Who is struck."""
    kind = kind_of(strike)
    if kind in UPKEEP:
        return MAINTENANCE
    return RUNNER if kind in ROUND or kind == SWAP else BY_HAND


def kind_of(strike: Strike) -> str:
    """What the struck writer is about to do, does, or has done."""
    return strike.step.rpartition(" ")[0]


def plan(seed: int, number: int, count: int) -> Case:
    """The case of a number: its strikes follow from the seed alone."""
    dice = random.Random(f"{seed}/{number}/writers")
    strikes = (
        Strike(dice.choice(STEPS), dice.choice(TIMES), dice.choice(WHATS)) for _ in range(count)
    )
    return Case(number, seed, tuple(strikes))


def arm(planned: Strike, mark: Path) -> None:
    """Have this process struck as planned; Trino's client is replaced."""
    words, now = (DBT | ROUND | UPKEEP)[kind_of(planned)], threading.local()
    reached = struck_at(planned, mark, lambda: [os.getppid()])

    def executes(execute: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(execute)
        def call(query: Any, *arguments: Any, **options: Any) -> Any:
            now.is_meant = words in without_comments(query.query).lower()
            if not now.is_meant:
                return execute(query, *arguments, **options)
            reached(DUE)
            result = execute(query, *arguments, **options)
            reached(DONE)
            return result

        return call

    def gets(get: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(get)
        def call(*arguments: Any) -> Any:
            # Trino begins with a statement when it is first asked how it stands.
            answer = get(*arguments)
            if getattr(now, "is_meant", False):
                now.is_meant = False
                reached(RUNNING)
            return answer

        return call

    replace("trino.client:TrinoQuery.execute", executes)
    replace("trino.client:TrinoRequest.get", gets)


def arm_programs(planned: Strike, folder: Path) -> None:
    """Have the program that this process watches struck: each Python reads ARMED when it starts."""
    armed = folder / "armed"
    armed.mkdir(exist_ok=True)
    code = ARMED.format(strike=(planned.step, planned.nth, planned.what), mark=str(folder / MARK))
    (armed / "sitecustomize.py").write_text(code, encoding="utf-8")
    os.environ["PYTHONPATH"] = str(armed)


def be_writer(folder: Path, role: str, planned: Strike | None, environment: dict[str, str]) -> None:
    """Be dbt, a round or maintenance, waiting to be struck."""
    os.environ |= environment
    with (folder / LOG).open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    if planned and kind_of(planned) == SWAP:
        rounds.arm(planned, folder / MARK)
    elif planned:
        arm_programs(planned, folder)
    settings = load_settings()
    code = 0
    if role == MAINTENANCE:
        replace("stack.maintenance.service:policy_of", lambda _: lambda _: EAGER)
        code = run_maintenance(settings, print, set(map(str, MAINTAINED)))
    elif role == RUNNER:
        Lakehouse(settings).round()
    else:
        code = run_dbt(["run"], settings)
    sys.exit(code)
