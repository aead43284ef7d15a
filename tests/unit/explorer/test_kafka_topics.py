"""Topics, rates, groups and lag, from a broker that is made up."""

from __future__ import annotations

from typing import Any, cast

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient

from explorer.kafka_topics import (
    ClusterLook,
    Group,
    KafkaTopic,
    Partition,
    is_internal,
    offsets_at,
    rate,
    take_groups,
    take_look,
)
from stack.base.errors import RetriableError
from stack.clients.kafka import answering
from tests.unit.explorer.kafka_fakes import FakeAdmin, refused

TOPICS = {"readings": {0: (100, 150), 1: (0, 30)}, "__own": {0: (0, 0)}}


def admin(**changes: Any) -> AdminClient:
    return cast(AdminClient, FakeAdmin(TOPICS, **changes))


def groups(**changes: object) -> tuple[Group, ...]:
    return take_groups(admin(**changes), take_look(admin(), 0.0))


def look(at_seconds: float, end: int) -> ClusterLook:
    return ClusterLook(at_seconds, (KafkaTopic("readings", (Partition(0, 0, end, end),)),))


def test_a_look_gives_topics_by_name_with_their_offsets() -> None:
    seen = take_look(admin(), 7.0)

    assert seen.at_seconds == 7.0
    assert [topic.name for topic in seen.topics] == ["__own", "readings"]
    assert seen.topics[1].partitions == (
        Partition(0, 100, 150, 150),
        Partition(1, 0, 30, 30),
    )


def test_messages_held_leave_out_what_expired() -> None:
    readings = take_look(admin(), 0.0).topic("readings")

    assert readings is not None
    assert (readings.messages, readings.end) == (80, 180)


def test_internal_names_begin_with_an_underscore() -> None:
    names = ("__consumer_offsets", "_ready", "telemetry_raw")
    assert [is_internal(name) for name in names] == [True, True, False]
    assert [topic.is_internal for topic in take_look(admin(), 0.0).topics] == [True, False]


def test_a_broker_without_topics_is_an_empty_look() -> None:
    assert take_look(cast(AdminClient, FakeAdmin({})), 0.0).topics == ()


def test_a_rate_is_what_came_between_two_looks() -> None:
    measured = rate(look(10.0, 100), look(14.0, 110), "readings")

    assert measured is not None
    assert (measured.messages_per_second, measured.seconds) == (2.5, 4.0)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param(None, look(1.0, 5), id="first look"),
        pytest.param(look(0.0, 5), look(1.0, 9), id="looks too close"),
        pytest.param(look(0.0, 50), look(9.0, 5), id="topic recreated"),
        pytest.param(ClusterLook(0.0, ()), look(9.0, 5), id="topic not there before"),
    ],
)
def test_looks_that_say_nothing_give_no_rate(
    earlier: ClusterLook | None, later: ClusterLook
) -> None:
    assert rate(earlier, later, "readings") is None


def test_lag_is_the_end_minus_the_committed_offset() -> None:
    (group,) = groups(committed={"landing": {("readings", 0): 140, ("readings", 1): 30}})

    assert [(p.committed, p.lag) for p in group.progress] == [(140, 10), (30, 0)]
    assert group.lag == 10


def test_lag_does_not_count_what_expired_unread() -> None:
    (group,) = groups(committed={"landing": {("readings", 0): 3}})

    assert group.lag == 50


def test_a_partition_that_is_read_but_never_committed_lags_by_all_it_holds() -> None:
    (group,) = groups(
        committed={"landing": {("readings", 0): 150}},
        readers={"landing": {"lander": [("readings", 0), ("readings", 1)]}},
    )

    assert [(p.committed, p.lag, p.client_id) for p in group.progress] == [
        (150, 0, "lander"),
        (None, 30, "lander"),
    ]


def test_members_are_told_with_host_and_partitions() -> None:
    (group,) = groups(committed={"landing": {}}, readers={"landing": {"lander": [("readings", 1)]}})

    (member,) = group.members
    assert (member.client_id, member.host) == ("lander", "127.0.0.1")
    assert member.partitions == {("readings", 1)}


def test_a_group_of_a_topic_that_is_gone_is_shown_without_it() -> None:
    (group,) = groups(committed={"old": {("deleted", 0): 5}})

    assert group.progress == ()


def test_what_the_broker_refuses_to_tell_is_the_groups_own_problem() -> None:
    refusal = refused(KafkaError.GROUP_AUTHORIZATION_FAILED)
    (group,) = groups(committed={"secret": {}}, refusal=refusal)

    assert group.state == "UNKNOWN"
    assert "authorization" in group.problem.lower()


def test_no_groups_ask_nothing_more() -> None:
    assert groups() == ()


def test_a_time_after_the_last_message_starts_at_the_end() -> None:
    readings = take_look(admin(), 0.0).topic("readings")

    assert readings is not None
    assert offsets_at(admin(), readings, 1) == {0: 150, 1: 30}


def test_a_broker_that_is_away_is_told_with_the_command_that_helps() -> None:
    told = pytest.raises(RetriableError, match=r"localhost:1.*initial-setup\.sh")
    with told, answering("localhost:1"):
        raise refused(KafkaError._TRANSPORT)


def test_what_an_open_transaction_holds_back_is_no_lag() -> None:
    held_back = {("readings", 0): 20}
    asked = admin(committed={"landing": {("readings", 0): 130}}, held_back=held_back)
    seen = take_look(asked, 0.0)

    (group,) = take_groups(asked, seen)

    assert group.lag == 0
    assert (seen.topics[1].partitions[0].end, seen.topics[1].partitions[0].readable) == (150, 130)
