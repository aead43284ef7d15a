"""What was found when everybody was asked: producers, broker, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stack.books.registers import Registers

Offsets = Mapping[int, int]


@dataclass(frozen=True)
class Difference:
    """Two accounts of the same messages that do not agree."""

    wanted: str
    found: str
    next_step: str

    def __str__(self) -> str:
        return f"wanted {self.wanted}; found {self.found}; {self.next_step}"


@dataclass(frozen=True)
class TopicState:
    """What the broker holds of a topic: per partition offsets from begin up to, excluding, end.

    end: as far as readers of committed messages get. written: where the partitions end, with what
    an open transaction holds back from them; no entry where nothing is.
    """

    topic_id: str
    begin: Offsets
    end: Offsets
    written: Offsets = field(default_factory=dict)

    @property
    def held_back(self) -> int:
        """Offsets that an open transaction holds back."""
        return sum(max(0, end - self.end.get(p, 0)) for p, end in self.written.items())

    def written_end(self, partition: int) -> int:
        """Where a partition ends; 0 if there is none."""
        return max(self.end.get(partition, 0), self.written.get(partition, 0))


@dataclass(frozen=True)
class Acknowledged:
    """What the producers that report were acknowledged in one partition.

    topic_id: Kafka's id of the topic then. count: messages; last_offset: the greatest one.
    """

    topic: str
    topic_id: str
    partition: int
    count: int
    last_offset: int


@dataclass(frozen=True)
class Head:
    """A table's newest state, from its metadata.

    snapshot_id: None before the first commit; rows: None where metadata cannot tell; files: data
    and delete files; snapshots: kept ones; properties: those named meterhouse.*.
    """

    snapshot_id: int | None = None
    rows: int | None = 0
    files: int = 0
    snapshots: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LandedBatch:
    """A landing batch; number 0 stands before the first. landed_at: ISO 8601, empty for 0."""

    number: int = 0
    landed_at: str = ""


START = LandedBatch()


@dataclass(frozen=True)
class LandedRows:
    """Rows of a landing table after a batch, of one topic id and partition.

    rows, offsets: all of them, and how many distinct offsets they have, from first to last.
    rows_through, end_through: those up to a second batch, and the offset after their last
    (None where there are none). skipped: offsets before them that hold no message.
    """

    topic_id: str
    partition: int
    rows: int
    offsets: int
    first: int
    last: int
    rows_through: int
    end_through: int | None
    skipped: int = 0


@dataclass(frozen=True)
class OutcomeRows:
    """Rows of an outcome table after a batch, of one reason ('' for accepted ones).

    rows: all of them; rows_through: those up to a second batch.
    """

    reason: str
    rows: int
    rows_through: int


@dataclass(frozen=True)
class Evidence:
    """What was asked once for a reconciliation, in this order.

    acknowledged, then begin of the topics, heads of the tables, end of the topics: so that each
    account is at least as new as the one it must not exceed. A topic that is not there is absent.
    registers: last of all; empty where the plan names no view of them.
    """

    acknowledged: Sequence[Acknowledged]
    topics: Mapping[str, TopicState]
    heads: Mapping[str, Head]
    registers: Registers = field(default_factory=Registers)
