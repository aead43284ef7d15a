"""Run dbt in a process of its own that is watched, and stopped without leaving a statement."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import NoReturn

WATCH_SECONDS = 0.5
# dbt cancels its statements on SIGINT; what it does not finish in this time is killed.
STOP_SECONDS = 45.0
# What cleans up behind a dead parent ends by then; the next writer looks again anyway.
CLEAN_UP_SECONDS = 120
PAUSE_SECONDS = 0.05
PR_SET_PDEATHSIG = 1
# Exit code of a process that SIGINT ended, as shells count it.
INTERRUPTED = 130

# A fork, not a new interpreter: the child has dbt and the parsed project in memory, and whatever
# dbt leaks ends with it. The parent has one thread, so the fork finds no lock taken. The child
# also keeps the database session of the one-writer lock open until it has ended itself.
FORK = multiprocessing.get_context("fork")


class StopRequest:
    """Whether this process was asked to end, and how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> bool:
        """Whether an end was asked for."""
        return self.count > 0

    def note(self, number: int, frame: FrameType | None) -> None:
        """A signal handler that only counts."""
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


def start(work: Callable[[], None], clean_up: Callable[[], None]) -> BaseProcess:
    """Start a child that does the work; it ends on SIGINT and when its parent dies.

    clean_up: done after the child's end if its parent has died, else left to the parent, which
    knows more.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    process = FORK.Process(target=run_as_child, args=(work, clean_up, os.getpid()))
    # Held back until the child can handle it: none is lost while it comes up.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    return process


def run_as_child(work: Callable[[], None], clean_up: Callable[[], None], parent: int) -> None:
    """Be the child: a terminal's Ctrl+C reaches the parent only, which passes it on once."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        # dbt's own cancelling waits for its threads: without a parent nobody would end that wait.
        if os.getppid() != parent:
            hand_over(clean_up)
        raise KeyboardInterrupt

    os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, interrupt)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        end_with_parent(parent)
        work()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        if os.getppid() != parent:
            hand_over(clean_up)


def hand_over(clean_up: Callable[[], None]) -> NoReturn:
    """End this process and leave a copy of it that cleans up once it is gone.

    Threads of dbt may send a statement until the very end of this process; the copy has none.
    The copy also keeps the database session of the one-writer lock open until it has ended.
    """
    ending = os.getpid()
    # The reader of our output may have died with the parent.
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    if os.fork():
        os._exit(INTERRUPTED)
    try:
        # A lock that a thread held at the fork stays taken in the copy: it must end all the same.
        signal.alarm(CLEAN_UP_SECONDS)
        while os.getppid() == ending:
            time.sleep(PAUSE_SECONDS)
        clean_up()
    finally:
        os._exit(0)


def end_with_parent(parent: int) -> None:
    """Have Linux send SIGINT when the parent dies, so that no dbt goes on without a watcher."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        raise KeyboardInterrupt


def watch(
    process: BaseProcess, is_stop_wanted: Callable[[], bool], look_after: Callable[[], None]
) -> bool:
    """Wait for the child's end; return whether it came by itself.

    look_after is called all the while. A wanted stop, or an exception from it, ends the child.
    """
    try:
        while process.is_alive():
            if is_stop_wanted():
                return False
            look_after()
            process.join(WATCH_SECONDS)
        return True
    finally:
        stop(process)


def stop(process: BaseProcess) -> None:
    """End the child, if it still runs: politely, then by force."""
    if process.is_alive() and process.pid:
        os.kill(process.pid, signal.SIGINT)
        process.join(STOP_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
