"""The metrics as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client.metrics_core import GaugeMetricFamily

from stack.books.facts import Facts
from stack.books.report import DIFFERENCE

PREFIX = "meterhouse_"
# What a round can end with, as the health file says it.
RESULTS = (
    "ok",
    "nothing new",
    "waiting for landing tables",
    "skipped",
    "failed",
    "difference",
    "stopped",
)
# Column of the ledger -> metric of it and its help, each by topic.
BY_TOPIC = {
    "acknowledged": ("acknowledged_messages", "Messages that reporting producers were told of."),
    "landed": ("landed_messages", "Landed messages that the models have dealt with."),
    "unprocessed": ("unprocessed_messages", "Landed messages that the models have not dealt with."),
    "accepted": ("accepted_messages", "Landed messages that staging accepted."),
    "duplicates": ("duplicate_messages", "Accepted messages beyond the first of their reading."),
    "lost": ("lost_messages", "Messages recorded as lost before they landed."),
    "lag_seconds": ("reconciled_lag_seconds", "Age of the oldest message that waited to land."),
}
# The same by table.
BY_TABLE = {
    "table_rows": ("table_rows", "Rows of a table."),
    "table_files": ("table_files", "Data and delete files of a table's newest snapshot."),
    "table_snapshots": ("table_snapshots", "Snapshots that a table keeps."),
}

OF_BACKUP = {
    "taken_at": ("backup_timestamp_seconds", "When the newest backup was begun."),
    "fills_gap_until": (
        "backup_fills_gap_until_timestamp_seconds",
        "Until when a restore of it can begin and the topics fill the gap.",
    ),
}


def families(facts: Facts) -> Iterator[GaugeMetricFamily]:
    """Every metric of which something is known."""
    up = [([source], float(is_up)) for source, is_up in sorted(facts.up.items())]
    yield gauge("source_up", "Whether what the metrics are made of answered.", ["source"], up)
    yield from of_rounds(facts.health)
    yield from of_landing(facts)
    yield from of_ledger(facts.row)
    yield from of_backup(facts.backup)


def gauge(
    name: str,
    text: str,
    labels: Iterable[str] = (),
    samples: Iterable[tuple[Iterable[str], float]] = (),
) -> GaugeMetricFamily:
    """A metric with its samples, each of label values and a value."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=list(labels))
    for values, value in samples:
        family.add_metric(list(values), value)
    return family


def single(name: str, text: str, value: float) -> GaugeMetricFamily:
    """A metric of one value."""
    return gauge(name, text, samples=[((), value)])


def of_rounds(health: Mapping[str, Any]) -> Iterator[GaugeMetricFamily]:
    """How the rounds are, from the runner's health file."""
    if not health:
        return
    failures = float(health.get("consecutive_failures", 0))
    yield single("round_consecutive_failures", "Bad rounds since the last good one.", failures)
    if health.get("seconds") is not None:
        yield single("round_duration_seconds", "Of the last round.", float(health["seconds"]))
    if health.get("result"):
        said = str(health["result"]).partition(":")[0]
        results = [([each], float(each == said)) for each in RESULTS]
        yield gauge("round_result", "1 for how the last round ended.", ["result"], results)
    if health.get("last_success_at"):
        yield single(
            "round_last_success_timestamp_seconds",
            "End of the last good round of this runner.",
            datetime.fromisoformat(health["last_success_at"]).timestamp(),
        )


def of_landing(facts: Facts) -> Iterator[GaugeMetricFamily]:
    """How far landing is, at this moment."""
    lags = [
        ([topic, str(partition)], float(count))
        for topic, partitions in sorted(facts.lag.items())
        for partition, count in sorted(partitions.items())
    ]
    if lags:
        labels = ["topic", "partition"]
        yield gauge("lag_messages", "Messages in Kafka that have not landed.", labels, lags)
    if facts.held_back:
        text = "Offsets in Kafka that an open transaction keeps from readers."
        held = [([topic], float(count)) for topic, count in sorted(facts.held_back.items())]
        yield gauge("held_back_messages", text, ["topic"], held)
    if facts.landed_at:
        times = [([topic], at) for topic, at in sorted(facts.landed_at.items())]
        yield gauge("landed_timestamp_seconds", "Last landing commit.", ["topic"], times)


def of_backup(backup: Mapping[str, float]) -> Iterator[GaugeMetricFamily]:
    """The newest backup, as far as there is one."""
    for column, (name, text) in OF_BACKUP.items():
        if column in backup:
            yield single(name, text, backup[column])


def of_ledger(row: Mapping[str, Any]) -> Iterator[GaugeMetricFamily]:
    """What the last reconciliation found."""
    if not row:
        return
    text = "Accounts of the last reconciliation that do not agree."
    count = len(row["differences"]) if row["result"] == DIFFERENCE else 0
    yield single("reconciliation_differences", text, float(count))
    at = row["reconciled_at"].timestamp()
    yield single("reconciliation_timestamp_seconds", "When it was.", at)
    for column, (name, help_text) in BY_TOPIC.items():
        samples = [([topic], float(value)) for topic, value in sorted(row[column].items())]
        yield gauge(name, help_text, ["topic"], samples)
    reasons = [
        ([topic, reason], float(count))
        for topic, counts in sorted(row["quarantined"].items())
        for reason, count in sorted(counts.items())
    ]
    labels = ["topic", "reason"]
    yield gauge("quarantined_messages", "Landed messages not accepted.", labels, reasons)
    flags = [
        ([topic, *flag.split(":")], float(count))
        for topic, counts in sorted((row["flagged"] or {}).items())
        for flag, count in sorted(counts.items())
    ]
    labels = ["topic", "field", "reason"]
    text = "Accepted messages with a field that could not be used."
    yield gauge("flagged_messages", text, labels, flags)
    spans = [([status], float(n)) for status, n in sorted((row["register_spans"] or {}).items())]
    yield gauge("register_spans", "Spans between register reads.", ["status"], spans)
    kwh = sorted((row["register_difference_kwh"] or {}).items())
    text = "What energies and registers differ by, beyond the tolerance."
    by_cause = [([cause], float(difference)) for cause, difference in kwh]
    yield gauge("register_difference_kwh", text, ["cause"], by_cause)
    for column, (name, help_text) in BY_TABLE.items():
        tables = [(table.split("."), float(n)) for table, n in sorted(row[column].items())]
        yield gauge(name, help_text, ["layer", "table"], tables)
    models = [([model], float(took)) for model, took in sorted(row["model_seconds"].items())]
    yield gauge("model_duration_seconds", "Of the last reconciled round.", ["model"], models)
