"""The one-writer lock in the hands of a program that has its session's socket open too."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients.postgres import DBT, client
from stack.writing.lock import Holder, WriterLock, try_lock
from tests.integration.lakehouse import Lakehouse

pytestmark = pytest.mark.same_in_both_modes

# A number that no writer of a stack uses.
KEY = 88_319_999
SOON_SECONDS = 10.0

# Takes the lock and starts a program that inherits it.
HOLD = """
import subprocess, sys, time
from stack.clients.postgres import DBT, client
from stack.writing.lock import try_lock
from stack.base.settings import load_settings
lock = try_lock(client(load_settings(), DBT), "a test", int(sys.argv[1]))
heir = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(60)"],
    pass_fds=[lock.fileno()] if sys.argv[2] == "inherited" else [],
)
print(heir.pid, flush=True)
time.sleep(60)
"""


class Pair:
    """A process that holds the lock, and the program it started."""

    def __init__(self, how: str) -> None:
        words = [sys.executable, "-c", HOLD, str(KEY), how]
        self.holder = subprocess.Popen(words, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout is not None
        self.heir = psutil.Process(int(self.holder.stdout.readline()))

    def end(self) -> None:
        """End both."""
        self.holder.kill()
        if self.heir.is_running():
            self.heir.kill()
        # The heir holds the other end of the holder's output too.
        self.holder.communicate()


@pytest.fixture
def pair() -> Iterator[Callable[[str], Pair]]:
    """Start a pair; it is ended after the test."""
    started: list[Pair] = []

    def start(how: str) -> Pair:
        started.append(Pair(how))
        return started[-1]

    yield start
    for each in started:
        each.end()


def is_free(settings: Settings) -> bool:
    """Whether the lock can be had."""
    found = try_lock(client(settings, DBT), "another test", KEY)
    if isinstance(found, WriterLock):
        found.release()
    return not isinstance(found, Holder)


def test_orphan_keeps_the_lock_until_it_has_ended(
    lakehouse: Lakehouse, pair: Callable[[str], Pair]
) -> None:
    started = pair("inherited")
    started.holder.kill()
    started.holder.wait()
    # PostgreSQL notices a closed session within milliseconds: a second shows that it is not.
    assert not any(is_free(lakehouse.settings) for _ in range(20))
    started.heir.kill()
    lakehouse.wait_until(lambda: is_free(lakehouse.settings), SOON_SECONDS)


def test_program_that_did_not_inherit_the_lock_does_not_keep_it(
    lakehouse: Lakehouse, pair: Callable[[str], Pair]
) -> None:
    started = pair("alone")
    started.holder.kill()
    lakehouse.wait_until(lambda: is_free(lakehouse.settings), SOON_SECONDS)
    assert started.heir.is_running()


def test_released_lock_is_free_though_another_program_has_its_socket(lakehouse: Lakehouse) -> None:
    lock = try_lock(client(lakehouse.settings, DBT), "a test", KEY)
    assert isinstance(lock, WriterLock)
    words = [sys.executable, "-c", "input()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=[lock.fileno()]) as heir:
        lock.release()
        lakehouse.wait_until(lambda: is_free(lakehouse.settings), SOON_SECONDS)
        assert heir.poll() is None
        heir.kill()
