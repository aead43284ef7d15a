"""Open a topic's table and find out where its partitions are read on."""

from __future__ import annotations

import logging
from datetime import datetime

from lander.clock import Clock
from lander.consumer import Reader
from lander.table import LandingTable
from stack.base.errors import FatalError
from stack.watermarks.landed import Loss, Start, Watermark, plan_start

LOG = logging.getLogger("lander")


class LostMessagesError(FatalError):
    """Kafka no longer holds messages that have not landed."""


class Opening:
    """Begins the reading of one topic where its table says.

    accept_loss: go on after messages were lost.
    """

    def __init__(
        self, topic: str, reader: Reader, table: LandingTable, clock: Clock, *, accept_loss: bool
    ) -> None:
        self._topic = topic
        self._reader = reader
        self._table = table
        self._clock = clock
        self._accept_loss = accept_loss

    def open(self) -> tuple[Watermark, str]:
        """The table's watermark, and the topic's id.

        A table that is not there yet begins with the offsets that Kafka holds now.
        """
        now, topic_id = self._clock.now(), self._reader.topic_id()
        bounds = self._reader.bounds(self._reader.partitions())
        earliest = {partition: held.earliest for partition, held in bounds.items()}
        return self._table.open(Watermark(0, now, earliest, topic_id)), topic_id

    def begin(self) -> tuple[Watermark, str] | None:
        """Start the assigned partitions; what `open` says then, None to be called again.

        Raises LostMessagesError if messages were lost and that is not accepted.
        """
        now = self._clock.now()
        watermark, topic_id = self.open()
        start = self._plan(watermark, topic_id, now)
        if start.losses:
            if self._table.open(watermark) != watermark:
                # Another lander went on meanwhile, and what looks lost may have landed: look again.
                return None
            self._report(start.losses)
            following = watermark.moved_to(start.positions, topic_id)
            self._table.move(watermark, following, start.losses)
            watermark = following
        known = watermark.ends_of(topic_id)
        epochs = watermark.epochs_of(topic_id).items()
        # Of a reader that begins after the last message its epoch says nothing.
        valid = {p: epoch for p, epoch in epochs if start.reading.get(p) == known[p]}
        self._reader.start(start.reading, valid)
        LOG.info("reading topic=%s positions=%s", self._topic, dict(start.reading))
        return watermark, topic_id

    def _plan(self, watermark: Watermark, topic_id: str, now: datetime) -> Start:
        """Compare the watermark with what Kafka holds of the assigned partitions."""
        mine = self._reader.assigned
        # Asked after the table: what another lander lands meanwhile is no end that is too far.
        bounds = self._reader.bounds(mine)
        ends = {p: end for p, end in watermark.ends_of(topic_id).items() if p in mine}
        cuts = self._reader.cuts(ends, watermark.epochs_of(topic_id))
        return plan_start(watermark, bounds, topic_id, now, cuts)

    def _report(self, losses: tuple[Loss, ...]) -> None:
        """Say what was lost. Raises LostMessagesError unless it was accepted beforehand."""
        for loss in losses:
            LOG.error("messages lost topic=%s %s", self._topic, loss)
        if not self._accept_loss:
            self._table.record(losses)
            raise LostMessagesError(
                f"topic {self._topic} from where its table ends",
                "; ".join(map(str, losses)),
                "go on without these messages: python -m lander --accept-loss",
            )
