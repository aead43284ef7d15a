"""Times of a simulation: durations, moments, and the ends of measured intervals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from simulator.hashing import Integers
from simulator.load_profiles import DAY_MS
from stack.base.errors import ConfigurationError

UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")
RELATIVE = re.compile(r"now(?:-(.+))?")


def parse_duration(text: str) -> int:
    """Milliseconds of a text such as 2, 500ms, 2s, 30m, 1h or 7d; a bare number is seconds.

    Raises ConfigurationError for another text or nothing.
    """
    match = DURATION.fullmatch(text.strip())
    milliseconds = round(float(match[1]) * UNIT_MS[match[2] or "s"]) if match else 0
    if milliseconds <= 0:
        raise ConfigurationError(
            "a duration above zero such as 2s, 30m, 1h or 7d",
            repr(text),
            "write a number and one of ms, s, m, h, d",
        )
    return milliseconds


def parse_moment(text: str, now_ms: int) -> int:
    """Milliseconds since 1970 of an ISO 8601 date or time (UTC unless it says otherwise).

    `now` and `now-7d` count from now_ms. Raises ConfigurationError for another text.
    """
    relative = RELATIVE.fullmatch(text.strip())
    if relative:
        return now_ms - (parse_duration(relative[1]) if relative[1] else 0)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigurationError(
            "a time such as 2025-12-09, 2025-12-09T06:30:00Z or now-7d",
            repr(text),
            "write it in one of these ways",
        ) from error
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(zoned.timestamp() * 1000)


def interval_ends(from_ms: int, to_ms: int, interval_ms: int) -> Integers:
    """Ends of intervals after from_ms and up to to_ms, on the grid of multiples since 1970.

    Spans that follow each other thus share no interval and leave none out. Raises
    ConfigurationError where no interval ends in the span.
    """
    first = from_ms // interval_ms + 1
    ends = np.arange(first, to_ms // interval_ms + 1, dtype=np.int64) * interval_ms
    if not len(ends):
        raise ConfigurationError(
            "a span in which at least one interval ends",
            f"{(to_ms - from_ms) / 1000:g} s from --from to --to",
            "choose an earlier --from or a shorter --interval",
        )
    return ends


def by_days(ends_ms: Integers, days: int) -> Iterator[Integers]:
    """The same ends in chunks of at most so many UTC days."""
    numbers = (ends_ms // DAY_MS - ends_ms[0] // DAY_MS) // days
    yield from np.split(ends_ms, np.flatnonzero(np.diff(numbers)) + 1)


def live_ends(start_ms: int, interval_ms: int) -> Iterator[int]:
    """Ends of live intervals without end: the first is the full second of the start."""
    end_ms = start_ms // 1000 * 1000
    while True:
        yield end_ms
        end_ms += interval_ms
