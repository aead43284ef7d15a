"""One row of the books: what a reconciliation found, as the ledger's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stack.books.evidence import Difference

BALANCED, DIFFERENCE = "balanced", "difference"
INCREMENT, FULL = "increment", "full"
BY_TOPIC = "map(varchar, bigint)"
BY_PARTITION = "map(varchar, map(integer, bigint))"

# Column -> its type and what it says; the fields of Report in their order.
COLUMNS = {
    "reconciled_at": ("timestamp(6) with time zone", "When everybody was asked."),
    "extent": ("varchar", "increment: what is new since the row before; full: everything."),
    "result": ("varchar", "balanced, or difference."),
    "differences": ("array(varchar)", "Each as: wanted, found, what to do; empty if balanced."),
    "acknowledged": (
        BY_TOPIC,
        "Messages of the topic that reporting producers (simulator, replay) were acknowledged; "
        "no entry where none reports.",
    ),
    "broker_begin_offsets": (BY_PARTITION, "First offset that Kafka holds, by partition."),
    "broker_end_offsets": (
        BY_PARTITION,
        "Offset up to which Kafka gives committed messages to readers, by partition.",
    ),
    "landed_offsets": (BY_PARTITION, "Next offset to land, by partition."),
    "lag_messages": (BY_TOPIC, "Messages in Kafka that have not landed."),
    "lag_seconds": ("map(varchar, double)", "Age of the oldest of them; 0 if there is none."),
    "landed": (BY_TOPIC, "Landed messages through the batch that the models have dealt with."),
    "unprocessed": (BY_TOPIC, "Messages that landed after that batch."),
    "accepted": (BY_TOPIC, "Landed messages that staging accepted."),
    "quarantined": ("map(varchar, map(varchar, bigint))", "The others, by reason."),
    "flagged": (
        "map(varchar, map(varchar, bigint))",
        "Accepted messages with a field that could not be used, by field:reason.",
    ),
    "lost": (BY_TOPIC, "Messages recorded as lost before they landed, accepted or not."),
    "duplicates": (
        BY_TOPIC,
        "Accepted messages beyond the first of their reading: duplicates, corrections, superseded.",
    ),
    "register_spans": (
        "map(varchar, bigint)",
        "Spans between register reads of the last 31 days, by status, as "
        "marts.register_reconciliation judges them; without those that ended in the last 6 hours.",
    ),
    "register_difference_kwh": (
        "map(varchar, double)",
        "What their energies and registers differ by, beyond the tolerance, by cause.",
    ),
    "table_rows": (BY_TOPIC, "Rows of every table, by schema.table."),
    "table_files": (BY_TOPIC, "Data and delete files of every table's newest snapshot."),
    "table_snapshots": (BY_TOPIC, "Snapshots that every table keeps."),
    "snapshot_ids": (BY_TOPIC, "Newest snapshot of every table: the state that was reconciled."),
    "model_seconds": ("map(varchar, double)", "Duration of each model of the round; none by hand."),
    "counted": ("varchar", "JSON that the next row counts on from; not for people."),
}

# Columns that the ledger of 0.1.0 does not have.
ADDED = ("flagged", "register_spans", "register_difference_kwh")

ByTopic = Mapping[str, int]
ByPartition = Mapping[str, Mapping[int, int]]


@dataclass(frozen=True)
class Report:
    """What a reconciliation found; COLUMNS explains each field.

    held_back: topic -> offsets that an open transaction keeps from readers at this moment; it is
    told, not kept.
    """

    reconciled_at: datetime
    extent: str
    differences: tuple[Difference, ...] = ()
    acknowledged: ByTopic = field(default_factory=dict)
    broker_begin_offsets: ByPartition = field(default_factory=dict)
    broker_end_offsets: ByPartition = field(default_factory=dict)
    landed_offsets: ByPartition = field(default_factory=dict)
    lag_messages: ByTopic = field(default_factory=dict)
    lag_seconds: Mapping[str, float] = field(default_factory=dict)
    landed: ByTopic = field(default_factory=dict)
    unprocessed: ByTopic = field(default_factory=dict)
    accepted: ByTopic = field(default_factory=dict)
    quarantined: Mapping[str, ByTopic] = field(default_factory=dict)
    flagged: Mapping[str, ByTopic] = field(default_factory=dict)
    lost: ByTopic = field(default_factory=dict)
    duplicates: ByTopic = field(default_factory=dict)
    register_spans: Mapping[str, int] = field(default_factory=dict)
    register_difference_kwh: Mapping[str, float] = field(default_factory=dict)
    table_rows: ByTopic = field(default_factory=dict)
    table_files: ByTopic = field(default_factory=dict)
    table_snapshots: ByTopic = field(default_factory=dict)
    snapshot_ids: ByTopic = field(default_factory=dict)
    model_seconds: Mapping[str, float] = field(default_factory=dict)
    counted: str = "{}"
    held_back: ByTopic = field(default_factory=dict)

    @property
    def result(self) -> str:
        """BALANCED or DIFFERENCE."""
        return DIFFERENCE if self.differences else BALANCED
