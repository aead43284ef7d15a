"""A watched program ends by itself, when told to, or with its watcher."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from stack.rounds import program
from tests.unit.rounds.programs import MODULE, is_gone, start, wait_until


def is_never() -> bool:
    return False


def test_program_that_ends_by_itself_keeps_its_exit_code(tmp_path: Path) -> None:
    running = start("exit_three", tmp_path)
    assert program.watch(running, is_never, lambda: None)
    assert running.process.returncode == 3


def test_program_is_interrupted_when_a_stop_is_wanted_and_may_cancel(tmp_path: Path) -> None:
    running = start("work_long", tmp_path)
    assert not program.watch(running, lambda: True, lambda: None)
    assert running.process.returncode == program.INTERRUPTED
    assert (tmp_path / "cancelled").exists()
    assert not (tmp_path / "cleaned").exists()


def test_program_is_killed_at_once_when_looking_after_it_fails(tmp_path: Path) -> None:
    running = start("work_long", tmp_path)

    def lose_the_lock() -> None:
        raise LookupError("lost")

    with pytest.raises(LookupError):
        program.watch(running, is_never, lose_the_lock)
    assert running.process.returncode == -signal.SIGKILL


def test_program_that_does_not_listen_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "STOP_SECONDS", 0.2)
    running = start("be_deaf", tmp_path)
    running.stop()
    assert running.process.returncode == -signal.SIGKILL


def test_program_is_in_a_process_group_of_its_own(tmp_path: Path) -> None:
    running = start("work_long", tmp_path)
    assert os.getpgid(running.process.pid) == running.process.pid
    running.kill()


def test_program_cleans_up_and_ends_when_its_watcher_is_killed(tmp_path: Path) -> None:
    watcher = program.start(MODULE, ["watch_one", str(tmp_path), "work_long"], {})
    assert wait_until((tmp_path / "at work").exists)
    watcher.kill()
    pid = int((tmp_path / "pid").read_text())
    assert wait_until(lambda: is_gone(pid))
    assert (tmp_path / "below" / "cancelled").exists()
    assert (tmp_path / "below" / "cleaned").exists()


def test_orphan_whose_threads_go_on_cleans_up_until_they_have_ended(tmp_path: Path) -> None:
    watcher = program.start(MODULE, ["watch_one", str(tmp_path), "send_on"], {})
    assert wait_until((tmp_path / "at work").exists)
    watcher.kill()
    pid = int((tmp_path / "pid").read_text())
    assert wait_until(lambda: is_gone(pid))
    below = tmp_path / "below"
    assert int((below / "cleaned").read_text()) == (below / "sent").stat().st_size


def test_signals_are_noted_within_the_block_and_as_before_after_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with program.noted_signals() as is_stop_wanted:
        assert not is_stop_wanted()
        os.kill(os.getpid(), signal.SIGTERM)
        assert is_stop_wanted()
    assert signal.getsignal(signal.SIGTERM) is before
