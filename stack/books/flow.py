"""Account for one topic from the broker to the last table that its messages reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, field
from typing import Any

from stack.books import landing, outcomes
from stack.books.evidence import Difference, Evidence, Head, LandedBatch, TopicState
from stack.books.landing import Landing
from stack.books.outcomes import Outcomes, flags_in, is_accepted
from stack.books.plan import Flow
from stack.books.tables import Tables
from stack.watermarks.landed import Watermark

GO_ON = "operations.md, 'The lander says that messages are gone', says what to decide"
REBUILD = "bin/stack reconcile --full; bin/dbt run --full-refresh rebuilds both from landing"


@dataclass(frozen=True)
class Account:
    """One topic's messages.

    landing: the landing table; outcomes: table -> its rows by reason; duplicates: accepted
    messages beyond the first of their reading, None where that cannot be told.
    """

    landing: Landing
    outcomes: Mapping[str, Outcomes] = field(default_factory=dict)
    duplicates: int | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def accepted(self) -> int:
        """Accepted messages."""
        return sum(
            number
            for each in self.outcomes.values()
            for reason, number in each.counts.items()
            if is_accepted(reason)
        )

    @property
    def flagged(self) -> dict[str, int]:
        """Accepted messages by field and reason of what is wrong with them, as FIELD:REASON."""
        total: Counter[str] = Counter()
        for each in self.outcomes.values():
            total.update(flags_in(each.counts))
        return dict(sorted(total.items()))

    @property
    def quarantined(self) -> dict[str, int]:
        """Rejected messages by reason."""
        total: Counter[str] = Counter()
        for each in self.outcomes.values():
            total.update(each.counts)
        return {reason: count for reason, count in sorted(total.items()) if not is_accepted(reason)}

    def to_json(self) -> dict[str, Any]:
        """What the next count goes on from."""
        return {
            "batch": [self.landing.batch.number, self.landing.batch.landed_at],
            "rows": self.landing.rows,
            "ends": self.landing.ends,
            "holes": [astuple(hole) for hole in self.landing.holes],
            "outcomes": {
                table: {"build": each.build, "counts": dict(each.counts)}
                for table, each in self.outcomes.items()
            },
        }


@dataclass(frozen=True)
class Counted:
    """What an earlier reconciliation counted of one topic."""

    landing: Landing
    outcomes: Mapping[str, Outcomes]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Counted | None:
        """Read what Account.to_json wrote; None for nothing."""
        if not content:
            return None
        number, landed_at = content["batch"]
        ends = {
            topic_id: {int(partition): int(end) for partition, end in found.items()}
            for topic_id, found in content["ends"].items()
        }
        holes = tuple(Difference(*texts) for texts in content["holes"])
        batch = LandedBatch(int(number), str(landed_at))
        return cls(
            Landing(batch, int(content["rows"]), ends, holes=holes),
            {
                table: Outcomes(str(each["build"]), each["counts"])
                for table, each in content["outcomes"].items()
            },
        )


def account(flow: Flow, evidence: Evidence, previous: Counted | None, tables: Tables) -> Account:
    """The account of one topic; previous: what may be taken as counted, None to count all."""
    heads = evidence.heads
    through = outcomes.processed_through([heads.get(table) for table in flow.outcomes])
    if previous and previous.landing.batch.number > through.number:
        previous = None
    landed = landing.account(
        flow.landing,
        heads[flow.landing],
        through,
        previous.landing if previous else None,
        tables,
    )
    after = previous.landing.batch if previous else LandedBatch()
    counted = {
        table: outcomes.account(
            (table, reason),
            heads[table],
            (after, through),
            previous.outcomes.get(table) if previous else None,
            tables,
        )
        for table, reason in flow.outcomes.items()
        if table in heads
    }
    found = Account(landed, counted)
    duplicates = duplicates_of(found.accepted, through, heads.get(flow.readings))
    differences = (
        *broker_differences(flow.topic, landed.watermark, evidence),
        *landed.differences,
        *balance_differences(flow, found, duplicates),
    )
    return Account(landed, counted, duplicates, differences)


def duplicates_of(accepted: int, through: LandedBatch, readings: Head | None) -> int | None:
    """Accepted messages beyond the first of their reading, where the readings are as far."""
    is_as_far = outcomes.watermark_of(readings).get("batch_id") == through.number
    if readings is None or readings.rows is None or not through.number or not is_as_far:
        return None
    return accepted - readings.rows


def balance_differences(flow: Flow, found: Account, duplicates: int | None) -> Iterator[Difference]:
    """Sums over the tables that do not hold."""
    rejected = sum(found.quarantined.values())
    if found.landing.batch.number and found.landing.rows != found.accepted + rejected:
        yield Difference(
            f"{flow.topic}: accepted + quarantined = {found.landing.rows} landed messages",
            f"{found.accepted} + {rejected} = {found.accepted + rejected}",
            REBUILD,
        )
    if duplicates is not None and duplicates < 0:
        yield Difference(
            f"{flow.readings}: at most {found.accepted} readings, one an accepted message",
            f"{found.accepted - duplicates}",
            REBUILD,
        )


def broker_differences(
    topic: str, watermark: Watermark | None, evidence: Evidence
) -> Iterator[Difference]:
    """What the broker holds against what has landed and what producers were told."""
    state = evidence.topics.get(topic)
    if state is None:
        yield Difference(f"topic {topic} in Kafka", "none", "make it again: ./initial-setup.sh")
        return
    if watermark is not None:
        yield from topic_differences(topic, state, watermark)
    for told in evidence.acknowledged:
        if (told.topic, told.topic_id) != (topic, state.topic_id):
            continue
        end = state.written_end(told.partition)
        needed = max(told.last_offset + 1, told.count)
        if needed > end:
            yield Difference(
                f"{topic}, partition {told.partition}: every offset below {needed}, "
                "which producers were acknowledged",
                f"the broker ends at {end}",
                "the broker lost them: send them again from the producers' own records",
            )


def topic_differences(topic: str, state: TopicState, watermark: Watermark) -> Iterator[Difference]:
    """A topic recreated, truncated, or cleared by retention before its messages landed."""
    if state.topic_id != watermark.topic_id:
        yield Difference(
            f"topic {topic} with id {watermark.topic_id}, whose messages have landed",
            f"id {state.topic_id}: the topic was recreated",
            GO_ON,
        )
        return
    for partition, following in sorted(watermark.offsets.items()):
        begin, end = state.begin.get(partition, 0), state.end.get(partition, 0)
        place = f"{topic}, partition {partition}"
        if end < following:
            yield Difference(
                f"{place}: an end at {following} or later, which has landed",
                f"{end}: the topic was truncated",
                GO_ON,
            )
        elif begin > following:
            yield Difference(
                f"{place}: offset {following}, the next to land",
                f"the first one held is {begin}: retention took {begin - following}",
                GO_ON,
            )
