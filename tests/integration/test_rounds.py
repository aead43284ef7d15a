"""One writer at a time, and rounds that leave nothing behind, on a dbt project of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from trino.dbapi import connect

from lander.catalog import open_catalog
from stack.base.errors import RetriableError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients import postgres
from stack.rounds.by_hand import run_dbt
from stack.rounds.decision import Seen
from stack.rounds.project import seen_file
from stack.rounds.request import run_round
from stack.rounds.seen import load
from stack.writing import lock, statements
from tests.integration.lakehouse import Lakehouse, no_word
from tests.integration.small_project import COUNTING_MODEL, ENDLESS_MODEL, PROJECT_FILES, Small
from tests.postgres import admin_connection
from trino import exceptions

pytestmark = pytest.mark.same_in_both_modes

# The stack's own rounds and commands may hold the lock when a test wants it.
TURN_SECONDS = 180.0
LIMIT_SECONDS = 90.0

HOLD = """
import sys, time
from stack.writing.lock import MAINTENANCE, hold_lock
from stack.base.settings import load_settings
with hold_lock(load_settings(), MAINTENANCE, 180, lambda text: None):
    print("held", flush=True)
    time.sleep(float(sys.argv[1]))
"""
ROUNDS = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from stack.rounds.service import run_rounds
from stack.rounds.project import Project
from stack.base.settings import load_settings
folder, user = Path(sys.argv[1]), sys.argv[2]
settings = replace(
    load_settings(),
    state_dir=folder / "state",
    dbt_run_interval=float(sys.argv[3]),
    dbt_auto_run=True,
    metrics_port=0,
)
sys.exit(run_rounds(settings, Project(folder / "project", user)))
"""


