"""The steps in the life of a batch, and what strikes a lander when it comes to one of them."""

from __future__ import annotations

import functools
import inspect
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import psutil
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from lander.table import NAMESPACE
from stack.base.settings import Settings, load_settings
from stack.clients.kafka import client_options
from stack.clients.postgres import CATALOG
from tests.faults.network import TROUBLES
from tests.integration.actors import Actors
from tests.postgres import admin_connection

KILL, FREEZE = "kill", "freeze"
SERVICES = ("kafka", "postgres", "minio")
# Of the topic and its landing: partitions added, the catalog put back, more landers, a wrong clock.
GROW, RESTORE, CROWD, AHEAD, BEHIND = TURNS = (
    "more partitions",
    "catalog restored",
    "crowd",
    "clock ahead",
    "clock behind",
)
KAFKA_STILL, KAFKA_CUT = "kafka still", "kafka cut"
STILL_SECONDS = 10
CUT_SECONDS = 4.0
LOOK_SECONDS = 0.05
RESTORE_SECONDS = 2.0
DAY = timedelta(days=1)
MOST_PARTITIONS = 12
RESTORE_SQL = """
update iceberg_tables set metadata_location = previous_metadata_location
where table_namespace = %s and table_name = %s and previous_metadata_location is not null
"""
COMMIT = "lander.table:IcebergTable.commit"


@dataclass(frozen=True)
class Step:
    """A call in the lander's work. is_after: struck when it has been done, else just before.

    in_commit: it counts only while a batch is committed; needs_rows: only if it returned some.
    """

    function: str
    is_after: bool
    in_commit: bool = False
    needs_rows: bool = False


STEPS = {
    "messages consumed": Step("lander.consumer:KafkaReader.read", True, needs_rows=True),
    "messages parsed": Step("lander.batch:columns_of", True),
    "commit begun": Step(COMMIT, False),
    "file half written": Step("lander.table:fitted", True),
    "file uploaded": Step("lander.table:write_data_file", True),
    "catalog asked": Step("pyiceberg.catalog.sql:SqlCatalog.commit_table", False, in_commit=True),
    "metadata uploaded": Step(
        "pyiceberg.catalog:MetastoreCatalog._write_metadata", True, in_commit=True
    ),
    "catalog row changed": Step("sqlalchemy.orm:Session.commit", False, in_commit=True),
    "committed": Step("pyiceberg.catalog.sql:SqlCatalog.commit_table", True, in_commit=True),
    "group offsets due": Step("lander.consumer:KafkaReader.commit", False),
    "group offsets sent": Step("lander.consumer:KafkaReader.commit", True),
}


@dataclass(frozen=True)
class Strike:
    """What happens when a lander comes to a step for the nth time.

    what: KILL or FREEZE of the lander itself, the name of a service that is killed, a trouble of
    its way to a service, KAFKA_STILL, KAFKA_CUT, or one of TURNS.
    """

    step: str
    nth: int
    what: str

    def __str__(self) -> str:
        return f"{self.what} at {self.step} ({self.nth})"


def strike(what: str, mark: Path) -> None:
    """Do it; the mark tells the outside that the step was reached. Its folder is the topic's."""
    settings, topic = load_settings(), mark.parent.name
    if what == KAFKA_CUT and not cut_off(settings.kafka_port):
        # There was no connection to cut, and so no strike.
        return
    mark.touch()
    if what == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == FREEZE:
        os.kill(os.getpid(), signal.SIGSTOP)
    elif what in SERVICES:
        Actors(settings).kill(what)
    elif what == KAFKA_STILL:
        hold_still(settings, "kafka")
    elif what == GROW:
        grow(settings, topic)
    elif what == RESTORE:
        restore(settings, topic)
    elif what in {AHEAD, BEHIND}:
        replace("lander.clock:SystemClock.now", functools.partial(shifted, what == AHEAD))
    else:
        assert what in TROUBLES or what in {CROWD, KAFKA_CUT}, what


def hold_still(settings: Settings, service: str) -> None:
    """Freeze a service for a while: to all it talks to, the network swallows every word."""
    pid = Actors(settings).pids()[service]
    # A process of its own, which comes to its end whatever becomes of this one.
    words = ["sh", "-c", f"kill -STOP {pid}; sleep {STILL_SECONDS}; kill -CONT {pid}"]
    subprocess.Popen(words, start_new_session=True)


def cut_off(port: int) -> int:
    """End this process's connections to a port, for a while new ones too; how many there were."""

    def keep_off() -> None:
        end = time.monotonic() + CUT_SECONDS
        while time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
            shut_all(port)

    count = shut_all(port)
    threading.Thread(target=keep_off, daemon=True).start()
    return count


def shut_all(port: int) -> int:
    """End this process's connections to a port for both sides; how many there were."""
    count = 0
    for connection in psutil.Process().net_connections("tcp"):
        if not connection.raddr or connection.raddr.port != port:
            continue
        # Its owner closes it whenever it likes, and the number may be another connection's by now.
        with suppress(OSError), closing(socket.socket(fileno=os.dup(connection.fd))) as own:
            if own.getpeername()[1] == port:
                own.shutdown(socket.SHUT_RDWR)
                count += 1
    return count


def grow(settings: Settings, topic: str) -> None:
    """Double the topic's partitions, up to a limit."""
    admin = AdminClient(client_options(settings))
    count = 2 * len(admin.list_topics(topic, 10).topics[topic].partitions)
    if count <= MOST_PARTITIONS:
        admin.create_partitions([NewPartitions(topic, count)])[topic].result(30)


def restore(settings: Settings, topic: str) -> None:
    """Put the landing table's row in the catalog back by one commit, as an older backup does."""

    def put_back() -> None:
        with closing(admin_connection(settings, CATALOG)) as connection, connection:
            connection.cursor().execute(RESTORE_SQL, (NAMESPACE, topic))

    # Where the lander itself has the row in its hands, this waits for the end of its commit.
    thread = threading.Thread(target=put_back)
    thread.start()
    thread.join(RESTORE_SECONDS)


def shifted(is_ahead: bool, now: Callable[[Any], datetime]) -> Callable[[Any], datetime]:
    """A clock that is a day wrong."""
    return lambda clock: now(clock) + (DAY if is_ahead else -DAY)


def arm(planned: Strike, mark: Path) -> None:
    """Have this process struck as planned. For a process of its own: functions are replaced."""
    step = STEPS[planned.step]
    commits: list[int] = []
    if step.in_commit:
        replace(COMMIT, lambda commit: noted(commit, commits))
    count = 0

    def reached(result: Any = None) -> None:
        nonlocal count
        if (step.in_commit and not commits) or (step.needs_rows and not len(result)):
            return
        count += 1
        if count == planned.nth:
            strike(planned.what, mark)

    def struck(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            if not step.is_after:
                reached()
            result = function(*arguments, **options)
            if step.is_after:
                reached(result)
            return result

        return call

    replace(step.function, struck)


def noted(function: Callable[..., Any], running: list[int]) -> Callable[..., Any]:
    """The function, with an entry in `running` for as long as it runs."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        running.append(1)
        try:
            return function(*arguments, **options)
        finally:
            running.pop()

    return call


def replace(name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put a changed function in the place of `module:Class.function` or `module:function`."""
    module, _, path = name.partition(":")
    *parents, last = path.split(".")
    owner = resolve_name(f"{module}:{'.'.join(parents)}") if parents else resolve_name(module)
    before = inspect.getattr_static(owner, last)
    if isinstance(before, staticmethod):
        setattr(owner, last, staticmethod(change(before.__func__)))
    else:
        setattr(owner, last, change(before))
