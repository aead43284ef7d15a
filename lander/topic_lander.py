"""Land one topic: read, parse, commit, and find the way back after any trouble."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from confluent_kafka import KafkaException
from sqlalchemy.exc import SQLAlchemyError

from lander.batch import Batch, Stamp
from lander.catch_up import CatchUp
from lander.clock import Clock, Patience
from lander.consumer import Reader
from lander.group_watch import GroupWatch
from lander.health import Health
from lander.pace import Pace
from lander.parse import parser_for
from lander.table import LandingTable, StaleTableError
from lander.topics import Topic
from stack.base.errors import FatalError, RetriableError
from stack.watermarks.landed import Landed, Loss, may_write, plan_start

LOG = logging.getLogger("lander")
BATCH_BYTES = 48 * 2**20
COMMIT_TRIES = 10
# What services that are away raise; the same call can succeed later.
TROUBLE = (RetriableError, KafkaException, SQLAlchemyError, OSError)


class LostMessagesError(FatalError):
    """Kafka no longer holds messages that have not landed."""


@dataclass(frozen=True)
class Limits:
    """When a batch is committed: after so many seconds, rows or bytes, whichever comes first."""

    seconds: float
    rows: int
    byte_count: int = BATCH_BYTES


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
        self.health = Health()
        self.is_finished = False
        self._reader = reader
        self._table = table
        self._limits = limits
        self._clock = clock
        self._accept_loss = accept_loss
        self._parser = parser_for(topic)
        self._batch = Batch(self._parser)
        self._generation = reader.generation
        # The table's state that our positions came from, kept up by our own commits.
        self._read_from: Landed | None = None
        self._topic_id = ""
        self._mine: frozenset[int] = frozenset()
        self._pace = Pace()
        self._group = GroupWatch(topic.name, reader, clock)
        self._catch_up = CatchUp(topic.name, reader, clock) if stop_at_end else None
        # Since when positions that moved on without a message wait to be stored.
        self._moved_at: float | None = None
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
        base = self._read_from
        try:
            if base and self.health.state == "running" and (len(self._batch) or self._moved(base)):
                self._flush(base)
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
            self._forget()
        elif len(chunk) and self._read_from:
            self._batch.add(chunk, self._clock.monotonic())

    def _work(self) -> None:
        """Do what is due now."""
        if self._catch_up:
            self._catch_up.begin()
        if self._reader.trouble:
            self._probe()
        if self._read_from is None and self._reader.assigned:
            self._position()
        if self._read_from and self._is_due(self._read_from):
            self._flush(self._read_from)
        if self._catch_up and not self.is_finished and not len(self._batch):
            self.is_finished = self._is_all_landed(self._catch_up)

    def _position(self) -> None:
        """Read the table's state and start the assigned partitions where it says."""
        now = self._clock.now()
        landed, topic_id = self._open(now)
        mine = self._reader.assigned
        # Asked after the table: what another lander lands meanwhile is no end that is too far.
        bounds = self._reader.bounds(mine)
        ends = {p: end for p, end in landed.ends_of(topic_id).items() if p in mine}
        cuts = self._reader.cuts(ends, landed.epochs_of(topic_id))
        start = plan_start(landed, bounds, topic_id, now, cuts)
        if start.losses:
            if self._table.open(landed) != landed:
                # Another lander went on meanwhile, and what looks lost may have landed: look again.
                return
            self._report(start.losses)
            moved = landed.moved_to(start.positions, topic_id)
            self._table.move(landed, moved, start.losses)
            landed = moved
        self._read_from, self._topic_id, self._mine = landed, topic_id, mine
        known = landed.ends_of(topic_id)
        epochs = landed.epochs_of(topic_id).items()
        # Of a reader that begins after the last message its epoch says nothing.
        valid = {p: epoch for p, epoch in epochs if start.reading.get(p) == known[p]}
        self._reader.start(start.reading, valid)
        LOG.info("reading topic=%s positions=%s", self.topic.name, dict(start.reading))

    def _open(self, now: datetime) -> tuple[Landed, str]:
        """What the table says, and the topic's id.

        A table that is not there yet begins with the offsets that Kafka holds now.
        """
        topic_id = self._reader.topic_id()
        bounds = self._reader.bounds(self._reader.partitions())
        earliest = {partition: held.earliest for partition, held in bounds.items()}
        return self._table.open(Landed(0, now, earliest, topic_id)), topic_id

    def _report(self, losses: tuple[Loss, ...]) -> None:
        """Say what was lost. Raises LostMessagesError unless it was accepted beforehand."""
        for loss in losses:
            LOG.error("messages lost topic=%s %s", self.topic.name, loss)
        if not self._accept_loss:
            self._table.record(losses)
            raise LostMessagesError(
                f"topic {self.topic.name} from where its table ends",
                "; ".join(map(str, losses)),
                "go on without these messages: python -m lander --accept-loss",
            )

    def _moved(self, base: Landed) -> bool:
        """True if partitions were read on from `base`, batch aside, without a message."""
        return base.read_to(self._ends()) != base

    def _ends(self) -> dict[int, int]:
        """Where our partitions were last seen read to their end."""
        return {p: end for p, end in self._reader.ends.items() if p in self._mine}

    def _is_move_due(self, base: Landed) -> bool:
        """True if positions that moved on without a message should be stored now."""
        if not self._moved(base):
            self._moved_at = None
            return False
        now = self._clock.monotonic()
        self._moved_at = now if self._moved_at is None else self._moved_at
        return now - self._moved_at >= self._limits.seconds or self._is_read_to_end()

    def _is_due(self, base: Landed) -> bool:
        """True if the batch, or where it would go on, should be committed now."""
        if not len(self._batch):
            return self._is_move_due(base)
        age = self._clock.monotonic() - self._batch.started_at
        return (
            age >= self._limits.seconds
            or len(self._batch) >= self._limits.rows
            or self._batch.byte_count >= self._limits.byte_count
            or self._is_read_to_end()
        )

    def _flush(self, base: Landed) -> None:
        """Commit the batch, or drop it if another lander committed the same messages.

        base: the table's state from which the batch was read.
        """
        if self._reader.topic_id() != self._topic_id:
            self._forget()
            return
        landed = base
        for _ in range(COMMIT_TRIES):
            if not may_write(base, landed, self._mine):
                LOG.info("batch dropped topic=%s reason=landed_already", self.topic.name)
                self._forget()
                return
            try:
                self._commit(landed)
                return
            except StaleTableError:
                landed = self._table.open(base)
        raise RetriableError(
            f"a commit to {self.topic.name}",
            f"{COMMIT_TRIES} conflicts in a row",
            "it is tried again",
        )

    def _commit(self, landed: Landed) -> None:
        """Write the batch and where it goes on onto the table's state `landed`."""
        batch = self._batch
        if len(batch):
            following = landed.following(
                batch.next_offsets, self._clock.now(), self._topic_id, batch.epochs
            ).read_to(self._ends())
            self._write(landed, following)
        else:
            following = landed.read_to(self._ends())
            self._table.move(landed, following)
            LOG.info("moved topic=%s skipped=%s", self.topic.name, dict(following.skipped))
        self._read_from, self._batch, self._moved_at = following, Batch(self._parser), None
        self._reader.commit(
            {p: o for p, o in following.offsets.items() if o != landed.offsets.get(p)}
        )

    def _write(self, landed: Landed, following: Landed) -> None:
        """Write the batch onto the table's state `landed`, which leaves it at `following`."""
        started, batch = self._clock.monotonic(), self._batch
        ends = landed.ends_of(self._topic_id)
        stamp = Stamp(following.batch_id, following.landed_at, self._topic_id, ends)
        rows = batch.sorted_rows(self.topic.sort_by, stamp)
        size = self._table.commit(rows, landed, following)
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

    def _is_read_to_end(self) -> bool:
        """True if our partitions have been read as far as this run goes."""
        landed = self._read_from.offsets_of(self._topic_id) if self._read_from else {}
        known = {**landed, **self._batch.next_offsets}
        return self._catch_up is not None and self._catch_up.is_reached(known, self._mine)

    def _is_all_landed(self, catch_up: CatchUp) -> bool:
        """True if the table holds all that this run is for, by us or by others."""
        if self._read_from and not self._is_read_to_end():
            return False
        return catch_up.is_landed(lambda: self._open(self._clock.now()))

    def _forget(self) -> None:
        """Drop what is not committed; the next round begins from the table."""
        self._batch = Batch(self._parser)
        self._read_from, self._mine, self._moved_at = None, frozenset(), None

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
        self._forget()
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
