"""Kafka, the table and time as plain objects, for tests of the loop between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from lander.batch import Chunk
from lander.table import StaleTableError
from stack.watermarks.landed import Bounds, Loss, Watermark, record_losses

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """Where the clock stands."""
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self.seconds

    def pass_seconds(self, seconds: float) -> None:
        """Move the clock."""
        self.seconds += seconds


class FakeTopic:
    """A topic: per partition a list of (offset, message), and the earliest offset held.

    tails: where a partition ends if its last offsets hold no message; held_back: how many offsets
    after it an open transaction keeps from readers.
    """

    def __init__(self, partitions: int = 1) -> None:
        self.id = "first"
        self.messages: dict[int, list[tuple[int, bytes]]] = {p: [] for p in range(partitions)}
        self.earliest = dict.fromkeys(range(partitions), 0)
        self.tails: dict[int, int] = {}
        self.held_back: dict[int, int] = {}
        self.epoch = 0
        self.epochs: dict[tuple[int, int], int] = {}

    def send(self, *messages: bytes, partition: int = 0) -> None:
        """Append messages to a partition."""
        end = self.end(partition)
        self.messages[partition] += [(end + i, m) for i, m in enumerate(messages)]
        self.epochs |= {(partition, end + i): self.epoch for i in range(len(messages))}

    def cut(self, end: int, partition: int = 0) -> None:
        """Lose the messages from `end` on, as in a power cut, and go on in a new epoch."""
        self.messages[partition] = [held for held in self.messages[partition] if held[0] < end]
        self.tails.pop(partition, None)
        self.epoch += 1

    def end_of_epoch(self, epoch: int, partition: int) -> int:
        """Where the messages of this epoch and those before end."""
        offsets = (offset for offset, _ in self.messages[partition])
        held = [each for each in offsets if self.epochs.get((partition, each), 0) <= epoch]
        return max(held, default=self.earliest[partition] - 1) + 1

    def end(self, partition: int) -> int:
        """The offset of the next message."""
        held = self.messages[partition]
        end = held[-1][0] + 1 if held else self.earliest[partition]
        return max(end, self.tails.get(partition, 0))


class FakeReader:
    """A consumer of a FakeTopic. Sets `error` to raise it from every request."""

    def __init__(self, topic: FakeTopic, assigned: Iterable[int] = ()) -> None:
        self.topic = topic
        self.assigned = frozenset(assigned or topic.messages)
        self.generation = 1
        self.ends: dict[int, int] = {}
        self.needs_restart = False
        self.trouble: str | None = None
        self.error: Exception | None = None
        self.positions: dict[int, int] = {}
        self.started_with: dict[int, int] = {}
        self.shown: dict[int, int] = {}
        self.is_left_out_by_group = False
        self.is_closed = False
        self.tells_ends = True

    def assign(self, *partitions: int) -> None:
        """What the group does in a rebalance."""
        self.assigned = frozenset(partitions)
        self.generation += 1
        self.positions = {}

    def read(self, count: int, timeout: float) -> Chunk:
        """All that is there from the positions on, up to `count`."""
        rows = list(self._rows())[:count]
        for partition, offset, _ in rows:
            self.positions[partition] = offset + 1
        if len(rows) < count and self.tells_ends:
            self.ends = {p: self.topic.end(p) for p in self.positions}
        return Chunk(
            partitions=np.array([row[0] for row in rows], np.int32),
            offsets=np.array([row[1] for row in rows], np.int64),
            times_ms=np.zeros(len(rows), np.int64),
            keys=[None] * len(rows),
            messages=[row[2] for row in rows],
            epochs={p: self.topic.epochs.get((p, offset), 0) for p, offset, _ in rows},
        )

    def _rows(self) -> Iterable[tuple[int, int, bytes]]:
        for partition, position in self.positions.items():
            for offset, message in self.topic.messages[partition]:
                if offset >= position:
                    yield partition, offset, message

    def start(self, positions: Mapping[int, int], epochs: Mapping[int, int]) -> None:
        """Set the positions."""
        self.positions, self.started_with = dict(positions), dict(epochs)
        self.ends = {}

    def stop(self) -> None:
        """Give no messages until started again."""
        self.positions = {}

    def bounds(self, partitions: Iterable[int]) -> dict[int, Bounds]:
        """What the topic holds."""
        self._answer()
        return {p: Bounds(self.topic.earliest[p], self.topic.end(p)) for p in partitions}

    def cuts(self, offsets: Mapping[int, int], epochs: Mapping[int, int]) -> dict[int, int]:
        """Where the epochs end, if that is before the offsets."""
        self._answer()
        ends = {p: self.topic.end_of_epoch(epochs[p], p) for p in offsets if p in epochs}
        return {partition: end for partition, end in ends.items() if end < offsets[partition]}

    def written_ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """Where the topic ends, whatever readers get of it."""
        self._answer()
        return {p: self.topic.end(p) + self.topic.held_back.get(p, 0) for p in partitions}

    def topic_id(self) -> str:
        """Id of the topic."""
        self._answer()
        return self.topic.id

    def partitions(self) -> frozenset[int]:
        """All partitions."""
        self._answer()
        return frozenset(self.topic.messages)

    def is_left_out(self) -> bool:
        """As the test says."""
        return self.is_left_out_by_group

    def lag(self) -> int:
        """Nothing is ever behind."""
        return 0

    def commit(self, next_offsets: Mapping[int, int]) -> None:
        """Keep what was shown."""
        self.shown.update(next_offsets)

    def close(self) -> None:
        """Note the farewell."""
        self.is_closed = True

    def _answer(self) -> None:
        if self.error:
            raise self.error


class FakeLake:
    """The stored table: rows of (batch, partition, offset, message) and what its property says."""

    def __init__(self) -> None:
        self.watermark: Watermark | None = None
        self.rows: list[tuple[int, int, int, str]] = []
        self.losses: list[Loss] = []
        self.state = 0

    @property
    def coordinates(self) -> list[tuple[int, int]]:
        """Partition and offset of all rows, sorted."""
        return sorted((partition, offset) for _, partition, offset, _ in self.rows)


class FakeTable:
    """One lander's handle on a FakeLake: a commit on another state than it has read is refused.

    error: raised by the next commit, which is lost, or done all the same if `is_done_anyway`.
    before_open, after_open: what others do just before or after the next look at the state.
    """

    def __init__(self, lake: FakeLake) -> None:
        self.lake = lake
        self.state = -1
        self.error: Exception | None = None
        self.is_done_anyway = False
        self.commits = 0
        self.moves = 0
        self.before_open: Callable[[], None] | None = None
        self.after_open: Callable[[], None] | None = None

    def open(self, start: Watermark) -> Watermark:
        """Read the state; the first one to come sets it."""
        before, self.before_open = self.before_open, None
        if before:
            before()
        if self.lake.watermark is None:
            self.lake.watermark = start
        self.state, watermark = self.lake.state, self.lake.watermark
        after, self.after_open = self.after_open, None
        if after:
            after()
        return watermark

    def commit(self, groups: Iterable[pa.Table], watermark: Watermark, following: Watermark) -> int:
        """Do it, unless the state is stale or an error is set."""
        self._check(watermark)
        error, self.error = self.error, None
        if error and not self.is_done_anyway:
            raise error
        names = ("batch_id", "kafka_partition", "kafka_offset", "message")
        for group in groups:
            self.lake.rows += zip(*(group.column(name).to_pylist() for name in names), strict=True)
        self._move_to(following)
        self.commits += 1
        if error:
            raise error
        return 1

    def record(self, losses: Sequence[Loss]) -> None:
        """Keep the losses."""
        self.lake.losses = record_losses(self.lake.losses, losses)

    def move(self, watermark: Watermark, following: Watermark, losses: Sequence[Loss] = ()) -> None:
        """Go on elsewhere, past losses that are accepted by it, unless the state is stale."""
        self._check(watermark)
        self.moves += 1
        self.record([replace(loss, is_accepted=True) for loss in losses])
        self._move_to(following)

    def _check(self, watermark: Watermark) -> None:
        if self.state != self.lake.state or watermark != self.lake.watermark:
            raise StaleTableError("the state that was read", "another", "read again")

    def _move_to(self, watermark: Watermark) -> None:
        self.lake.watermark = watermark
        self.lake.state += 1
        self.state = self.lake.state
