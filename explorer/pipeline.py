"""How far the data is on its way: Kafka's ends, the lander, the models, and the balance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stack.base import health
from stack.base.settings import Settings
from stack.clients.kafka import (
    EXPLORER,
    LATEST,
    READABLE,
    client_options,
    describe,
    offsets,
    places_of,
)

KAFKA_SECONDS = 3.0


@dataclass(frozen=True)
class PipelineCounts:
    """Messages of the telemetry topic on their way, as counts.

    landed: rows of landing now. The others are of the newest reconciliation: landed_through, what
    the models had processed; accepted, quarantined: what they made of it; differences: accounts
    that do not agree, of any topic.
    """

    landed: int
    landed_through: int
    accepted: int
    quarantined: int
    offsets: Mapping[int, int]
    landed_at: datetime | None
    differences: tuple[str, ...] = ()

    @property
    def is_balanced(self) -> bool:
        """Whether every account agrees, from producer to mart."""
        is_whole = self.landed_through == self.accepted + self.quarantined
        return is_whole and not self.differences

    @property
    def waiting(self) -> int:
        """Landed messages that the next round will deal with."""
        return max(0, self.landed - self.landed_through)


def flow_of(row: Mapping[str, Any]) -> PipelineCounts | None:
    """The answer of quality_queries.flow; None before the topic was reconciled."""
    if not row or row["landed"] is None or row["landed_through"] is None:
        return None
    landed = json.loads(row["landed"])
    return PipelineCounts(
        landed=int(row["landed_now"]),
        landed_through=int(row["landed_through"]),
        accepted=int(row["accepted"]),
        quarantined=int(row["quarantined"]),
        offsets={int(number): offset for number, offset in landed["offsets"].items()},
        landed_at=datetime.fromisoformat(landed["landed_at"]),
        differences=tuple(str(row["differences"] or "").splitlines()),
    )


def lag(ends: Mapping[int, int], offsets: Mapping[int, int]) -> int:
    """Messages in the topic that have not landed."""
    return sum(max(0, end - offsets.get(number, 0)) for number, end in ends.items())


def end_offsets(settings: Settings, topic: str) -> dict[int, int] | None:
    """The next offset of every partition; None where Kafka or the topic is away."""
    admin = AdminClient(client_options(settings, EXPLORER))
    try:
        found = describe(admin, [topic], KAFKA_SECONDS)
        places = places_of({name: facts.partitions for name, facts in found.items()})
        ends = offsets(admin, places, LATEST, KAFKA_SECONDS, isolation=READABLE)
    except KafkaException:
        return None
    return {number: end for (_, number), end in ends.items()} if found else None


@dataclass(frozen=True)
class LastRound:
    """The last round of the models as the runner tells it; times ISO 8601 in UTC."""

    state: str
    result: str | None
    seconds: float | None
    started_at: datetime | None
    next_at: datetime | None
    failures: int
    is_known: bool = True


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 time."""
    return datetime.fromisoformat(text) if text else None


def last_round(settings: Settings) -> LastRound:
    """What the runner last wrote; not known where its file cannot be seen from here."""
    told = health.read(settings.state_dir / "health" / "dbt.json")
    if not told:
        return LastRound("unknown", None, None, None, None, 0, is_known=False)
    return LastRound(
        state=str(told.get("state", "unknown")),
        result=told.get("result"),
        seconds=told.get("seconds"),
        started_at=moment(told.get("started_at")),
        next_at=moment(told.get("next_round_at")),
        failures=int(told.get("consecutive_failures") or 0),
    )
