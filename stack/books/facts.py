"""What the metrics are made of: the runner's health, the ledger's last row, Kafka's offsets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from stack.base import health
from stack.base.errors import MeterhouseError
from stack.base.settings import Settings
from stack.books import database, landing, ledger
from stack.books.broker import Broker
from stack.books.evidence import TopicState
from stack.books.heads import Heads
from stack.books.plan import Plan
from stack.books.reconcile import lag
from stack.clients import kafka, postgres, trino
from stack.watermarks.landed import Watermark

KAFKA, POSTGRES, OBJECT_STORE = "kafka", "postgres", "object store"
TRINO, RUNNER = "trino", "runner"

Known = TypeVar("Known")


@dataclass(frozen=True)
class Facts:
    """What is known at one moment; what could not be asked is empty.

    up: source -> whether it answered. health: the runner's health file. row: the ledger's last
    row by column. landed_at: topic -> seconds since 1970 of the last landing commit. lag: topic ->
    partition -> messages that have not landed. held_back: topic -> offsets that an open transaction
    keeps from readers. backup: times of the newest backup, in seconds since 1970
    (stack.books.database.newest_backup).
    """

    up: Mapping[str, bool]
    health: Mapping[str, Any] = field(default_factory=dict)
    row: Mapping[str, Any] = field(default_factory=dict)
    landed_at: Mapping[str, float] = field(default_factory=dict)
    lag: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    backup: Mapping[str, float] = field(default_factory=dict)
    held_back: Mapping[str, int] = field(default_factory=dict)


class Sources:
    """Where the facts come from. Tables are asked only after a commit to them moved them."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._plan = plan
        self._postgres = postgres.client(settings, postgres.DBT)
        self._broker = Broker(kafka.administrator(settings, kafka.DBT))
        self._trino = trino.client(settings, plan.trino_user)
        self._heads = Heads(settings)
        self._health_file = settings.state_dir / "health" / "dbt.json"
        self._row: tuple[str, dict[str, Any]] = ("", {})
        self._landed: dict[str, tuple[str, Watermark]] = {}

    def facts(self) -> Facts:
        """Ask every source; one that is away leaves its part out. Not for several threads."""
        up: dict[str, bool] = {}
        found = health.read(self._health_file)
        up[RUNNER] = bool(found) and health.is_alive(self._health_file)
        locations = attempt(up, POSTGRES, self._locations)
        row = attempt(up, TRINO, lambda: self._last_row(locations))
        watermarks = attempt(up, OBJECT_STORE, lambda: self._watermarks(locations))
        topics = attempt(up, KAFKA, self._topics)
        backup = attempt(up, POSTGRES, lambda: database.newest_backup(self._postgres))
        return Facts(
            up,
            found,
            row,
            landed_at={topic: each.landed_at.timestamp() for topic, each in watermarks.items()},
            lag={
                name: lag(topics[name], watermarks[name]) for name in topics if name in watermarks
            },
            backup=backup,
            held_back={name: state.held_back for name, state in topics.items()},
        )

    def _locations(self) -> dict[str, str]:
        return database.locations(self._postgres, self._plan)

    def _last_row(self, locations: Mapping[str, str]) -> dict[str, Any]:
        location = locations.get(self._plan.ledger)
        if location and location != self._row[0]:
            self._row = (location, ledger.last(self._trino, self._plan.ledger))
        return self._row[1]

    def _watermarks(self, locations: Mapping[str, str]) -> dict[str, Watermark]:
        """What has landed of each topic; read from the tables that moved."""
        moved = {
            flow.landing: flow.topic
            for flow in self._plan.flows
            if flow.landing in locations
            and self._landed.get(flow.topic, ("",))[0] != locations[flow.landing]
        }
        for table, head in self._heads.of({table: locations[table] for table in moved}).items():
            watermark = landing.watermark_of(head)
            if watermark:
                self._landed[moved[table]] = (locations[table], watermark)
        return {topic: watermark for topic, (_, watermark) in self._landed.items()}

    def _topics(self) -> dict[str, TopicState]:
        begins = self._broker.begins([flow.topic for flow in self._plan.flows])
        return self._broker.with_ends(begins)


def attempt(
    up: dict[str, bool], source: str, ask: Callable[[], dict[str, Known]]
) -> dict[str, Known]:
    """What a source says, nothing where it is away; which of both is noted."""
    try:
        answer = ask()
    except MeterhouseError:
        up[source] = False
        return {}
    up.setdefault(source, True)
    return answer
