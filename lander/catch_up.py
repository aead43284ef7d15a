"""How far a run until caught up goes, and what of Kafka's messages it had to leave behind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from lander.clock import Clock
from lander.consumer import Reader
from stack.watermarks.landed import Watermark

LOG = logging.getLogger("lander")
# How often to ask the table what other landers did, when only they have work left.
LOOK_SECONDS = 1.0


class CatchUp:
    """Tells when a run has landed all of a topic that Kafka held when the run began."""

    def __init__(self, topic: str, reader: Reader, clock: Clock) -> None:
        self._topic = topic
        self._reader = reader
        self._clock = clock
        self._look_at = 0.0
        # partition -> where it ended for readers, who get nothing of an open transaction and of
        # what follows it; none before `begin`.
        self._until: dict[int, int] | None = None
        # partition -> where it ended with all that, if it did.
        self._held_back: dict[int, int] = {}

    def begin(self) -> None:
        """Ask Kafka what it holds, the first time. Raises its errors while it is away."""
        if self._until is None:
            partitions = self._reader.partitions()
            # Asked first: what is written in between would look held back.
            written = self._reader.written_ends(partitions)
            until = {p: held.end for p, held in self._reader.bounds(partitions).items()}
            self._held_back = {p: end for p, end in written.items() if end > until[p]}
            self._until = until

    def is_reached(self, known: Mapping[int, int], partitions: Iterable[int]) -> bool:
        """True if these partitions have been read as far as the run goes.

        known: partition -> offset after its last message, as far as we know.
        """
        return not self._remaining(known, self._reader.ends) & set(partitions)

    def is_landed(self, open_table: Callable[[], tuple[Watermark, str]]) -> bool:
        """True if the table holds all that the run is for, by us or by others.

        open_table: the table's watermark, and the topic's id; asked every LOOK_SECONDS at most.
        """
        if self._clock.monotonic() < self._look_at:
            return False
        self._look_at = self._clock.monotonic() + LOOK_SECONDS
        watermark, topic_id = open_table()
        if watermark.topic_id != topic_id or self._remaining(watermark.offsets, {}):
            return False
        self._tell_what_waits(watermark.offsets)
        return True

    def _remaining(self, known: Mapping[int, int], ends: Mapping[int, int]) -> set[int]:
        """Partitions not read as far as the run goes.

        known: partition -> offset after its last message; ends: where it was read to its end.
        """
        return {
            partition
            for partition, end in (self._until or {}).items()
            if known.get(partition, 0) < end and ends.get(partition, -1) < end
        }

    def _tell_what_waits(self, offsets: Mapping[int, int]) -> None:
        """Log what an open transaction kept the run from landing; offsets: the next to land."""
        for partition, end in sorted(self._held_back.items()):
            first = offsets.get(partition, 0)
            if first < end:
                LOG.warning(
                    "not landed topic=%s partition=%d first_offset=%d last_offset=%d "
                    "reason=an open transaction: Kafka gives them to no reader until it has ended; "
                    "run this again then",
                    self._topic,
                    partition,
                    first,
                    end - 1,
                )
