"""Land one topic: read, parse, commit, and find the way back after any trouble."""

from __future__ import annotations

import logging
from dataclasses import replace

from confluent_kafka import KafkaException
from sqlalchemy.exc import SQLAlchemyError

from lander.batch import Batch, Stamp
from lander.catch_up import CatchUp
from lander.clock import Clock, Patience
from lander.consumer import Reader
from lander.group_watch import GroupWatch
from lander.health import LandingHealth
from lander.opening import Opening
from lander.pace import Pace
from lander.parse import parser_for
from lander.pending import Limits, Pending
from lander.table import LandingTable, StaleTableError
from lander.topics import Topic
from stack.base.errors import RetriableError
from stack.watermarks.landed import Watermark, may_write

LOG = logging.getLogger("lander")
COMMIT_TRIES = 10
# What services that are away raise; the same call can succeed later.
TROUBLE = (RetriableError, KafkaException, SQLAlchemyError, OSError)


class TopicLander:
    """Lands one topic. `step` is one round of its loop; nothing else does any work.

    stop_at_end: be finished once everything is landed that Kafka held at the first step, by
    whichever lander; accept_loss: go on after messages were lost; health: how the landing is, to
    be read by others at any time; is_finished: nothing is left to do.
    """

    def __init__(
        self,
        topic: Topic,
        reader: Reader,
        table: LandingTable,
        limits: Limits,
        clock: Clock,
        *,
        stop_at_end: bool = False,
        accept_loss: bool = False,
    ) -> None:
        self.topic = topic
        self.health = LandingHealth()
        self.is_finished = False
        self._reader = reader
        self._table = table
        self._clock = clock
        self._limits = limits
        self._parser = parser_for(topic)
        self._generation = reader.generation
        self._pending: Pending | None = None
        self._pace = Pace()
        self._group = GroupWatch(topic.name, reader, clock)
        self._opening = Opening(topic.name, reader, table, clock, accept_loss=accept_loss)
        self._catch_up = CatchUp(topic.name, reader, clock) if stop_at_end else None
        self._patience = Patience(clock)

    def step(self) -> None:
        """Read for a moment, then do what is due. Raises FatalError where a person must decide."""
        self._read()
        self._group.check()
        if not self._patience.is_over():
            return
        try:
            self._work()
        except TROUBLE as error:
            self._wait(error)
        else:
            self._show_state()

    def finish(self) -> None:
        """Land what has been read if that is possible at once, and leave the group."""
        pending = self._pending if self.health.state == "running" else None
        try:
            if pending and not pending.is_empty(self._reader.ends):
                self._flush(pending)
        except TROUBLE as error:
            LOG.info("batch abandoned topic=%s reason=%s", self.topic.name, error)
        self.leave()
        self.health = replace(self.health, state="stopped", partitions=())

    def leave(self) -> None:
        """Leave the group at once, so that another lander need not wait for us to time out."""
        self._reader.close()

    def _read(self) -> None:
        """Take up what Kafka gives; after any change of the assignment begin from the table."""
        chunk = self._reader.read(self._pace.messages, self._pace.seconds)
        self._pace.learn(chunk)
        if self._generation != self._reader.generation or self._reader.needs_restart:
            self._generation = self._reader.generation
            self._reader.needs_restart = False
            self._pending = None
        elif len(chunk) and self._pending:
            self._pending.add(chunk, self._clock.monotonic())

    def _work(self) -> None:
        """Do what is due now."""
        if self._catch_up:
            self._catch_up.begin()
        if self._reader.trouble:
            self._probe()
        if self._pending is None and self._reader.assigned:
            self._begin()
        if self._pending and self._is_due(self._pending):
            self._flush(self._pending)
        if self._catch_up and not self.is_finished:
            self.is_finished = self._is_all_landed(self._catch_up)

    def _begin(self) -> None:
        """Start the assigned partitions where the table says."""
        opened = self._opening.begin()
        if opened:
            batch = Batch(self._parser)
            self._pending = Pending(*opened, self._reader.assigned, batch, self._limits)

    def _is_due(self, pending: Pending) -> bool:
        """True if what is pending should be committed now."""
        return pending.is_due(
            self._reader.ends,
            self._clock.monotonic(),
            is_read_to_end=self._is_read_to_end(pending),
        )

    def _flush(self, pending: Pending) -> None:
        """Commit what is pending, or drop it if another lander committed the same messages."""
        if self._reader.topic_id() != pending.topic_id:
            self._pending = None
            return
        watermark = pending.watermark
        for _ in range(COMMIT_TRIES):
            if not may_write(pending.watermark, watermark, pending.partitions):
                LOG.info("batch dropped topic=%s reason=landed_already", self.topic.name)
                self._pending = None
                return
            try:
                self._commit(pending, watermark)
                return
            except StaleTableError:
                watermark = self._table.open(pending.watermark)
        raise RetriableError(
            f"a commit to {self.topic.name}",
            f"{COMMIT_TRIES} conflicts in a row",
            "it is tried again",
        )

    def _commit(self, pending: Pending, watermark: Watermark) -> None:
        """Write what is pending and where it goes on, at this watermark."""
        following = pending.following(watermark, self._reader.ends, self._clock.now())
        if len(pending.batch):
            self._write(pending, watermark, following)
        else:
            self._table.move(watermark, following)
            LOG.info("moved topic=%s skipped=%s", self.topic.name, dict(following.skipped))
        self._pending = pending.after(following)
        self._reader.commit(
            {p: o for p, o in following.offsets.items() if o != watermark.offsets.get(p)}
        )

    def _write(self, pending: Pending, watermark: Watermark, following: Watermark) -> None:
        """Write the batch onto the table at this watermark, which leaves it at `following`."""
        started, batch = self._clock.monotonic(), pending.batch
        ends = watermark.ends_of(pending.topic_id)
        stamp = Stamp(following.batch_id, following.landed_at, pending.topic_id, ends)
        rows = batch.sorted_rows(self.topic.sort_by, stamp)
        size = self._table.commit(rows, watermark, following)
        self.health = self.health.after_commit(len(batch), size, following.landed_at)
        LOG.info(
            "committed topic=%s batch=%d rows=%d bytes=%d seconds=%.2f lag=%d",
            self.topic.name,
            following.batch_id,
            len(batch),
            size,
            self._clock.monotonic() - started,
            self._reader.lag(),
        )

    def _is_read_to_end(self, pending: Pending) -> bool:
        """True if our partitions have been read as far as this run goes."""
        return self._catch_up is not None and self._catch_up.is_reached(
            pending.next_offsets, pending.partitions
        )

    def _is_all_landed(self, catch_up: CatchUp) -> bool:
        """True if the table holds all that this run is for, by us or by others."""
        pending = self._pending
        if pending and (len(pending.batch) or not self._is_read_to_end(pending)):
            return False
        return catch_up.is_landed(self._opening.open)

    def _wait(self, error: Exception) -> None:
        """Hold on until the trouble may be over; tell of it once.

        Reading begins from the table afterwards: it alone knows whether a commit whose answer got
        lost was made, and nothing gathers in memory meanwhile.
        """
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        if self.health.state != "waiting":
            LOG.warning("waiting topic=%s reason=%s", self.topic.name, reason)
        self.health = replace(self.health, state="waiting", reason=reason)
        self._reader.stop()
        self._pending = None
        self._patience.lose()

    def _show_state(self) -> None:
        """Go on after a round without trouble of ours, and tell how it is."""
        self._patience.restore()
        reason = self._reader.trouble
        if reason is None and not self._reader.assigned:
            reason = "no partition assigned to this lander"
        state = "waiting" if reason else "running"
        if state != self.health.state:
            LOG.info("state topic=%s state=%s reason=%s", self.topic.name, state, reason)
        self.health = replace(
            self.health,
            state=state,
            reason=reason,
            partitions=tuple(sorted(self._reader.assigned)),
            lag=self._reader.lag(),
        )

    def _probe(self) -> None:
        """See whether Kafka is back, which an idle topic would not tell."""
        self._reader.partitions()
        self._reader.trouble = None
