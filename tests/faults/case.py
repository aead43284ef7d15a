"""One topic, a stream into it, a series of strikes, and the judgement at the end."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import MappingProxyType

import psutil
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pyiceberg.exceptions import NoSuchTableError

from lander.catalog import open_catalog
from lander.table import NAMESPACE
from lander.topics import TOPICS_FOLDER
from stack.base.settings import Settings
from stack.clients.kafka import BROKER_TIME, TIME_SETTING, client_options
from tests.faults import broken, steps
from tests.faults.ledger import Stream
from tests.faults.network import TROUBLES, Way
from tests.faults.oracle import Finding, judge
from tests.faults.steps import CROWD, KILL, Strike
from tests.faults.transactions import TransactionalStream

PLAIN, TRANSACTIONAL = "plain", "transactional"
STREAMS: dict[str, type[Stream | TransactionalStream]] = {
    PLAIN: Stream,
    TRANSACTIONAL: TransactionalStream,
}
PARTITIONS = 3
BURST_MESSAGES = 250
# Small batches, so that each step is passed several times in a run.
SMALL_BATCHES = {"LANDING_COMMIT_ROWS": "60", "LANDING_COMMIT_SECONDS": "0.5"}
FROZEN_SECONDS = 8.0
RUN_SECONDS = 180.0
PAUSE_SECONDS = 0.02
# In a case's folder: there once the planned strike happened; what its landers say.
MARK, LOG = "mark", "log"
LOG_CHARACTERS = 20_000
GROUP_SHARE = 0.1
CROWD_LANDERS = 3
# A lander that ends with this code goes on when it is restarted, as the supervisor does.
FAILED = 1
RESTARTS = 3
# Kafka gives up a dead member after six seconds.
GROUP_SECONDS = 20.0
# At which passing of its step a lander is struck.
TIMES = (1, 1, 2)

# A fork of a process that has the lander in memory but no thread: quick, and as good as new.
LANDERS = multiprocessing.get_context("forkserver")
LANDERS.set_forkserver_preload(["lander.command", "tests.faults.case"])


@dataclass(frozen=True)
class Case:
    """A series of strikes on the landing of one topic.

    shares_group: all landers of the case are members of one consumer group, so that each waits
    for the group to give up the dead; else each has a group of its own and starts at once.
    build: a broken build of tests/faults/broken.py, or none. sender: PLAIN or TRANSACTIONAL.
    """

    number: int
    seed: int
    strikes: tuple[Strike, ...]
    shares_group: bool = False
    build: str = ""
    sender: str = PLAIN


@dataclass(frozen=True)
class Verdict:
    """How a case ended. struck: those of its strikes that happened; trouble: what else was wrong.

    is_repeatable: a further run of the lander changed nothing; restarts: how often a lander gave
    up and was restarted.
    """

    case: Case
    struck: tuple[Strike, ...]
    finding: Finding
    is_repeatable: bool
    trouble: str
    restarts: int = 0

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing duplicated, and a lander that came back each time."""
        return self.finding.is_good and self.is_repeatable and not self.trouble


class Grounds:
    """The folder, topic and processes of one case."""

    def __init__(self, settings: Settings, case: Case, folder: Path) -> None:
        self.settings, self.case, self.folder = settings, case, folder
        self.topic = folder.name
        self.restarts = 0
        self._started: list[BaseProcess] = []
        text = (TOPICS_FOLDER / "telemetry_raw.yml").read_text(encoding="utf-8")
        (folder / f"{self.topic}.yml").write_text(
            text.replace("topic: telemetry_raw", f"topic: {self.topic}"), encoding="utf-8"
        )

    def start(
        self,
        strike: Strike | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        words: Sequence[str] = (),
    ) -> BaseProcess:
        """Start a lander that ends once it has landed what Kafka holds now."""
        member = "all" if self.case.shares_group else uuid.uuid4().hex
        group, changes = f"{self.topic}-{member}", SMALL_BATCHES | dict(environment)
        process = LANDERS.Process(
            target=be_lander,
            args=(self.folder, group, words, changes),
            kwargs={"build": self.case.build, "strike": strike},
        )
        process.start()
        self._started.append(process)
        return process

    def land(self, *words: str) -> int | None:
        """Run a lander that nothing strikes; its exit code, None if it did not end."""
        process = self.start(words=words)
        process.join(RUN_SECONDS)
        return process.exitcode

    def run(self) -> str:
        """Run a lander that nothing strikes; what went wrong."""
        code = self.land()
        return "" if code == 0 else f"a lander ended with {code}"

    def suffer(self, strike: Strike) -> tuple[bool, str]:
        """Run a lander that is struck; whether it was, and what went wrong besides."""
        mark = self.folder / MARK
        mark.unlink(missing_ok=True)
        with ExitStack() as stack:
            way = None
            if strike.what in TROUBLES:
                way = stack.enter_context(Way(self.settings, strike.what, mark))
            process = self.start(strike, way.environment() if way else {})
            landers = [process, *self._meanwhile(process, strike, mark)]
            codes = [self._end_of(lander) for lander in landers]
        was_struck = mark.exists() and (way is None or way.was_met)
        wanted = [-signal.SIGKILL if strike.what == KILL and was_struck else 0]
        trouble = f"{strike}: landers ended with {codes}, wanted {wanted}"
        return was_struck, "" if codes == wanted + [0] * (len(codes) - len(wanted)) else trouble

    def _end_of(self, lander: BaseProcess) -> int | None:
        """How a lander ended; one that gave up is restarted some times."""
        lander.join(RUN_SECONDS)
        code = lander.exitcode
        for _ in range(RESTARTS):
            if code != FAILED:
                break
            self.restarts += 1
            code = self.land()
        return code

    def _meanwhile(self, process: BaseProcess, strike: Strike, mark: Path) -> list[BaseProcess]:
        """The landers that are started while the struck one runs or stands still."""
        if strike.what == CROWD:
            wait_until(lambda: mark.exists() or not process.is_alive(), RUN_SECONDS)
            return [self.start() for _ in range(CROWD_LANDERS)]
        wait_until(lambda: is_stopped(process) or not process.is_alive(), RUN_SECONDS)
        if not is_stopped(process):
            return []
        other = self.start()
        # It may wait for what the frozen one holds: it need not end before that goes on.
        other.join(FROZEN_SECONDS)
        psutil.Process(process.pid).resume()
        return [other]

    def end(self) -> None:
        """End what still runs; drop the table and the topic."""
        for process in self._started:
            if process.is_alive():
                process.kill()
        with suppress(NoSuchTableError):
            open_catalog(self.settings).purge_table((NAMESPACE, self.topic))
        admin = AdminClient(client_options(self.settings))
        admin.delete_topics([self.topic])[self.topic].result(30)
        wait_until(lambda: not left_groups(admin, self.topic), GROUP_SECONDS)


