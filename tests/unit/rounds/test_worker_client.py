"""The runner and its worker understand each other, whatever becomes of the worker."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from stack.base.errors import RetriableError
from stack.rounds import worker_client
from stack.rounds.outcome import ModelResult
from stack.rounds.protocol import Receiver
from stack.rounds.worker_client import DbtAnswer, DbtCommand, Watch, Worker, take
from stack.writing.lock import WriterLock
from tests.unit.rounds.programs import MODULE, is_gone, wait_until


@dataclass
class Lock:
    """A lock whose session is a socket to nowhere."""

    session: socket.socket
    is_lost: Callable[[], bool] = lambda: False

    def fileno(self) -> int:
        """The socket."""
        return self.session.fileno()

    def glance(self) -> None:
        """Look as check() does."""
        self.check()

    def check(self) -> None:
        """Raise as a lost lock does."""
        if self.is_lost():
            raise RetriableError("the lock", "lost", "run again")


@dataclass
class Told:
    """What a watch was told of."""

    models: list[ModelResult] = field(default_factory=list)
    read: list[float] = field(default_factory=list)
    beats: list[int] = field(default_factory=list)


@pytest.fixture
def lock() -> Iterator[Lock]:
    with socket.socket() as session:
        yield Lock(session)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(["be_worker", str(tmp_path)], {}, MODULE)
    with closing(made):
        yield made


def command(*words: str) -> DbtCommand:
    return DbtCommand(words, "files", {"PROJECT_DIGEST": "files"})


def watch(lock: Lock, told: Told | None = None, is_stop_wanted: bool = False) -> Watch:
    told = told or Told()
    return Watch(
        cast(WriterLock, lock),
        lambda: is_stop_wanted,
        lambda: told.beats.append(1),
        told.models.append,
        told.read.append,
    )


def model(name: str, status: str) -> ModelResult:
    return ModelResult(name, status, 1.0, "m" * 100_000)


def test_events_of_a_command_are_told_and_answered(worker: Worker, lock: Lock) -> None:
    told = Told()
    answer = worker.ask(command("read", "model:a:success", "model:b:error"), watch(lock, told))
    assert answer == DbtAnswer((model("a", "success"), model("b", "error")))
    assert (told.models, told.read) == (list(answer.models), [2.5])
    assert told.beats


def test_progress_of_models_that_ended_well_is_told(worker: Worker, lock: Lock) -> None:
    told: list[Mapping[str, object]] = []
    watching = replace(watch(lock), on_progress=told.append)
    worker.ask(command("model:a:success", "model:b:error", "model:c:skipped"), watching)
    assert told == [{"table": "a"}]


@pytest.mark.parametrize(("is_awaited", "expected"), [(True, ["a"]), (False, [])])
def test_recorded_progress_is_answered_where_it_is_awaited(
    lock: Lock, is_awaited: bool, expected: list[str]
) -> None:
    content = {"event": "model", "name": "a", "status": "success", "seconds": 1.0, "message": ""}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        note = {"table": "a", "is_awaited": is_awaited}
        take(content | {"progress": note}, [], watch(lock), ours)
        answers = Receiver(theirs).receive(0.1)
    assert [answer.content["recorded"] for answer in answers] == expected


def test_worker_is_killed_when_progress_cannot_be_recorded(worker: Worker, lock: Lock) -> None:
    def refuse(note: Mapping[str, object]) -> None:
        raise RetriableError("load 1", "load 2", "run again")

    watching = replace(watch(lock), on_progress=refuse)
    answer = worker.ask(command("model:a:success", "hang"), watching)
    assert answer.is_dead
    assert "load 2" in answer.error
    assert worker.pid is None
    # A lock that is lost by then leaves nothing to clean up: other statements may be running.
    watching.on_progress = lose(lock)
    with pytest.raises(RetriableError, match="lost"):
        worker.ask(command("model:a:success", "hang"), watching)
    assert worker.pid is None


def lose(lock: Lock) -> Callable[[Mapping[str, object]], None]:
    """Recording that finds the lock gone."""

    def record(note: Mapping[str, object]) -> None:
        lock.is_lost = lambda: True
        lock.check()

    return record


def test_second_command_finds_the_same_worker(worker: Worker, lock: Lock) -> None:
    worker.ask(command("model:a:success"), watch(lock))
    first = worker.pid
    assert worker.ask(command("model:b:success"), watch(lock)).models == (model("b", "success"),)
    assert worker.pid == first


def test_lock_goes_with_the_command_and_its_environment_too(
    worker: Worker, lock: Lock, tmp_path: Path
) -> None:
    worker.ask(command(), watch(lock))
    own = str(Path(f"/proc/self/fd/{lock.fileno()}").readlink())
    assert (tmp_path / "lock").read_text() == own
    assert (tmp_path / "environment").read_text() == "{'PROJECT_DIGEST': 'files'}"


def test_worker_that_dies_fails_its_command_only(worker: Worker, lock: Lock) -> None:
    answer = worker.ask(command("model:a:success", "die"), watch(lock))
    assert answer.is_dead
    assert answer.models == (model("a", "success"),)
    assert answer.error == "dbt exited without a result (code -9)"
    assert worker.ask(command(), watch(lock)) == DbtAnswer()


def test_worker_that_died_between_two_commands_is_replaced(worker: Worker, lock: Lock) -> None:
    worker.ask(command(), watch(lock))
    first = worker.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: worker.pid is None)
    assert worker.ask(command(), watch(lock)) == DbtAnswer()
    assert worker.pid not in {None, first}


def test_worker_is_interrupted_when_a_stop_is_wanted(worker: Worker, lock: Lock) -> None:
    answer = worker.ask(command("hang"), watch(lock, is_stop_wanted=True))
    assert answer == DbtAnswer(is_stopped=True, is_dead=True)
    assert worker.pid is None


def test_what_ended_well_before_a_stop_is_told(worker: Worker, lock: Lock, tmp_path: Path) -> None:
    told: list[Mapping[str, object]] = []
    watching = replace(
        watch(lock), is_stop_wanted=(tmp_path / "at work").exists, on_progress=told.append
    )
    answer = worker.ask(command("model:a:success", "last:b:success"), watching)
    assert (answer.is_stopped, answer.models) == (
        True,
        (model("a", "success"), model("b", "success")),
    )
    assert told == [{"table": "a"}, {"table": "b"}]
    assert worker.pid is None


def test_worker_is_killed_when_the_lock_is_lost(worker: Worker, lock: Lock, tmp_path: Path) -> None:
    lock.is_lost = (tmp_path / "at work").exists
    with pytest.raises(RetriableError, match="lost"):
        worker.ask(command("hang"), watch(lock))
    assert worker.pid is None


def test_worker_that_has_grown_too_big_is_replaced(worker: Worker, lock: Lock) -> None:
    assert worker_client.MEMORY_MB < 1e6
    assert worker.ask(command("big"), watch(lock)) == DbtAnswer()
    assert worker.pid is None
    assert worker.ask(command(), watch(lock)) == DbtAnswer()


def test_closed_worker_ends(worker: Worker, lock: Lock) -> None:
    worker.ask(command(), watch(lock))
    pid = worker.pid
    assert pid is not None
    worker.close()
    assert is_gone(pid)
