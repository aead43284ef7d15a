"""One topic's account: producers, broker, landing and outcomes must agree."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from stack.books.evidence import Acknowledged, Evidence, Head, TopicState
from stack.books.flow import Account, Counted, account, broker_differences
from stack.books.plan import Flow
from tests.unit.reconciliation.evidence import (
    TOPIC_ID,
    FakeTables,
    Row,
    landing_head,
    model_head,
    rows,
)

FLOW = Flow("t", {"staging.t": "null", "quality.t": "reason"}, "intermediate.t")
LANDED = rows(0, range(4))
ACCEPTED = [Row(0, 0), Row(0, 1), Row(0, 2)]
REJECTED = [Row(0, 3, reason="not_json")]
TOPIC = TopicState(TOPIC_ID, {0: 0}, {0: 4})
HEADS = {
    "landing.t": landing_head(4, {0: 4}),
    "staging.t": model_head(3, 1),
    "quality.t": model_head(1, 1),
    "intermediate.t": model_head(2, 1),
}


def tables(**content: list[Row]) -> FakeTables:
    own = {"landing": LANDED, "staging": ACCEPTED, "quality": REJECTED} | content
    return FakeTables({f"{layer}.t": found for layer, found in own.items()})


def evidence(**changes: Any) -> Evidence:
    return replace(Evidence([], {"t": TOPIC}, HEADS), **changes)


def found(one: Account) -> list[str]:
    return [difference.found for difference in one.differences]


def heads(**changes: Head) -> dict[str, Head]:
    return HEADS | {f"{layer}.t": head for layer, head in changes.items()}


def test_a_flow_that_agrees_has_no_difference() -> None:
    one = account(FLOW, evidence(), None, tables())
    assert (one.landing.rows, one.accepted, one.quarantined) == (4, 3, {"not_json": 1})
    assert one.duplicates == 1
    assert one.differences == ()


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (TopicState("topic-2", {0: 0}, {0: 9}), "id topic-2: the topic was recreated"),
        (TopicState(TOPIC_ID, {0: 0}, {0: 3}), "3: the topic was truncated"),
        (
            TopicState(TOPIC_ID, {0: 7}, {0: 9}),
            "the first one held is 7: retention took 3",
        ),
    ],
    ids=["recreated", "truncated", "retention"],
)
def test_a_broker_that_lost_messages_is_told(topic: TopicState, expected: str) -> None:
    assert found(account(FLOW, evidence(topics={"t": topic}), None, tables())) == [expected]


def test_a_topic_that_is_gone_is_told() -> None:
    assert found(account(FLOW, evidence(topics={}), None, tables())) == ["none"]


def test_retention_of_what_has_landed_is_no_difference() -> None:
    cleared = TopicState(TOPIC_ID, {0: 4}, {0: 4})
    assert found(account(FLOW, evidence(topics={"t": cleared}), None, tables())) == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (Acknowledged("t", TOPIC_ID, 0, 4, 3), []),
        (Acknowledged("t", TOPIC_ID, 0, 4, 4), ["the broker ends at 4"]),
        (Acknowledged("t", TOPIC_ID, 0, 5, 3), ["the broker ends at 4"]),
        (Acknowledged("t", TOPIC_ID, 7, 1, 0), ["the broker ends at 0"]),
        (Acknowledged("t", "topic-0", 0, 9, 8), []),
        (Acknowledged("other", TOPIC_ID, 0, 9, 8), []),
    ],
    ids=["as told", "beyond", "more", "no partition", "of the topic before", "another topic"],
)
def test_what_producers_were_told_must_be_there(told: Acknowledged, expected: list[str]) -> None:
    assert found(account(FLOW, evidence(acknowledged=[told]), None, tables())) == expected


def test_a_message_without_an_outcome_is_told() -> None:
    short = evidence(heads=heads(staging=model_head(2, 1)))
    one = account(FLOW, short, None, tables(staging=ACCEPTED[:2]))
    assert found(one) == ["2 + 1 = 3"]


def test_more_readings_than_accepted_messages_are_told() -> None:
    more = evidence(heads=heads(intermediate=model_head(4, 1)))
    assert found(account(FLOW, more, None, tables())) == ["4"]


def test_duplicates_are_not_told_while_the_readings_are_behind() -> None:
    behind = evidence(heads=heads(intermediate=model_head(2, 0)))
    assert account(FLOW, behind, None, tables()).duplicates is None


def test_outcomes_are_counted_through_the_batch_that_all_have_dealt_with() -> None:
    landed = [*LANDED, *rows(0, [4], batch=2)]
    ahead = heads(landing=landing_head(5, {0: 5}, batch=2), staging=model_head(4, 2))
    content = tables(landing=landed, staging=[*ACCEPTED, Row(0, 4, batch=2)])
    topics = {"t": TopicState(TOPIC_ID, {0: 0}, {0: 5})}
    one = account(FLOW, evidence(heads=ahead, topics=topics), None, content)
    assert (one.landing.rows, one.landing.later, one.accepted) == (4, 1, 3)
    assert one.differences == ()


def again(first: Account) -> Counted | None:
    """What the next round reads of the row that this one wrote."""
    return Counted.from_json(json.loads(json.dumps(first.to_json())))


def test_the_next_account_goes_on_from_the_row_before() -> None:
    first = account(FLOW, evidence(), None, tables())
    content = tables(
        landing=[*LANDED, *rows(0, [4, 5], batch=2)],
        staging=[*ACCEPTED, Row(0, 4, batch=2)],
        quality=[*REJECTED, Row(0, 5, batch=2, reason="not_json")],
    )
    later = heads(
        landing=landing_head(6, {0: 6}, batch=2),
        staging=model_head(4, 2),
        quality=model_head(2, 2),
        intermediate=model_head(3, 2),
    )
    topics = {"t": TopicState(TOPIC_ID, {0: 0}, {0: 6})}
    second = account(FLOW, evidence(heads=later, topics=topics), again(first), content)
    assert {batch for _, batch in content.asked} == {1}
    assert (second.landing.rows, second.accepted, second.quarantined) == (6, 4, {"not_json": 2})
    assert second.differences == ()


def test_a_flagged_message_is_accepted_and_counted_by_each_of_its_flags() -> None:
    both = "flagged: battery_pct:wrong_type, voltage:out_of_range"
    flagged = [Row(0, 0, reason=both), Row(0, 1, reason="flagged: voltage:out_of_range"), Row(0, 2)]
    first = account(FLOW, evidence(), None, tables(staging=flagged))
    assert (first.accepted, first.quarantined) == (3, {"not_json": 1})
    assert first.flagged == {"battery_pct:wrong_type": 1, "voltage:out_of_range": 2}
    assert first.differences == ()
    content = tables(
        landing=[*LANDED, Row(0, 4, batch=2)], staging=[*flagged, Row(0, 4, batch=2, reason=both)]
    )
    later = heads(
        landing=landing_head(5, {0: 5}, batch=2),
        staging=model_head(4, 2),
        quality=model_head(1, 2),
        intermediate=model_head(3, 2),
    )
    topics = {"t": TopicState(TOPIC_ID, {0: 0}, {0: 5})}
    second = account(FLOW, evidence(heads=later, topics=topics), again(first), content)
    assert second.flagged == {"battery_pct:wrong_type": 2, "voltage:out_of_range": 3}
    assert (second.accepted, second.quarantined) == (4, {"not_json": 1})
    assert second.differences == ()


def test_messages_that_were_judged_again_are_counted_where_they_are_now() -> None:
    first = account(FLOW, evidence(), None, tables())
    moved = heads(staging=model_head(4, 1), quality=model_head(0, 1))
    content = tables(staging=[*ACCEPTED, Row(0, 3)], quality=[])
    second = account(FLOW, evidence(heads=moved), again(first), content)
    assert (second.accepted, second.quarantined) == (4, {})
    assert second.differences == ()


def test_a_table_that_was_rebuilt_is_counted_again() -> None:
    first = account(FLOW, evidence(), None, tables())
    rebuilt = heads(staging=model_head(3, 1, build="b2"))
    content = tables()
    second = account(FLOW, evidence(heads=rebuilt), again(first), content)
    assert content.asked == [("staging.t", 0)]
    assert second.differences == ()


def test_an_account_from_before_a_restore_is_no_ground_to_count_on() -> None:
    first = account(FLOW, evidence(), None, tables())
    counted = again(first)
    assert counted is not None
    older = heads(
        landing=landing_head(0, {0: 0}, batch=0), staging=model_head(0, 0), quality=model_head(0, 0)
    )
    content = tables(landing=[], staging=[], quality=[])
    second = account(FLOW, evidence(heads=older), counted, content)
    assert (second.landing.rows, second.accepted) == (0, 0)


def test_nothing_on_record_is_nothing_to_count_on() -> None:
    assert Counted.from_json({}) is None


def test_an_acknowledged_message_behind_an_open_transaction_is_not_lost() -> None:
    state = TopicState(TOPIC_ID, {0: 0}, {0: 4}, {0: 7})
    told = Acknowledged("t", TOPIC_ID, 0, 5, 6)

    assert state.held_back == 3
    assert list(broker_differences("t", None, Evidence([told], {"t": state}, {}))) == []
