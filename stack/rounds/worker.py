"""Be dbt's worker: load dbt once, keep the parsed project, run one command after the other.

Started as `python -m stack.rounds.worker CHANNEL TRINO_USER` by worker_client.py. It ends on
SIGINT, and when its channel closes.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from stack.base.errors import RetriableError
from stack.base.settings import load_settings
from stack.rounds import protocol
from stack.rounds.lifeline import end_orphaned, ordinary_signals
from stack.rounds.program import INTERRUPTED
from stack.rounds.protocol import Message, Receiver
from stack.writing import statements

# Error texts are shown in one log line each; dbt's are cut beyond this.
MESSAGE_CHARACTERS = 2000
KIB = 1024
# How macro record_progress begins its line, and dbt's names for lines of macros.
NOTE = "meterhouse.progress "
LOGGED = {"JinjaLogDebug", "JinjaLogInfo"}
STATM = Path("/proc/self/statm")
# The runner's own attempts at the object store and PostgreSQL end long before.
RECORD_SECONDS = 120.0


class Recorded:
    """The tables whose progress the runner has recorded in this command."""

    def __init__(self) -> None:
        self._tables, self._is_over = set[str](), False
        self._changed = threading.Condition()

    def begin(self) -> None:
        """Forget what an earlier command recorded."""
        with self._changed:
            self._tables.clear()

    def add(self, table: str) -> None:
        """Note a table."""
        with self._changed:
            self._tables.add(table)
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody wait any more: the runner has died."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def wait_for(self, table: str) -> None:
        """Wait for a table. Raises RetriableError if it is not recorded: its model has failed."""
        with self._changed:
            self._changed.wait_for(lambda: table in self._tables or self._is_over, RECORD_SECONDS)
            if table not in self._tables:
                raise RetriableError(
                    f"the progress of {table} recorded by the runner",
                    "no answer of it",
                    "the next round does it again",
                )


class Commands:
    """Commands as they come, and the end of the process when its runner has died.

    trino: where the statements of a command that was under way are ended. recorded: told of what
    the runner has recorded meanwhile.
    """

    def __init__(
        self, channel: socket.socket, trino: statements.Coordinator, recorded: Recorded
    ) -> None:
        self._receiver, self._trino, self._recorded = Receiver(channel), trino, recorded
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._turn, self._is_idle = threading.Lock(), threading.Event()
        self._is_idle.set()
        self._is_orphan = False
        self._thread = threading.Thread(target=self._read, name="commands", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Message]:
        """Each command when it comes, to the end of the channel."""
        while (message := self._queue.get()) is not None:
            yield message

    def done(self, message: Message) -> None:
        """Note that a command has ended, well or not; the lock is the runner's alone again.

        An orphan keeps the lock until it has cleaned up.
        """
        with self._turn:
            if not self._is_orphan:
                message.close()
            self._is_idle.set()

    def leave(self) -> None:
        """Let the process end: an orphan only after it has cleaned up."""
        if self._is_orphan:
            self._thread.join()

    def _read(self) -> None:
        try:
            while True:
                for message in self._receiver.receive():
                    self._take(message)
        except EOFError:
            self._recorded.close()
            with self._turn:
                self._is_orphan = not self._is_idle.is_set()
            self._queue.put(None)
            if not self._is_orphan:
                return
            end_orphaned(self._is_idle, self._end_statements)

    def _take(self, message: Message) -> None:
        if table := message.content.get("recorded"):
            self._recorded.add(table)
            return
        self._recorded.begin()
        with self._turn:
            self._is_idle.clear()
        self._queue.put(message)

    def _end_statements(self) -> None:
        statements.settle(self._trino, lambda text: None, grace_seconds=0)


class Dbt:
    """dbt, loaded and with one project in memory.

    recorded: where a model waits until the runner has recorded its progress.
    """

    def __init__(self, channel: socket.socket, target: Path, recorded: Recorded) -> None:
        self._channel, self._sending, self._recorded = channel, threading.Lock(), recorded
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-use-colors"]
        folders = ["--target-path", str(target), "--log-path", str(target)]
        self._options = [*quiet, *folders, "--no-send-anonymous-usage-stats"]
        self._manifest: Any = None
        self._project = ""
        # What models have told of their progress: it counts once they have ended well.
        self._notes: dict[str, Any] = {}

    def serve(self, command: dict[str, Any]) -> str:
        """Run one command; the error that kept dbt itself from ending well, or nothing."""
        os.environ.update(command["environment"])
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 (it takes seconds and 100 MB)

        if self._project != command["project"] and (error := self._parse(command["project"])):
            return error
        # A copy: dbt notes in it what it has compiled, and goes by that where it finds it.
        runner = dbtRunner(self._manifest.deepcopy(), [self.on_event])
        return error_of(runner.invoke([*command["words"], *self._options]))

    def say(self, event: str, **facts: object) -> None:
        """Tell the runner. That it has died is for others to notice."""
        with self._sending, suppress(OSError):
            protocol.send(self._channel, {"event": event, **facts})

    def _parse(self, project: str) -> str:
        from dbt.cli.main import dbtRunner  # noqa: PLC0415 (see above)

        started_at = time.monotonic()
        answer = dbtRunner().invoke(["parse", *self._options])
        if not answer.success:
            return f"the dbt project cannot be read: {error_of(answer)}"
        self._manifest, self._project = answer.result, project
        self.say("read", seconds=time.monotonic() - started_at)
        return ""

    def on_event(self, event: Any) -> None:
        """Tell of a model's end, with its progress; dbt calls it with every event.

        dbt begins with the models after it once this returns, and skips them if it raises.
        """
        if event.info.name in LOGGED and event.data.msg.startswith(NOTE):
            self._notes[event.data.node_info.unique_id] = json.loads(event.data.msg[len(NOTE) :])
        if event.info.name != "NodeFinished":
            return
        node, result = event.data.node_info, event.data.run_result
        note = self._notes.pop(node.unique_id, None)
        self.say(
            "model",
            name=node.node_name,
            status=result.status,
            seconds=result.execution_time,
            message=result.message[:MESSAGE_CHARACTERS],
            progress=note,
        )
        if note and note.get("is_awaited") and result.status == "success":
            self._recorded.wait_for(note["table"])


def error_of(answer: Any) -> str:
    """What kept dbt from ending well, or nothing; failed models are told apart from it."""
    if isinstance(answer.exception, KeyboardInterrupt):
        raise answer.exception
    return str(answer.exception or "")[:MESSAGE_CHARACTERS]


def memory_mb() -> float:
    """Resident memory of this process; the most it ever was where Linux does not tell."""
    if STATM.exists():
        pages = int(STATM.read_text().split()[1])
        return pages * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB / 1e6


def main(words: list[str]) -> None:
    """Serve until the channel closes or SIGINT comes."""
    ordinary_signals()
    logging.getLogger("trino").setLevel(logging.WARNING)
    channel, settings = socket.socket(fileno=int(words[0])), load_settings()
    recorded = Recorded()
    dbt = Dbt(channel, settings.state_dir / "dbt" / "target", recorded)
    commands = Commands(channel, statements.writers(settings, words[1]), recorded)
    try:
        for command in commands:
            try:
                error = dbt.serve(command.content)
            finally:
                commands.done(command)
            dbt.say("end", error=error, memory_mb=memory_mb())
    finally:
        commands.leave()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