BY_HAND = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from stack.rounds.by_hand import run_dbt
from stack.rounds.project import Project
from stack.base.settings import load_settings
folder, user = Path(sys.argv[1]), sys.argv[2]
settings = replace(load_settings(), state_dir=folder / "state")
sys.exit(run_dbt(["run"], settings, Project(folder / "project", user)))
"""


@pytest.fixture
def small(lakehouse: Lakehouse, tmp_path: Path) -> Iterator[Small]:
    # Users named dbt_<something> write like dbt: trino/etc/access/rules.json.
    made = Small(tmp_path, f"dbt_rounds_{uuid.uuid4().hex[:12]}", lakehouse)
    for file, text in PROJECT_FILES.items():
        made.write(file, text)
    landing = open_catalog(lakehouse.settings)
    landing.create_table(("landing", made.name), pa.schema([("n", pa.int32())]))
    lakehouse.sql(f"create schema iceberg.{made.name}")
    yield made
    landing.purge_table(("landing", made.name))
    lakehouse.sql(f"drop schema if exists iceberg.{made.name} cascade")


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python code as a process of its own; what still runs at the end is ended."""
    started: list[subprocess.Popen[str]] = []

    def start_code(code: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=PROJECT_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start_code
    for process in started:
        # Politely: an orphan of a killed one would write while its tables are removed.
        process.terminate()
        process.communicate(timeout=LIMIT_SECONDS)


Start = Callable[..., subprocess.Popen[str]]


def holding(start: Start, seconds: float) -> subprocess.Popen[str]:
    """A process that holds the lock for so long."""
    process = start(HOLD, str(seconds))
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def is_holding(settings: Settings, pid: int) -> bool:
    """Whether that process holds the lock."""
    found = lock.holder(postgres.client(settings, postgres.DBT))
    return found is not None and f"process {pid} " in found.name


def test_second_writer_is_told_who_holds_the_lock(lakehouse: Lakehouse, start: Start) -> None:
    process = holding(start, LIMIT_SECONDS)
    with (
        pytest.raises(RetriableError) as raised,
        lock.hold_lock(lakehouse.settings, lock.BY_HAND, 1.0, no_word),
    ):
        pass
    assert f"held by maintenance, process {process.pid} on " in raised.value.found
    assert f"since {datetime.now(UTC):%Y-%m-%d}" in raised.value.found


def test_second_writer_waits_for_the_first(lakehouse: Lakehouse, start: Start) -> None:
    process, said = holding(start, 3.0), list[str]()
    with lock.hold_lock(lakehouse.settings, lock.BY_HAND, TURN_SECONDS, said.append):
        assert is_holding(lakehouse.settings, os.getpid())
    assert f"process {process.pid} " in said[0]


def test_lock_is_free_after_its_holder_was_killed(lakehouse: Lakehouse, start: Start) -> None:
    process = holding(start, LIMIT_SECONDS)
    assert is_holding(lakehouse.settings, process.pid)
    process.kill()
    lakehouse.wait_until(lambda: not is_holding(lakehouse.settings, process.pid), 10)


def test_writer_learns_that_its_session_ended(lakehouse: Lakehouse) -> None:
    with lock.hold_lock(lakehouse.settings, lock.BY_HAND, TURN_SECONDS, no_word) as held:
        held.check()
        end_session_of(lakehouse.settings, os.getpid())
        with pytest.raises(RetriableError, match="one-writer lock"):
            held.check()


def end_session_of(settings: Settings, pid: int) -> None:
    """End the lock's database session as a restart of PostgreSQL does."""
    statement = (
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
        "where application_name like %s"
    )
    with closing(admin_connection(settings)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, (f"%, process {pid} on %",))
        # Maintenance has two: of the lock of objects and of the one-writer lock.
        assert set(cursor.fetchall()) == {(True,)}


def test_statement_of_a_dead_writer_is_ended(small: Small) -> None:
    statement = ENDLESS_MODEL.partition("}}")[2]
    thread = threading.Thread(target=run_as, args=(small, f"create table t as {statement}"))
    thread.start()
    small.lakehouse.wait_until(lambda: bool(small.running()))
    said: list[str] = []
    with lock.hold_lock(small.settings, lock.BY_HAND, TURN_SECONDS, no_word):
        statements.settle(
            statements.writers(small.settings, small.name), said.append, grace_seconds=1.0
        )
    assert small.running() == []
    assert [text.split(" ")[0] for text in said] == ["waiting", "ending"]
    thread.join(LIMIT_SECONDS)


def run_as(small: Small, sql: str) -> None:
    """Run one statement as the project's user; that it fails is the caller's wish."""
    connection = connect(
        host=small.settings.trino_host,
        port=small.settings.trino_port,
        user=small.name,
        catalog="iceberg",
        schema=small.name,
    )
    with closing(connection), suppress(exceptions.Error):
        connection.cursor().execute(sql)


def test_rounds_follow_what_lands_and_cost_nothing_without_it(small: Small, start: Start) -> None:
    small.land()
    runner = start(ROUNDS, str(small.folder), small.name, "1")
    idle = idle_seconds(small, 1)
    assert small.counted() == 1
    worker = worker_of(runner)
    small.land()
    small.lakehouse.wait_until(lambda: small.counted() == 2, LIMIT_SECONDS + TURN_SECONDS)
    idle += idle_seconds(small, 4)
    assert min(idle) < 0.5
    small.write("models/counted.sql", COUNTING_MODEL.replace("count(*)", "10 * count(*)"))
    small.lakehouse.wait_until(lambda: small.counted() == 20, LIMIT_SECONDS + TURN_SECONDS)
    assert worker_of(runner) == worker


def test_a_round_that_is_asked_for_counts_what_landed_before(small: Small, start: Start) -> None:
    small.land()
    start(ROUNDS, str(small.folder), small.name, "3600")
    small.lakehouse.wait_until(
        lambda: small.health().get("result") == "ok", LIMIT_SECONDS + TURN_SECONDS
    )
    assert small.counted() == 1
    small.land()
    settings = replace(small.settings, dbt_auto_run=True)
    said: list[str] = []
    assert run_round(settings, said.append) == 0
    assert said[0].startswith("round: ok, ")
    assert small.counted() == 2


def worker_of(runner: subprocess.Popen[str]) -> psutil.Process:
    """Dbt's worker."""
    (found,) = (
        child
        for child in psutil.Process(runner.pid).children()
        if "stack.rounds.worker" in child.cmdline()
    )
    return found


def idle_seconds(small: Small, count: int) -> list[float]:
    """How long rounds with nothing new took, so many of them."""
    found: dict[int, float] = {}
    end = time.monotonic() + LIMIT_SECONDS + TURN_SECONDS
    while len(found) < count:
        assert time.monotonic() < end, f"no idle round: {small.health()}"
        health = small.health()
        if health.get("result") == "nothing new":
            found[health["round"]] = health["seconds"]
        time.sleep(0.05)
    return list(found.values())


@pytest.fixture
def running(small: Small, start: Start) -> subprocess.Popen[str]:
    """A runner in the middle of a round that would never end."""
    small.write("models/endless.sql", ENDLESS_MODEL)
    process = start(ROUNDS, str(small.folder), small.name, "1")
    small.lakehouse.wait_until(lambda: bool(small.running()), LIMIT_SECONDS + TURN_SECONDS)
    assert is_holding(small.settings, process.pid)
    return process


def test_stop_within_a_round_leaves_no_statement_and_a_free_lock(
    small: Small, running: subprocess.Popen[str]
) -> None:
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=LIMIT_SECONDS)
    assert running.returncode == 0, output
    assert small.running() == []
    assert not is_holding(small.settings, running.pid)
    assert small.health()["state"] == "stopped"
    assert "stopped: asked to end" in output
    assert load(seen_file(small.settings)) is None


