"""Ask the resident runner for a round at once, and wait for its end.

A request is an empty file of its own in a folder that the runner looks at. The runner notes which
are there when a round begins, and writes the round's outcome into these at its end: that round saw
all that landed before.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stack.base import health
from stack.base.errors import ConfigurationError, RetriableError
from stack.base.files import replace_file
from stack.base.settings import Settings
from stack.base.text import Say
from stack.rounds.health import Health
from stack.rounds.outcome import Result

PAUSE_SECONDS = 0.1
# Two rounds of a large first load: one that runs already, and ours.
LIMIT_SECONDS = 3600.0
GOOD = {result.value for result in Result if result.is_good}


class Requests:
    """The requests as the runner sees them; answers of an earlier runner are deleted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for left in folder.glob("*"):
            if answer_of(left):
                left.unlink(missing_ok=True)

    def waiting(self) -> list[Path]:
        """Those that no round has answered yet."""
        files = [file for file in self._folder.glob("*") if not file.name.startswith(".")]
        return [file for file in files if answer_of(file) == ""]

    @contextmanager
    def answered(self, ended: Callable[[], Health]) -> Iterator[None]:
        """A round, which answers the requests that are there at its begin.

        ended: how the runner is after it.
        """
        requests = self.waiting()
        yield
        facts = ended()
        answer = {
            "result": facts.result,
            "models_run": facts.models_run,
            "seconds": facts.seconds,
        }
        for request in requests:
            # Whoever asked may have left.
            if request.exists():
                replace_file(request, json.dumps(answer))


def answer_of(request: Path) -> str | None:
    """The answer in a request's file, empty before it comes, None without a file."""
    with suppress(FileNotFoundError):
        return request.read_text("utf-8")
    return None


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
    request = folder_of(settings) / str(uuid.uuid4())
    request.parent.mkdir(parents=True, exist_ok=True)
    request.touch()
    try:
        ended = wait(request, report, limit_seconds)
    finally:
        request.unlink(missing_ok=True)
    say(f"round: {ended['result']}, {ended['models_run']} models in {ended['seconds']:.1f} s")
    return 0 if ended["result"] in GOOD else 1


def wait(request: Path, report: Path, limit_seconds: float) -> dict[str, Any]:
    """Wait for the answer to a request. Raises RetriableError where nobody will give one."""
    end = time.monotonic() + limit_seconds
    while not (answer := answer_of(request)):
        is_alive = report.exists() and health.is_alive(report)
        if not is_alive or health.read(report).get("state") == "stopped":
            raise RetriableError("a runner of the models", "none", "run ./initial-setup.sh")
        if time.monotonic() > end:
            raise RetriableError(
                f"a round within {limit_seconds:.0f} s", health.note(report), "see its log"
            )
        time.sleep(PAUSE_SECONDS)
    ended: dict[str, Any] = json.loads(answer)
    return ended
