"""Make Java's ahead-of-time caches of Trino and Kafka, once per machine and version.

Java records what a run loads, links and executes, and makes the cache of that record in a second
run. Recorded is another Trino, another Kafka beside the stack's: at the lowest priority, with a
small heap, in a folder and on ports of its own. It reads; it changes nothing.

`python -m stack.modes.training` is a program of the supervisor, which setup starts at its end. So a
stop of the stack ends it as it ends every other.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from stack.base import caller
from stack.base.settings import Settings, load_settings
from stack.base.text import Say
from stack.clients.trino import client
from stack.programs import kafka, trino
from stack.programs.class_cache import ClassCache
from stack.programs.paths import Paths, paths_of
from stack.programs.ports import free_ports
from stack.programs.service import Service
from stack.programs.supervision import python_service
from stack.provision import ready

NAME = "training"
# So long after setup: the demo and the first visitors come before.
DELAY_SECONDS = 180.0
LOWEST_PRIORITY = 19
HEAP = "1g"
# What the runs take beside the stack: a heap and Java's own; the record, the cache and a reserve.
FREE_MEMORY_BYTES = 2_500_000_000
FREE_DISK_BYTES = 2_000_000_000
START_SECONDS, END_SECONDS, WRITE_SECONDS = 900.0, 300.0, 900.0
PAUSE_SECONDS = 1.0
# Folders of runs that were killed are deleted by the next.
PREFIX = ".training-"
SHOWN_LOG = 2000
# The master data and an empty increment of it, joined, ordered, counted; and each catalog's tables.
QUESTIONS = (
    "select count(*) from iceberg.information_schema.columns",
    "select count(*) from postgresql.information_schema.columns",
    """
    with numbered as (
        select *, row_number() over (partition by customer_id order by device_id) as place
        from postgresql.public.device_master
    ),
    messages as (
        select device_id, json_extract_scalar(json_format(json '{"kwh": 1.5}'), '$.kwh') as kwh
        from numbered cross join unnest(sequence(1, 500)) as numbers (n)
    )
    select customer_id, date '2025-01-01' as day, count(*), sum(cast(kwh as decimal(18, 6)))
    from numbered
    left join messages on messages.device_id = numbered.device_id
    where numbered.place > 0
    group by 1, 2
    order by 1
    """,
)


@dataclass(frozen=True)
class Trainee:
    """A program that has a cache, and how it is run.

    ask: asks what it is asked at first; raises while it does not answer.
    """

    name: str
    cache: Callable[[Paths], ClassCache]
    prepare: Callable[[Settings, Paths], None]
    service: Callable[[Settings, Paths], Service]
    ask: Callable[[Settings], None]


def ask_trino(settings: Settings) -> None:
    """Ask Trino for the kinds of work that rounds and pages ask for first."""
    operator = client(settings)
    for question in QUESTIONS:
        operator.rows(question)


def trino_with_g1(settings: Settings, paths: Paths) -> Service:
    """Trino as a machine with many processors runs it, on all machines.

    With the serial collector Java 25 crashes as it writes the record, and no cache is made. It uses
    the cache of a Trino with G1.
    """
    return trino.service(settings, paths, collector=[])


TRAINEES = (
    Trainee("kafka", kafka.cache, kafka.prepare, kafka.service, ready.ask_kafka),
    Trainee("trino", trino.cache, trino.prepare, trino_with_g1, ask_trino),
)


def service(settings: Settings) -> Service:
    """The training as a program of the supervisor."""
    name = "stack.modes.training"
    return replace(python_service(NAME, [name], settings, stop_seconds=10), is_once=True)


def missing(settings: Settings) -> list[Trainee]:
    """The programs without a cache that fits.

    None beside a secure stack: a Trino in training asks nobody for a password, and reads its data.
    """
    if settings.secure:
        return []
    paths = paths_of(settings)
    return [each for each in TRAINEES if not each.cache(paths).files()]


def lacks(cache: Path) -> str:
    """The reason why there is no room for a cache; empty where there is."""
    if psutil.virtual_memory().available < FREE_MEMORY_BYTES:
        return f"less than {FREE_MEMORY_BYTES / 1e9:.1f} GB of memory are free"
    if shutil.disk_usage(cache).free < FREE_DISK_BYTES:
        return f"less than {FREE_DISK_BYTES / 1e9:.1f} GB are free in {cache}"
    return ""


def train(settings: Settings, say: Say) -> None:
    """Make each missing cache, unless another stack of this user is at it."""
    paths = paths_of(settings)
    with (paths.cache / f"{PREFIX}lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another stack makes the caches")
            return
        for left in paths.cache.glob(f"{PREFIX}*/"):
            shutil.rmtree(left, ignore_errors=True)
        for trainee in missing(settings):
            if reason := lacks(paths.cache):
                say(f"no cache for {trainee.name}: {reason}")
            else:
                make(trainee, settings, say)


def make(trainee: Trainee, settings: Settings, say: Say) -> None:
    """Run one program in a folder of its own and keep the cache that Java makes of that."""
    began = time.monotonic()
    cache = trainee.cache(paths_of(settings))
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=cache.folder) as name:
        folder = Path(name)
        record, made = folder / "record", folder / "cache.aot"
        run = Run(trainee, settings_of_a_run(settings), replace(paths_of(settings), state=folder))
        if run.record(record) and run.create(record, made):
            cache.keep(made)
            say(f"cache for {trainee.name} made in {time.monotonic() - began:.0f} s")
        else:
            say(f"no cache for {trainee.name}: {run.last_log()}")


def ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a program ends by itself in this time."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        return True
    return False


def settings_of_a_run(settings: Settings) -> Settings:
    """The stack's settings for services beside its own, which ask nobody for a password."""
    trino_port, kafka_port, controller_port = free_ports(3)
    return replace(
        settings,
        secure=False,
        trino_host="localhost",
        trino_port=trino_port,
        trino_heap=HEAP,
        kafka_port=kafka_port,
        kafka_controller_port=controller_port,
        kafka_bind_address="127.0.0.1",
        kafka_advertised_host="localhost",
        kafka_bootstrap_servers=f"localhost:{kafka_port}",
    )


