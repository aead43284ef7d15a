"""Log lines of the runner: when, what happened, and facts with keys."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

Log = Callable[..., None]


def line(at: datetime, event: str, facts: Mapping[str, object]) -> str:
    """One log line; facts that are None or empty are left out."""
    told = [f"{key}={quoted(value)}" for key, value in facts.items() if value not in (None, "")]
    return " ".join([f"{at:%Y-%m-%dT%H:%M:%SZ}", event, *told])


def quoted(value: object) -> str:
    """A fact's value: on one line, in quotes where it holds spaces, seconds with one decimal."""
    text = f"{value:.1f}" if isinstance(value, float) else " ".join(str(value).split())
    text = text.replace('"', "'")
    return f'"{text}"' if " " in text else text


def logger(stream: TextIO = sys.stdout) -> Log:
    """A function log(event, **facts) that writes each line at once."""

    def log(event: str, **facts: object) -> None:
        # Nobody reads any more: no reason to leave work undone.
        with suppress(BrokenPipeError):
            stream.write(line(datetime.now(UTC), event, facts) + "\n")
            stream.flush()

    return log
