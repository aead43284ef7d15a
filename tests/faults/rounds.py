"""A round of the runner struck where it records how far a model is, and what a strike does."""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from stack.base.settings import load_settings
from tests.faults.network import TROUBLES
from tests.faults.steps import FREEZE, KILL, Strike, replace
from tests.integration.actors import Actors

# Of the worker alone its watcher takes care; without a watcher Trino goes on with the statement.
KILL_BOTH = "kill both"
# Frozen until another has done its work, its lock gone: a zombie that no lock holds back.
LOSE_LOCK = "lose lock"
DUE, RUNNING, DONE = MOMENTS = ("due", "running", "done")
# Running: the next metadata file is written, and the catalog still names the one before.
SWAP = "swap"


def arm(planned: Strike, mark: Path) -> None:
    """Have this runner struck as planned; its worker is the other process."""
    reached = struck_at(planned, mark, lambda: [each.pid for each in psutil.Process().children()])

    def records(record: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(record)
        def call(*arguments: Any) -> None:
            reached(DUE)
            record(*arguments)
            reached(DONE)

        return call

    def writes(write: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(write)
        def call(*arguments: Any) -> None:
            write(*arguments)
            reached(RUNNING)

        return call

    replace("stack.rounds.progress:Progress.record", records)
    replace("stack.clients.metadata:StoredFiles.write", writes)


def struck_at(
    planned: Strike, mark: Path, others: Callable[[], Sequence[int]]
) -> Callable[[str], None]:
    """What is told of the moments of this process's work, and strikes it at the planned one.

    others: the processes that watch this one, or that it watches.
    """
    count, one_at_a_time = 0, threading.Lock()

    def reached(moment: str) -> None:
        nonlocal count
        if planned.step.endswith(f" {moment}"):
            with one_at_a_time:
                count += 1
                if count == planned.nth:
                    strike(planned.what, mark, others())

    return reached


def strike(what: str, mark: Path, others: Sequence[int]) -> None:
    """Do it to this process, and where it is meant for all, first to the others."""
    mark.touch()
    if what == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    elif what in TROUBLES:
        pass
    elif what in {KILL_BOTH, FREEZE, LOSE_LOCK}:
        for process in (*others, os.getpid()):
            os.kill(process, signal.SIGKILL if what == KILL_BOTH else signal.SIGSTOP)
    else:
        Actors(load_settings()).kill(what)