def test_kill_within_a_round_leaves_no_statement_and_a_free_lock(
    small: Small, running: subprocess.Popen[str]
) -> None:
    worker = worker_of(running)
    running.kill()
    small.lakehouse.wait_until(lambda: not is_holding(small.settings, running.pid), LIMIT_SECONDS)
    assert small.running() == []
    small.lakehouse.wait_until(lambda: not is_alive(worker), LIMIT_SECONDS)


def is_alive(process: psutil.Process) -> bool:
    """Whether it has not ended; one that its parent has not taken notice of has ended."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_killed_worker_fails_its_round_and_the_next_one_has_another(
    small: Small, running: subprocess.Popen[str]
) -> None:
    killed = worker_of(running)
    statements_before = {statement.query_id for statement in small.running()}
    killed.kill()
    small.lakehouse.wait_until(
        lambda: small.health().get("consecutive_failures", 0) > 0, LIMIT_SECONDS
    )
    small.lakehouse.wait_until(lambda: bool(small.running()), LIMIT_SECONDS)
    assert worker_of(running) != killed
    assert statements_before.isdisjoint(each.query_id for each in small.running())
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=LIMIT_SECONDS)
    assert "dbt exited without a result (code -9)" in output


def test_lost_lock_ends_the_round_and_the_next_one_goes_on(
    small: Small, running: subprocess.Popen[str]
) -> None:
    worker = worker_of(running)
    end_session_of(small.settings, running.pid)
    small.lakehouse.wait_until(lambda: not is_alive(worker), LIMIT_SECONDS)
    small.lakehouse.wait_until(
        lambda: small.health().get("consecutive_failures", 0) > 0, LIMIT_SECONDS
    )
    small.lakehouse.wait_until(lambda: small.health()["state"] == "running", LIMIT_SECONDS)
    assert running.poll() is None
    # The next round waits for what the killed worker left in Trino, a minute at most.
    statements.settle(statements.writers(small.settings, small.name), no_word, grace_seconds=0)


def test_dbt_by_hand_returns_its_exit_code_and_makes_the_next_round_look(small: Small) -> None:
    small.land()
    record = Seen({}, (), "a", "b", "", "c")
    path = seen_file(small.settings)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record.__dict__))
    assert run_dbt(["run"], small.settings, small.project) == 0
    assert small.counted() == 1
    assert load(path) == replace(record, is_current=False)
    small.write("models/broken.sql", "select no_such_column from no_such_table")
    assert run_dbt(["run", "--select", "broken"], small.settings, small.project) == 1


@pytest.fixture
def by_hand(small: Small, start: Start) -> subprocess.Popen[str]:
    """Dbt by hand in the middle of a command that would never end."""
    small.write("models/endless.sql", ENDLESS_MODEL)
    process = start(BY_HAND, str(small.folder), small.name)
    small.lakehouse.wait_until(lambda: bool(small.running()), LIMIT_SECONDS + TURN_SECONDS)
    assert is_holding(small.settings, process.pid)
    return process


def test_interrupted_dbt_by_hand_leaves_no_statement(
    small: Small, by_hand: subprocess.Popen[str]
) -> None:
    by_hand.send_signal(signal.SIGINT)
    output, _ = by_hand.communicate(timeout=LIMIT_SECONDS)
    assert by_hand.returncode == 130, output
    assert small.running() == []
    assert not is_holding(small.settings, by_hand.pid)


def test_dbt_by_hand_whose_watcher_is_killed_leaves_no_statement_and_a_free_lock(
    small: Small, by_hand: subprocess.Popen[str]
) -> None:
    by_hand.kill()
    small.lakehouse.wait_until(lambda: not is_holding(small.settings, by_hand.pid), LIMIT_SECONDS)
    assert small.running() == []


def test_dbt_that_only_reads_does_not_wait_for_a_writer(small: Small, start: Start) -> None:
    holding(start, LIMIT_SECONDS)
    began = time.monotonic()
    assert run_dbt(["ls"], small.settings, small.project) == 0
    assert time.monotonic() - began < LIMIT_SECONDS / 2
