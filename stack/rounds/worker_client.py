"""dbt's worker as the runner sees it: started when it is needed, watched, and replaced."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from stack.base.errors import RetriableError
from stack.rounds import program, protocol
from stack.rounds.outcome import ModelResult
from stack.rounds.program import Program
from stack.rounds.protocol import Receiver
from stack.writing.lock import WriterLock

MODULE = "stack.rounds.worker"
# dbt with this project takes about 165 MB, after thirty rounds as after the first; beyond this the
# next command gets a worker of its own.
MEMORY_MB = 320.0
CLOSE_SECONDS = 5.0


@dataclass(frozen=True)
class DbtCommand:
    """One command of dbt.

    project: fingerprint of its files; where it is another one than before, they are read again.
    environment: what dbt reads by env_var().
    """

    words: Sequence[str]
    project: str
    environment: Mapping[str, str]


@dataclass
class Watch:
    """What is kept in view while a command runs.

    on_model: told of each model that ends; on_read: of the seconds that reading the project took;
    on_progress: of what a model that ended well has done, before on_model.
    """

    lock: WriterLock
    is_stop_wanted: Callable[[], bool]
    beat: Callable[[], None]
    on_model: Callable[[ModelResult], None] = field(default=lambda model: None)
    on_read: Callable[[float], None] = field(default=lambda seconds: None)
    on_progress: Callable[[Mapping[str, Any]], None] = field(default=lambda note: None)

    def look_after(self) -> None:
        """Show a sign of life, and raise RetriableError if the lock is lost."""
        self.beat()
        self.lock.glance()


@dataclass(frozen=True)
class DbtAnswer:
    """What came of a command.

    is_stopped: it was ended because a stop was wanted. is_dead: the worker ended without a result,
    and may have left statements. error: what kept dbt itself from ending well, or nothing.
    """

    models: tuple[ModelResult, ...] = ()
    error: str = ""
    is_stopped: bool = False
    is_dead: bool = False


class Worker:
    """The worker of one stack.

    arguments, environment: of its program, `module`.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], module: str = MODULE
    ) -> None:
        self._arguments, self._environment, self._module = arguments, environment, module
        self._program: Program | None = None

    @property
    def pid(self) -> int | None:
        """The number of its process while one runs."""
        running = self._program is not None and self._program.is_running
        return self._program.process.pid if running and self._program else None

    def ask(self, command: DbtCommand, watch: Watch) -> DbtAnswer:
        """Run a command and wait for its end.

        Where progress cannot be recorded the worker is killed, and the answer says why. Raises
        RetriableError where the lock is lost, and what else watch raises; the worker is killed
        before.
        """
        worker, models = self._ready(), list[ModelResult]()
        receiver = Receiver(worker.channel)
        try:
            # One that has just died is found out when it answers nothing.
            with suppress(OSError):
                protocol.send(worker.channel, command.__dict__, [watch.lock.fileno()])
            while not watch.is_stop_wanted():
                watch.look_after()
                for message in receiver.receive(program.WATCH_SECONDS):
                    ending = take(message.content, models, watch, worker.channel)
                    if ending is not None:
                        return self._ended(tuple(models), ending)
            stop(worker, receiver, models, watch)
            return DbtAnswer(tuple(models), is_stopped=True, is_dead=True)
        except EOFError:
            code = worker.kill()
            error = f"dbt exited without a result (code {code})"
            return DbtAnswer(tuple(models), error, is_dead=True)
        except RetriableError as error:
            worker.kill()
            # Without the lock, statements that run now may be another writer's.
            watch.lock.check()
            return DbtAnswer(tuple(models), str(error), is_dead=True)
        except BaseException:
            worker.kill()
            raise

    def close(self) -> None:
        """End the worker, if there is one."""
        if self._program is not None:
            self._program.channel.close()
            self._program.wait(CLOSE_SECONDS)
            self._program.kill()
        self._program = None

    def _ready(self) -> Program:
        if self._program is None or not self._program.is_running:
            self.close()
            self._program = program.start(self._module, self._arguments, self._environment)
        return self._program

    def _ended(self, models: tuple[ModelResult, ...], ending: Mapping[str, Any]) -> DbtAnswer:
        if ending["memory_mb"] > MEMORY_MB:
            self.close()
        return DbtAnswer(models, ending["error"])


def stop(worker: Program, receiver: Receiver, models: list[ModelResult], watch: Watch) -> None:
    """End the worker: politely, taking in what it still tells, then by force.

    What a model that ended well has done must be recorded, or the next round does it again.
    """
    worker.interrupt()
    end = time.monotonic() + program.STOP_SECONDS
    with suppress(EOFError):
        while time.monotonic() < end:
            watch.look_after()
            for message in receiver.receive(program.WATCH_SECONDS):
                take(message.content, models, watch, worker.channel)
    worker.kill()


def take(
    content: dict[str, Any], models: list[ModelResult], watch: Watch, channel: socket.socket
) -> Mapping[str, Any] | None:
    """Take in one event; the last one is returned. channel: where recorded progress is awaited."""
    match content.pop("event"):
        case "model":
            note = content.pop("progress", None)
            models.append(ModelResult(**content))
            if note and models[-1].is_good:
                watch.on_progress(note)
                if note.get("is_awaited"):
                    # One that has just died is found out when it says nothing more.
                    with suppress(OSError):
                        protocol.send(channel, {"recorded": note["table"]})
            watch.on_model(models[-1])
        case "read":
            watch.on_read(content["seconds"])
        case "end":
            return content
    return None
