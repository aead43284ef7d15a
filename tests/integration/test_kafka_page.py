"""What Kafka's page reads from a real broker, and that reading leaves no trace."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from explorer.kafka_messages import Question, StartAt, read
from explorer.kafka_topics import KafkaTopic, offsets_at, take_groups, take_look
from stack.clients.kafka import client_options
from tests.integration.lakehouse import TOPIC, Lakehouse

SENT: list[tuple[bytes | None, bytes | None]] = [
    (b"first", b'{"a": 1}'),
    (b"second", None),
    (None, b"\xff\x00"),
    (b"fourth", "wärmer".encode()),
]


@pytest.fixture(scope="module")
def admin(lakehouse: Lakehouse) -> AdminClient:
    return AdminClient(client_options(lakehouse.settings))


@pytest.fixture(scope="module")
def topic(lakehouse: Lakehouse, admin: AdminClient) -> Iterator[KafkaTopic]:
    """A topic of one partition that holds SENT."""
    name = f"page_{uuid.uuid4().hex[:8]}"
    admin.create_topics([NewTopic(name, 1)])[name].result(20)
    lakehouse.send_raw(SENT, name)
    found = take_look(admin, 0.0).topic(name)
    assert found is not None
    yield found
    admin.delete_topics([name])[name].result(20)


def pairs(
    lakehouse: Lakehouse,
    topic: KafkaTopic,
    question: Question,
    starts: dict[int, int] | None = None,
) -> list[tuple[bytes | None, bytes | None]]:
    answer = read(client_options(lakehouse.settings), question, topic, starts)
    return [(record.key, record.value) for record in answer.records]


def test_messages_are_read_as_they_were_sent(lakehouse: Lakehouse, topic: KafkaTopic) -> None:
    assert pairs(lakehouse, topic, Question(start=StartAt.BEGINNING)) == SENT


def test_the_newest_are_read_without_the_rest(lakehouse: Lakehouse, topic: KafkaTopic) -> None:
    assert pairs(lakehouse, topic, Question(count=1)) == SENT[-1:]


def test_reading_starts_at_an_offset(lakehouse: Lakehouse, topic: KafkaTopic) -> None:
    assert pairs(lakehouse, topic, Question(start=StartAt.OFFSET), {0: 2}) == SENT[2:]


@pytest.mark.parametrize(
    ("milliseconds", "offset"),
    [
        pytest.param(0, 0, id="before all"),
        pytest.param(round((time.time() + 86_400) * 1000), len(SENT), id="after all"),
    ],
)
def test_reading_starts_at_a_time(
    admin: AdminClient, topic: KafkaTopic, milliseconds: int, offset: int
) -> None:
    assert offsets_at(admin, topic, milliseconds) == {0: offset}


def test_a_look_shows_the_ends_that_a_consumer_finds(
    lakehouse: Lakehouse, admin: AdminClient
) -> None:
    seen = take_look(admin, 0.0).topic(TOPIC)

    assert seen is not None
    assert {p.number: p.end for p in seen.partitions} == lakehouse.end_offsets()


def test_the_lander_shows_as_a_group_without_lag(lakehouse: Lakehouse, admin: AdminClient) -> None:
    lakehouse.land()

    def lag() -> int:
        groups = {group.name: group for group in take_groups(admin, take_look(admin, 0.0))}
        return sum(each.lag for each in groups["lakehouse-landing"].progress if each.topic == TOPIC)

    lakehouse.wait_until(lambda: lag() == 0)


def test_reading_leaves_no_group_and_no_offset(
    lakehouse: Lakehouse, admin: AdminClient, topic: KafkaTopic
) -> None:
    def groups() -> set[str]:
        listing = admin.list_consumer_groups(request_timeout=10).result(10)
        return {group.group_id for group in listing.valid}

    before = groups()
    for start in StartAt:
        pairs(lakehouse, topic, Question(start=start, text_part="a"), {0: 0})

    assert groups() == before
