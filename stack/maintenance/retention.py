"""Whether Kafka keeps each topic long enough that the lander cannot be overtaken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stack.clients.kafka import (
    BROKER_TIME,
    EARLIEST,
    LATEST,
    READABLE,
    TIME_SETTING,
    Administrator,
    configurations,
    describe,
    offsets,
    places_of,
)
from stack.clients.trino import Trino
from stack.maintenance.tables import Table
from stack.watermarks.landed import Watermark

ANSWER_SECONDS = 10.0
LANDED_SQL = "select value from {properties} where key = 'meterhouse.landed'"
HOUR_MS = 3_600_000
# A night and a day: the time to notice that nothing lands, and to fix it.
LEAST_HOURS = 24.0


@dataclass(frozen=True)
class Held:
    """What Kafka says of a topic. configuration: its settings; bounds: partition -> first, end."""

    configuration: Mapping[str, str]
    bounds: Mapping[int, tuple[int, int]]


@dataclass(frozen=True)
class Retention:
    """How safe a topic is.

    hours: left until Kafka may delete what has not landed, None where no time is set;
    problems: what should be changed, none if all is well.
    """

    topic: str
    hours: float | None
    problems: tuple[str, ...]

    def __str__(self) -> str:
        hours = "without limit" if self.hours is None else f"{self.hours:.0f} h to spare"
        return f"topic {self.topic}: {hours}" + "".join(f"; {text}" for text in self.problems)


def judge(topic: str, watermark: Watermark, held: Held, now: datetime) -> Retention:
    """Compare a watermark with what Kafka keeps.

    All that has not landed came after the table's last commit, so none of it is older than that.
    """
    waiting = {p for p, (_, end) in held.bounds.items() if watermark.offsets.get(p, 0) < end}
    waited_hours = (now - watermark.landed_at).total_seconds() / 3600 if waiting else 0.0
    retention_ms = int(held.configuration.get("retention.ms", "-1"))
    hours = None if retention_ms < 0 else retention_ms / HOUR_MS - waited_hours
    problems = [
        *(
            f"partition {p}: offsets {watermark.offsets.get(p, 0)} to {first - 1} are gone"
            for p, (first, _) in sorted(held.bounds.items())
            if first > watermark.offsets.get(p, 0)
        ),
        *setting_problems(held.configuration),
    ]
    if hours is not None and hours < LEAST_HOURS:
        problems.append(f"under {LEAST_HOURS:.0f} h: start the lander or raise retention.ms")
    return Retention(topic, hours, tuple(problems))


def setting_problems(configuration: Mapping[str, str]) -> list[str]:
    """Settings with which Kafka deletes messages whatever the time since they came.

    A compacted topic lands with the gaps that compaction leaves, which are no losses.
    """
    problems = []
    if configuration.get(TIME_SETTING) != BROKER_TIME:
        problems.append(
            f"{TIME_SETTING} is not {BROKER_TIME}: what a sender calls old may go before it lands; "
            "set it, as ./initial-setup.sh does for kafka/topics.tsv"
        )
    if "compact" in configuration.get("cleanup.policy", "delete"):
        problems.append(
            "cleanup.policy compact: messages with newer ones of their key may go before they "
            "land; such gaps are no losses; set delete where every message counts"
        )
    if int(configuration.get("retention.bytes", "-1")) >= 0:
        problems.append("retention.bytes deletes messages by size, however new they are")
    return problems


def check(kafka: Administrator, trino: Trino, found: list[Table], now: datetime) -> list[Retention]:
    """Judge the topic of each landing table that Kafka has.

    Raises RetriableError if Kafka or Trino does not answer.
    """
    names = [table.name for table in found if table.schema == "landing"]
    topics = held_of(kafka, names)
    results = []
    for name, held in sorted(topics.items()):
        watermark = watermark_of(trino, Table("landing", name))
        if watermark:
            results.append(judge(name, watermark, held, now))
    return results


def watermark_of(trino: Trino, table: Table) -> Watermark | None:
    """The watermark in the table's property; None if it is none of the lander's."""
    found = trino.rows(LANDED_SQL.format(properties=table.metadata("properties")))
    if not found:
        return None
    return Watermark.from_json(found[0][0])


def held_of(kafka: Administrator, names: list[str]) -> dict[str, Held]:
    """What Kafka says of those of the topics that it has.

    Raises RetriableError if it does not answer.
    """
    with kafka.asked() as admin:
        found = describe(admin, names, ANSWER_SECONDS)
        settings = configurations(admin, found, ANSWER_SECONDS)
        places = places_of({name: facts.partitions for name, facts in found.items()})
        begins = offsets(admin, places, EARLIEST, ANSWER_SECONDS)
        ends = offsets(admin, places, LATEST, ANSWER_SECONDS, isolation=READABLE)
    return {
        name: Held(settings[name], {p: (begins[name, p], ends[name, p]) for p in facts.partitions})
        for name, facts in found.items()
    }