class Run:
    """The two runs of a program: one recorded, one that makes the cache."""

    def __init__(self, trainee: Trainee, settings: Settings, paths: Paths) -> None:
        self._trainee, self._settings, self._paths = trainee, settings, paths
        self._log = paths.state / "log"
        trainee.prepare(settings, paths)

    def record(self, record: Path) -> bool:
        """Start the program, ask, end it in order; say whether Java wrote its record."""
        with self._started("record", AOTConfiguration=record) as process:
            if self._asked(process):
                process.terminate()
                return ended_within(process, END_SECONDS) and record.exists()
        return False

    def create(self, record: Path, made: Path) -> bool:
        """Have Java make the cache; say whether it did."""
        with self._started("create", AOTConfiguration=record, AOTCache=made) as process:
            is_done = ended_within(process, WRITE_SECONDS) and process.returncode == 0
            return is_done and made.exists()

    def last_log(self) -> str:
        """The end of what Java said last."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-SHOWN_LOG:]

    def _asked(self, process: subprocess.Popen[bytes]) -> bool:
        """Ask until the program answers; false if it ends or takes too long."""
        end = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < end:
            try:
                self._trainee.ask(self._settings)
            # As stack/provision/ready.py: a service that starts fails in ways of its own.
            except Exception:
                time.sleep(PAUSE_SECONDS)
            else:
                return True
        return False

    @contextmanager
    def _started(self, mode: str, **files: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A run that has ended afterwards, whatever happens."""
        self._trainee.cache(self._paths).write_options(AOTMode=mode, **files)
        service = self._trainee.service(self._settings, self._paths)
        environment = {**caller.service_environment(), **service.environment}
        with (
            self._log.open("wb") as log,
            subprocess.Popen(
                service.command,
                cwd=service.directory,
                env=environment,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()


def main() -> int:
    """Wait, then train at the lowest priority; SIGTERM ends it with what it started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.nice(LOWEST_PRIORITY)
    time.sleep(DELAY_SECONDS)
    train(load_settings(), lambda text: print(text, flush=True))  # noqa: T201
    return 0


if __name__ == "__main__":
    caller.clear()
    sys.exit(main())
