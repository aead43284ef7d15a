"""A watched child ends by itself, when told to, or with its parent."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from stack.rounds import child

LONG_SECONDS = 60.0
SOON_SECONDS = 10.0


def exit_three() -> None:
    sys.exit(3)


def sleep_long() -> None:
    time.sleep(LONG_SECONDS)


def untouched() -> None:
    """A child whose parent lives leaves the cleaning to it."""
    sys.exit(99)


def is_never() -> bool:
    return False


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def wait_until(is_so: Callable[[], bool]) -> bool:
    """Whether something comes true soon."""
    end = time.monotonic() + SOON_SECONDS
    while not (so := is_so()) and time.monotonic() < end:
        time.sleep(0.02)
    return so


def test_child_that_ends_by_itself_keeps_its_exit_code() -> None:
    process = child.start(exit_three, untouched)
    assert child.watch(process, is_never, lambda: None)
    assert process.exitcode == 3


def test_child_is_interrupted_when_a_stop_is_wanted() -> None:
    process = child.start(sleep_long, untouched)
    assert not child.watch(process, lambda: True, lambda: None)
    assert process.exitcode == child.INTERRUPTED


def test_child_cleans_up_when_interrupted(tmp_path: Path) -> None:
    started, mark = tmp_path / "started", tmp_path / "cancelled"

    def work() -> None:
        try:
            started.touch()
            sleep_long()
        except KeyboardInterrupt:
            mark.write_text("yes")
            raise

    child.watch(child.start(work, untouched), started.exists, lambda: None)
    assert mark.read_text() == "yes"


def test_child_is_interrupted_when_looking_after_it_fails() -> None:
    process = child.start(sleep_long, untouched)

    def lose_the_lock() -> None:
        raise LookupError("lost")

    with pytest.raises(LookupError):
        child.watch(process, is_never, lose_the_lock)
    assert process.exitcode == child.INTERRUPTED


def test_child_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "STOP_SECONDS", 0.2)
    receiver, sender = child.FORK.Pipe(duplex=False)

    def work() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sender.send("deaf")
        sleep_long()

    process = child.start(work, untouched)
    assert receiver.recv() == "deaf"
    child.stop(process)
    assert process.exitcode == -signal.SIGKILL


def test_what_a_child_leaves_is_cleaned_up_behind_its_end_when_its_parent_is_killed(
    tmp_path: Path,
) -> None:
    sent, cleaned = tmp_path / "sent", tmp_path / "cleaned"
    receiver, sender = child.FORK.Pipe(duplex=False)

    def send_without_end() -> None:
        with sent.open("a") as file:
            while True:
                file.write("x")
                file.flush()

    def work() -> None:
        thread = threading.Thread(target=send_without_end, daemon=True)
        thread.start()
        try:
            sleep_long()
        finally:
            # As dbt does when it is interrupted.
            thread.join()

    def clean_up() -> None:
        (tmp_path / "cleaning").write_text(str(sent.stat().st_size))
        (tmp_path / "cleaning").rename(cleaned)

    def be_parent() -> None:
        process = child.start(work, clean_up)
        wait_until(sent.exists)
        sender.send(process.pid)
        sleep_long()

    parent = child.FORK.Process(target=be_parent)
    parent.start()
    grandchild = receiver.recv()
    parent.kill()
    parent.join(SOON_SECONDS)
    assert wait_until(lambda: is_gone(grandchild))
    assert wait_until(cleaned.exists)
    assert int(cleaned.read_text()) == sent.stat().st_size


def test_signals_are_noted_within_the_block_and_as_before_behind_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with child.noted_signals() as is_stop_wanted:
        assert not is_stop_wanted()
        os.kill(os.getpid(), signal.SIGTERM)
        assert is_stop_wanted()
    assert signal.getsignal(signal.SIGTERM) is before
