"""Collect what is read of a topic until it is committed, and say when that is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lander.batch import Batch, Chunk
from stack.watermarks.landed import Watermark

BATCH_BYTES = 48 * 2**20


@dataclass(frozen=True)
class Limits:
    """When a batch is committed: after so many seconds, rows or bytes, whichever comes first."""

    seconds: float
    rows: int
    byte_count: int = BATCH_BYTES


class Pending:
    """What was read of some partitions since the table's watermark, and is not committed.

    topic_id: of the topic that was read; batch: the messages. Places where the partitions were
    read to their end (`ends`: partition -> offset) are the caller's to keep.
    """

    def __init__(
        self,
        watermark: Watermark,
        topic_id: str,
        partitions: frozenset[int],
        batch: Batch,
        limits: Limits,
    ) -> None:
        self.watermark = watermark
        self.topic_id = topic_id
        self.partitions = partitions
        self.batch = batch
        self._limits = limits
        # Since when offsets that were read on without a message wait to be stored.
        self._moved_at: float | None = None

    @property
    def next_offsets(self) -> dict[int, int]:
        """Partition -> the offset after its last message, as far as we know."""
        return {**self.watermark.offsets_of(self.topic_id), **self.batch.next_offsets}

    def add(self, chunk: Chunk, now: float) -> None:
        """Take up what follows; now: monotonic seconds."""
        self.batch.add(chunk, now)

    def is_empty(self, ends: Mapping[int, int]) -> bool:
        """True if there is nothing to commit: no message, and no offset read on without one."""
        return not len(self.batch) and self.watermark.read_to(self._ours(ends)) == self.watermark

    def is_due(self, ends: Mapping[int, int], now: float, *, is_read_to_end: bool) -> bool:
        """True if it should be committed now, at the latest when the run has read to its end."""
        if self.is_empty(ends):
            self._moved_at = None
            return False
        if len(self.batch):
            since = self.batch.started_at
        else:
            since = self._moved_at = now if self._moved_at is None else self._moved_at
        return (
            is_read_to_end
            or now - since >= self._limits.seconds
            or len(self.batch) >= self._limits.rows
            or self.batch.byte_count >= self._limits.byte_count
        )

    def following(self, watermark: Watermark, ends: Mapping[int, int], now: datetime) -> Watermark:
        """The watermark once this was committed onto another one."""
        if len(self.batch):
            batch = self.batch
            watermark = watermark.following(batch.next_offsets, now, self.topic_id, batch.epochs)
        return watermark.read_to(self._ours(ends))

    def after(self, watermark: Watermark) -> Pending:
        """What is pending once this was committed: nothing."""
        return Pending(
            watermark, self.topic_id, self.partitions, Batch(self.batch.parser), self._limits
        )

    def _ours(self, ends: Mapping[int, int]) -> dict[int, int]:
        return {p: end for p, end in ends.items() if p in self.partitions}
