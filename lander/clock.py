"""Time and patience, handed to whoever needs them so that tests can do without waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0


class Clock(Protocol):
    """Wall clock and stop watch."""

    def now(self) -> datetime:
        """Wall clock in UTC."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Wall clock in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()


class Patience:
    """How long to wait before the next try: twice as long after each failure, up to a limit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._until = 0.0

    def is_over(self) -> bool:
        """True if the next try is due."""
        return self._clock.monotonic() >= self._until

    def lose(self) -> None:
        """A try failed: wait longer than before."""
        self._until = self._clock.monotonic() + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def restore(self) -> None:
        """A try worked: begin with the shortest wait again."""
        self._pause_seconds = FIRST_PAUSE_SECONDS
