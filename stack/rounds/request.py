"""Ask the resident runner for a round at once, and wait for its end.

A request is a file of its own in a folder that the runner looks at. The runner notes which are
there when a round begins and deletes these at its end: that round saw all that landed before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.base import health
from stack.base.errors import ConfigurationError, RetriableError
from stack.base.settings import Settings
from stack.base.text import Say
from stack.rounds.outcome import Result

PAUSE_SECONDS = 0.1
# Two rounds of a large first load: one that runs already, and ours.
LIMIT_SECONDS = 3600.0
GOOD = {result.value for result in Result if result.is_good}


class Requests:
    """What the runner knows of the requests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def waiting(self) -> list[Path]:
        """Those that no round has answered yet."""
        return list(self._folder.glob("*"))

    @contextmanager
    def answered(self) -> Iterator[None]:
        """A round, which answers the requests that are there at its begin."""
        requests = self.waiting()
        yield
        for request in requests:
            request.unlink(missing_ok=True)


def folder_of(settings: Settings) -> Path:
    """Where the requests of a stack are."""
    return settings.state_dir / "dbt" / "requests"


def run_round(settings: Settings, say: Say, limit_seconds: float = LIMIT_SECONDS) -> int:
    """Have the runner play a round now; 1 if it does not end well.

    Raises ConfigurationError where the settings keep the runner off, RetriableError where it does
    not live or takes too long.
    """
    if not settings.dbt_auto_run:
        raise ConfigurationError(
            "rounds by the runner", "DBT_AUTO_RUN=false", "bin/dbt run updates the models"
        )
    report = settings.state_dir / "health" / "dbt.json"
    request = folder_of(settings) / str(os.getpid())
    request.parent.mkdir(parents=True, exist_ok=True)
    request.touch()
    try:
        wait(request, report, limit_seconds)
    finally:
        request.unlink(missing_ok=True)
    ended = health.read(report)
    say(f"round: {ended['result']}, {ended['models_run']} models in {ended['seconds']:.1f} s")
    return 0 if ended["result"] in GOOD else 1


def wait(request: Path, report: Path, limit_seconds: float) -> None:
    """Wait until a request is answered. Raises RetriableError where nobody will."""
    end = time.monotonic() + limit_seconds
    while request.exists():
        is_alive = report.exists() and health.is_alive(report)
        if not is_alive or health.read(report).get("state") == "stopped":
            raise RetriableError("a runner of the models", "none", "run ./initial-setup.sh")
        if time.monotonic() > end:
            raise RetriableError(
                f"a round within {limit_seconds:.0f} s", health.note(report), "see its log"
            )
        time.sleep(PAUSE_SECONDS)