def left_groups(admin: AdminClient, topic: str) -> list[str]:
    """Delete the consumer groups of a case; those that still wait for a dead member are left."""
    listed = admin.list_consumer_groups().result(30).valid
    names = [group.group_id for group in listed if group.group_id.startswith(f"{topic}-")]
    deleted = admin.delete_consumer_groups(names) if names else {}
    return [name for name, future in deleted.items() if future.exception(30)]


def be_lander(
    folder: Path,
    group: str,
    words: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    build: str = "",
    strike: Strike | None = None,
) -> None:
    """Be a lander of the folder's topics: of a build, where one is named, waiting to be struck."""
    from lander import command, consumer  # noqa: PLC0415 (its functions are replaced first)

    with (folder / LOG).open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ |= environment
    consumer.GROUP = group
    if build:
        broken.BUILDS[build]()
    if strike:
        steps.arm(strike, folder / MARK)
    os._exit(command.main(["--topics-folder", str(folder), "--until-caught-up", *words]))


@contextmanager
def grounds_of(settings: Settings, case: Case) -> Iterator[Grounds]:
    """The grounds of a case, with its topic; both are gone afterwards."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / f"faults_{case.seed}_{case.number}_{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        grounds = Grounds(settings, case, folder)
        admin = AdminClient(client_options(settings))
        # As setup makes the declared ones.
        topic = NewTopic(grounds.topic, PARTITIONS, 1, config={TIME_SETTING: BROKER_TIME})
        admin.create_topics([topic])[grounds.topic].result(30)
        try:
            yield grounds
        finally:
            grounds.end()


def run_case(settings: Settings, case: Case) -> Verdict:
    """Play a case and judge it."""
    numbers = random.Random(f"{case.seed}/{case.number}")
    struck: list[Strike] = []
    troubles: list[str] = []
    with grounds_of(settings, case) as grounds:
        with STREAMS[case.sender](settings, grounds.topic, numbers) as stream:
            for strike in case.strikes:
                stream.burst(BURST_MESSAGES)
                was_struck, trouble = grounds.suffer(strike)
                struck += [strike] if was_struck else []
                troubles += [trouble] if trouble else []
        troubles += filter(None, [grounds.run()])
        finding = judge(settings, grounds.topic, stream.ledger)
        troubles += filter(None, [grounds.run()])
        again = judge(settings, grounds.topic, stream.ledger)
        if troubles:
            troubles.append((grounds.folder / LOG).read_text(encoding="utf-8")[-LOG_CHARACTERS:])
    is_repeatable = again == finding
    return Verdict(
        case, tuple(struck), finding, is_repeatable, "\n".join(troubles), grounds.restarts
    )


def plan(seed: int, number: int, count: int, whats: Sequence[str], build: str = "") -> Case:
    """The case of a number: its strikes follow from the seed alone."""
    numbers = random.Random(f"{seed}/{number}/plan")
    strikes = tuple(
        Strike(numbers.choice(list(steps.STEPS)), numbers.choice(TIMES), numbers.choice(whats))
        for _ in range(count)
    )
    shares_group = build in broken.NEED_A_GROUP or numbers.random() < GROUP_SHARE
    return Case(number, seed, strikes, shares_group, build)


def is_stopped(process: BaseProcess) -> bool:
    """Whether a process stands still."""
    try:
        return bool(psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False


def wait_until(is_true: Callable[[], bool], seconds: float) -> None:
    """Poll a condition to a limit."""
    end = time.monotonic() + seconds
    while not is_true() and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
