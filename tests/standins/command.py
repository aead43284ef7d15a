"""Run a program and keep its last words for the reader."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.standins.errors import NoEngineError

STARTED_AT = time.monotonic()


def say(text: str) -> None:
    """Tell the progress on stderr, with the seconds since the start of this program."""
    print(f"  {time.monotonic() - STARTED_AT:5.1f} s  {text}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """The output of a program.

    Raises NoEngineError with its first line of complaint unless it ends well.
    """
    result = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise NoEngineError(
            f"{Path(command[0]).name}: {first_line(result.stderr or result.stdout)}"
        )
    return result.stdout


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no output")


def last_line(text: str) -> str:
    """The last line that says something."""
    return first_line("\n".join(reversed(text.splitlines())))
