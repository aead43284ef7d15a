"""How far a run until caught up goes, and what of Kafka's messages it had to leave behind."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from lander.consumer import Reader

LOG = logging.getLogger("lander")


class CatchUp:
    """What Kafka held of a topic when a run began.

    until: partition -> where it ended for readers, who get nothing of an open transaction and of
    what follows it.
    """

    def __init__(self, reader: Reader) -> None:
        partitions = reader.partitions()
        # Asked first: what is written in between would look held back.
        written = reader.written_ends(partitions)
        self.until = {p: held.end for p, held in reader.bounds(partitions).items()}
        self.held_back = {p: end for p, end in written.items() if end > self.until[p]}

    def behind(self, known: Mapping[int, int], ends: Mapping[int, int]) -> set[int]:
        """Partitions not read as far as the run goes.

        known: partition -> offset after its last message; ends: where it was read to its end.
        """
        return {
            partition
            for partition, end in self.until.items()
            if known.get(partition, 0) < end and ends.get(partition, -1) < end
        }

    def tell_what_waits(self, topic: str, landed: Mapping[int, int]) -> None:
        """Log what an open transaction kept the run from landing; landed: the next offsets."""
        for partition, end in sorted(self.held_back.items()):
            first = landed.get(partition, 0)
            if first < end:
                LOG.warning(
                    "not landed topic=%s partition=%d first_offset=%d last_offset=%d "
                    "reason=an open transaction: Kafka gives them to no reader until it has ended; "
                    "run this again then",
                    topic,
                    partition,
                    first,
                    end - 1,
                )
