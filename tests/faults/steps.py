"""The steps in the life of a batch, and what strikes a lander when it comes to one of them."""

from __future__ import annotations

import functools
import inspect
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from stack.settings import load_settings
from tests.integration.actors import Actors

KILL, FREEZE = "kill", "freeze"
SERVICES = ("kafka", "postgres", "minio")
COMMIT = "lander.table:IcebergTable.commit"


@dataclass(frozen=True)
class Step:
    """A call in the lander's work. is_after: struck when it has been done, else just before.

    in_commit: it counts only while a batch is committed; needs_rows: only if it returned some.
    """

    function: str
    is_after: bool
    in_commit: bool = False
    needs_rows: bool = False


STEPS = {
    "messages consumed": Step("lander.consumer:KafkaReader.read", True, needs_rows=True),
    "messages parsed": Step("lander.batch:columns_of", True),
    "commit begun": Step(COMMIT, False),
    "file half written": Step("lander.table:fitted", True),
    "file uploaded": Step("lander.table:write_data_file", True),
    "catalog asked": Step("pyiceberg.catalog.sql:SqlCatalog.commit_table", False, in_commit=True),
    "metadata uploaded": Step(
        "pyiceberg.catalog:MetastoreCatalog._write_metadata", True, in_commit=True
    ),
    "catalog row changed": Step("sqlalchemy.orm:Session.commit", False, in_commit=True),
    "committed": Step("pyiceberg.catalog.sql:SqlCatalog.commit_table", True, in_commit=True),
    "group offsets due": Step("lander.consumer:KafkaReader.commit", False),
    "group offsets sent": Step("lander.consumer:KafkaReader.commit", True),
}


@dataclass(frozen=True)
class Strike:
    """What happens when a lander comes to a step for the nth time.

    what: KILL or FREEZE of the lander itself, or the name of a service that is killed.
    """

    step: str
    nth: int
    what: str

    def __str__(self) -> str:
        return f"{self.what} at {self.step} ({self.nth})"


def strike(what: str, mark: Path) -> None:
    """Do it; the mark tells the outside that the step was reached."""
    mark.touch()
    if what == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == FREEZE:
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        Actors(load_settings()).kill(what)


def arm(planned: Strike, mark: Path) -> None:
    """Have this process struck as planned. For a process of its own: functions are replaced."""
    step = STEPS[planned.step]
    commits: list[int] = []
    if step.in_commit:
        replace(COMMIT, lambda commit: noted(commit, commits))
    count = 0

    def reached(result: Any = None) -> None:
        nonlocal count
        if (step.in_commit and not commits) or (step.needs_rows and not len(result)):
            return
        count += 1
        if count == planned.nth:
            strike(planned.what, mark)

    def struck(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            if not step.is_after:
                reached()
            result = function(*arguments, **options)
            if step.is_after:
                reached(result)
            return result

        return call

    replace(step.function, struck)


def noted(function: Callable[..., Any], running: list[int]) -> Callable[..., Any]:
    """The function, with an entry in `running` for as long as it runs."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        running.append(1)
        try:
            return function(*arguments, **options)
        finally:
            running.pop()

    return call


def replace(name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put a changed function in the place of `module:Class.function` or `module:function`."""
    module, _, path = name.partition(":")
    *parents, last = path.split(".")
    owner = resolve_name(f"{module}:{'.'.join(parents)}") if parents else resolve_name(module)
    before = inspect.getattr_static(owner, last)
    if isinstance(before, staticmethod):
        setattr(owner, last, staticmethod(change(before.__func__)))
    else:
        setattr(owner, last, change(before))
