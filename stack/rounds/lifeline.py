"""End a watched program when its watcher has died, without leaving a statement."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from stack.base.errors import MeterhouseError
from stack.rounds.program import INTERRUPTED

# An orphan ends by then, whatever its threads do; the next writer looks for statements anyway.
CLEAN_UP_SECONDS = 120.0
PAUSE_SECONDS = 0.5


def ordinary_signals() -> None:
    """Let SIGINT interrupt and the others end this process, however it was started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def held(channel: socket.socket, clean_up: Callable[[], None]) -> Iterator[None]:
    """Within the block this process is interrupted, cleans up and ends when its watcher dies.

    For a channel on which nothing is said.
    """
    ordinary_signals()
    ended, is_orphan = threading.Event(), threading.Event()

    def watch() -> None:
        with suppress(OSError):
            while channel.recv(1):
                pass
        is_orphan.set()
        end_orphaned(ended, clean_up)

    thread = threading.Thread(target=watch, name="lifeline", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        if is_orphan.is_set():
            thread.join()


def end_orphaned(ended: threading.Event, clean_up: Callable[[], None]) -> NoReturn:
    """Interrupt the main thread, clean up until it has ended its work, and end the process.

    Its threads may send a statement until then: dbt waits for them when it is interrupted. The
    process keeps the socket of the one-writer lock to its very end.
    """
    main_thread = threading.main_thread().ident
    if main_thread is not None and not ended.is_set():
        signal.pthread_kill(main_thread, signal.SIGINT)
    end = time.monotonic() + CLEAN_UP_SECONDS
    try:
        while True:
            is_last = ended.wait(PAUSE_SECONDS) or time.monotonic() >= end
            with suppress(MeterhouseError):
                clean_up()
            if is_last:
                break
    finally:
        os._exit(INTERRUPTED)
