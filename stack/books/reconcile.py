"""Ask everybody, compare, and write the result down."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.books import database, ledger, registers
from stack.books.broker import Broker
from stack.books.evidence import Difference, Evidence, Head, TopicState
from stack.books.flow import Account, Counted, account, broker_differences
from stack.books.heads import Heads
from stack.books.plan import Flow, Plan
from stack.books.registers import Registers
from stack.books.report import FULL, INCREMENT, Report
from stack.books.tables import Tables, TrinoTables
from stack.clients import kafka, postgres, trino
from stack.watermarks.landed import Watermark

REGISTERS_EVERY_SECONDS = 3600


@dataclass(frozen=True)
class Look:
    """What a reconciliation saw, and what tells that it still holds.

    locations: table -> where its metadata was, the row just written included; watermarks: of each
    topic; from_broker: the differences that the broker alone shows.
    """

    report: Report
    locations: Mapping[str, str]
    watermarks: Mapping[str, Watermark] = field(default_factory=dict)
    from_broker: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Ask:
    """What is wanted.

    is_full: count everything; is_due: even where nothing seems to have changed; model_seconds:
    how long each model of the round took.
    """

    is_full: bool = False
    is_due: bool = True
    model_seconds: Mapping[str, float] = field(default_factory=dict)


class Reconciler:
    """Reconciles one stack by a plan. Only the holder of the one-writer lock may call it."""

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._plan = plan
        self._postgres = postgres.client(settings, postgres.DBT)
        self._trino = trino.client(settings, plan.trino_user)
        self._heads, self._tables = Heads(settings), TrinoTables(self._trino)
        self._broker = Broker(kafka.administrator(settings, kafka.DBT))
        self._knows_ledger = False
        self._found_registers = Registers()
        self._registers_due_at: float | None = None

    def reconcile(self, ask: Ask, seen: Look | None, before_writing: Callable[[], None]) -> Look:
        """Reconcile and write a row, or return `seen` where nothing changed since and none is due.

        before_writing: called before the row is written; it may raise to prevent it.
        Raises RetriableError where Kafka, PostgreSQL, Trino or the object store is away, FatalError
        where a landing table's property is none.
        """
        acknowledged = database.acknowledged(self._postgres)
        topics = self._broker.begins([flow.topic for flow in self._plan.flows])
        locations = database.locations(self._postgres, self._plan)
        if seen and not ask.is_due and seen.locations == locations:
            evidence = Evidence(acknowledged, self._broker.with_ends(topics), {})
            if broker_view(seen.watermarks, evidence) == seen.from_broker:
                return seen
        watched = {name: place for name, place in locations.items() if name != self._plan.ledger}
        heads = self._heads.of(watched)
        ends = self._broker.with_ends(topics)
        evidence = Evidence(acknowledged, ends, heads, self._registers())
        return self._write(ask, evidence, locations, seen, before_writing)

    def _registers(self) -> Registers:
        """How registers agree with readings, at most an hour old.

        Nothing before the first round has made the view, which adds up a month of register reads.
        """
        if self._registers_due_at is None or time.monotonic() >= self._registers_due_at:
            wanted = {flow.registers for flow in self._plan.flows if flow.registers}
            there = wanted & database.views(self._postgres) if wanted else wanted
            self._found_registers = registers.count(self._trino, sorted(there))
            if there:
                self._registers_due_at = time.monotonic() + REGISTERS_EVERY_SECONDS
        return self._found_registers

    def _write(
        self,
        ask: Ask,
        evidence: Evidence,
        locations: Mapping[str, str],
        seen: Look | None,
        before_writing: Callable[[], None],
    ) -> Look:
        if self._plan.ledger not in locations:
            ledger.create(self._trino, self._plan.ledger)
        elif not self._knows_ledger:
            ledger.add_columns(self._trino, self._plan.ledger)
        self._knows_ledger = True
        counted = {} if ask.is_full else self._counted(locations, seen)
        accounts = accounts_of(self._plan.flows, evidence, counted, self._tables)
        report = report_of(datetime.now(UTC), ask, evidence, accounts, self._waiting_seconds)
        before_writing()
        ledger.append(self._trino, self._plan.ledger, report)
        watermarks = {
            topic: found.landing.watermark
            for topic, found in accounts.items()
            if found.landing.watermark
        }
        # The row moved the ledger; whatever else moved since the look is for the next one.
        own = {self._plan.ledger: database.locations(self._postgres, self._plan)[self._plan.ledger]}
        return Look(report, {**locations, **own}, watermarks, broker_view(watermarks, evidence))

    def _counted(self, locations: Mapping[str, str], seen: Look | None) -> dict[str, Any]:
        """What the newest row counted; Trino is asked where it is not the row last written here."""
        ledger_name = self._plan.ledger
        if seen and seen.locations.get(ledger_name) == locations.get(ledger_name):
            text = seen.report.counted
        else:
            text = ledger.last(self._trino, ledger_name).get("counted", "{}")
        counted: dict[str, Any] = json.loads(text)
        return counted

    def _waiting_seconds(
        self, topic: str, state: TopicState, watermark: Watermark, now: datetime
    ) -> float:
        """Age of the oldest message that waits to land; 0 if none does."""
        waiting = {
            partition: following
            for partition, following in next_offsets(state, watermark).items()
            if state.begin[partition] <= following < state.end[partition]
        }
        since = self._broker.waiting_since(topic, waiting) if waiting else None
        return max(0.0, (now - since).total_seconds()) if since else 0.0


def accounts_of(
    flows: Collection[Flow], evidence: Evidence, counted: Mapping[str, Any], tables: Tables
) -> dict[str, Account]:
    """The account of every topic that landed. Raises RetriableError if none has."""
    found = {
        flow.topic: account(flow, evidence, Counted.from_json(counted.get(flow.topic, {})), tables)
        for flow in flows
        if flow.landing in evidence.heads
    }
    if not found:
        raise RetriableError(
            "a landing table to reconcile", "none", "start the lander, which makes them"
        )
    return found


def broker_view(watermarks: Mapping[str, Watermark], evidence: Evidence) -> tuple[Difference, ...]:
    """What the broker alone shows to be wrong with these topics."""
    return tuple(
        difference
        for topic, watermark in sorted(watermarks.items())
        for difference in broker_differences(topic, watermark, evidence)
    )


def next_offsets(state: TopicState, watermark: Watermark) -> dict[int, int]:
    """The next offset to land of every partition; none of a recreated topic."""
    if state.topic_id != watermark.topic_id:
        return {}
    return {partition: watermark.offsets.get(partition, 0) for partition in state.end}


def lag(state: TopicState, watermark: Watermark) -> dict[int, int]:
    """Offsets of each partition that have not landed, as far as Kafka gives them to readers."""
    return {
        partition: max(0, state.end[partition] - max(following, state.begin[partition]))
        for partition, following in next_offsets(state, watermark).items()
    }


def acknowledged_by_topic(evidence: Evidence) -> dict[str, int]:
    """Acknowledged messages of the topics as they are now, where anybody reports them."""
    result: dict[str, int] = {}
    for told in evidence.acknowledged:
        state = evidence.topics.get(told.topic)
        if state and state.topic_id == told.topic_id:
            result[told.topic] = result.get(told.topic, 0) + told.count
    return result


WaitingSeconds = Callable[[str, TopicState, Watermark, datetime], float]


def report_of(
    now: datetime,
    ask: Ask,
    evidence: Evidence,
    accounts: Mapping[str, Account],
    waiting_seconds: WaitingSeconds,
) -> Report:
    """The row of a reconciliation."""
    landed = {
        topic: (evidence.topics[topic], found.landing.watermark)
        for topic, found in accounts.items()
        if topic in evidence.topics and found.landing.watermark
    }
    heads: Mapping[str, Head] = evidence.heads
    return Report(
        reconciled_at=now,
        extent=FULL if ask.is_full else INCREMENT,
        differences=tuple(each for found in accounts.values() for each in found.differences),
        acknowledged=acknowledged_by_topic(evidence),
        broker_begin_offsets={topic: state.begin for topic, state in evidence.topics.items()},
        broker_end_offsets={topic: state.end for topic, state in evidence.topics.items()},
        landed_offsets={
            topic: found.landing.watermark.offsets
            for topic, found in accounts.items()
            if found.landing.watermark
        },
        lag_messages={topic: sum(lag(*both).values()) for topic, both in landed.items()},
        lag_seconds={
            topic: round(waiting_seconds(topic, *both, now), 3) for topic, both in landed.items()
        },
        landed={topic: found.landing.rows for topic, found in accounts.items()},
        unprocessed={topic: found.landing.later for topic, found in accounts.items()},
        accepted={topic: found.accepted for topic, found in accounts.items()},
        quarantined={topic: found.quarantined for topic, found in accounts.items()},
        flagged={topic: found.flagged for topic, found in accounts.items()},
        lost={topic: found.landing.lost for topic, found in accounts.items()},
        duplicates={
            topic: found.duplicates
            for topic, found in accounts.items()
            if found.duplicates is not None
        },
        table_rows={name: head.rows for name, head in heads.items() if head.rows is not None},
        table_files={name: head.files for name, head in heads.items()},
        table_snapshots={name: head.snapshots for name, head in heads.items()},
        snapshot_ids={name: head.snapshot_id for name, head in heads.items() if head.snapshot_id},
        register_spans=evidence.registers.spans,
        register_difference_kwh=evidence.registers.difference_kwh,
        model_seconds={name: round(took, 3) for name, took in ask.model_seconds.items()},
        counted=json.dumps({topic: found.to_json() for topic, found in accounts.items()}),
        held_back={topic: state.held_back for topic, state in evidence.topics.items()},
    )
