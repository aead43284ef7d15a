"""Start a program of our own that is watched, and end it without leaving a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from stack.base.root import PROJECT_ROOT
from stack.writing.lock import WriterLock

WATCH_SECONDS = 0.5
# dbt cancels its statements on SIGINT; what it does not finish in this time is killed.
STOP_SECONDS = 45.0
# Exit code of a process that SIGINT ended, as shells count it.
INTERRUPTED = 130


class StopRequest:
    """Whether this process was asked to end, and how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> bool:
        """Whether an end was asked for."""
        return self.count > 0

    def note(self, number: int, frame: FrameType | None) -> None:
        """Count a signal; do nothing else."""
        self.count += 1


@contextmanager
def noted_signals() -> Iterator[StopRequest]:
    """Within the block SIGTERM, SIGINT and SIGHUP are noted instead of ending the process."""
    request = StopRequest()
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.signal(number, request.note) for number in signals}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class Program:
    """A program in a process group of its own: a terminal's Ctrl+C reaches its watcher only.

    channel: our end of a pair of sockets. Once it is closed, by us or by our death, the program
    ends by itself (lifeline.py).
    """

    process: subprocess.Popen[bytes]
    channel: socket.socket

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def interrupt(self) -> None:
        """Ask it to end."""
        if self.is_running:
            self.process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """End it: politely, then by force."""
        self.interrupt()
        self.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> int:
        """End its process group at once, if it still runs; its exit code."""
        if self.is_running:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.channel.close()
        return self.process.wait()


def start(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    locks: Sequence[WriterLock] = (),
) -> Program:
    """Start `python -m module CHANNEL arguments`; CHANNEL is the number of its end's file.

    environment: besides our own. locks: their sockets are open in the program too, so that an
    orphan keeps them until it has ended.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    ours, theirs = socket.socketpair()
    channel = theirs.fileno()
    paths = [str(PROJECT_ROOT), os.environ.get("PYTHONPATH", "")]
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(channel), *arguments],
            env=os.environ | environment | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            pass_fds=[channel, *(lock.fileno() for lock in locks)],
            process_group=0,
        )
    return Program(process, ours)


def watch(
    program: Program, is_stop_wanted: Callable[[], bool], look_after: Callable[[], None]
) -> bool:
    """Wait for the program's end; return whether it came by itself.

    look_after is called all the while. A wanted stop ends the program politely, an exception from
    look_after, such as a lost lock, at once.
    """
    try:
        while program.is_running:
            if is_stop_wanted():
                program.stop()
                return False
            look_after()
            program.wait(WATCH_SECONDS)
        return True
    finally:
        program.kill()
