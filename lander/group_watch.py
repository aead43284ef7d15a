"""Notice a consumer group that has partitions to give and leaves this lander out."""

from __future__ import annotations

from lander.clock import Clock
from lander.consumer import Reader
from stack.base.errors import FatalError

# How often a lander without partitions asks its group why, and how long it may be left out of it.
ASK_SECONDS = 20.0
LEFT_OUT_SECONDS = 40.0


class LeftOutError(FatalError):
    """The group has partitions to give and this process gets none; another one would."""


class GroupWatch:
    """Asks the group of one topic now and then why this lander has no partition.

    librdkafka's member of a group may not find the way back after the broker was restarted.
    """

    def __init__(self, topic: str, reader: Reader, clock: Clock) -> None:
        self._topic = topic
        self._reader = reader
        self._clock = clock
        self._ask_at = clock.monotonic() + ASK_SECONDS
        self._left_out_since: float | None = None

    def check(self) -> None:
        """Ask if it is time. Raises LeftOutError when the group has left us out for long."""
        now = self._clock.monotonic()
        if self._reader.assigned:
            self._left_out_since = None
        elif now >= self._ask_at:
            self._ask_at = now + ASK_SECONDS
            self._note(self._reader.is_left_out(), now)

    def _note(self, is_left_out: bool, now: float) -> None:
        if not is_left_out:
            self._left_out_since = None
        elif self._left_out_since is None:
            self._left_out_since = now
        elif now - self._left_out_since >= LEFT_OUT_SECONDS:
            raise LeftOutError(
                f"partitions of topic {self._topic}",
                f"none for {now - self._left_out_since:.0f} s, though the group has some free",
                "nothing: the lander is restarted",
            )
