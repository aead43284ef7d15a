"""What Kafka says of topics: those that are gone are left out, other failures are told."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from stack.base.errors import RetriableError
from stack.clients.kafka import TopicFacts, answering, describe, offsets, places_of


class Broker:
    """Describes topics by name: with their partitions, or an error's code."""

    def __init__(self, **topics: Sequence[int] | int) -> None:
        self.topics = topics

    def describe_topics(
        self, names: TopicCollection, *, request_timeout: float
    ) -> dict[str, Future[Any]]:
        """One answer a topic."""
        return {name: self.answer(self.topics[name]) for name in self.topics}

    @staticmethod
    def answer(told: Sequence[int] | int) -> Future[Any]:
        """An answer that has come."""
        future: Future[Any] = Future()
        if isinstance(told, int):
            future.set_exception(KafkaException(KafkaError(told)))
        else:
            partitions = [SimpleNamespace(id=number) for number in told]
            future.set_result(SimpleNamespace(topic_id="id-1", partitions=partitions))
        return future


def described(broker: Broker) -> dict[str, TopicFacts]:
    return describe(cast(AdminClient, broker), list(broker.topics), 1.0)


def test_a_topic_that_is_gone_is_left_out() -> None:
    found = described(Broker(there=[0, 1], gone=KafkaError.UNKNOWN_TOPIC_OR_PART))
    assert found == {"there": TopicFacts("id-1", frozenset({0, 1}))}


def test_a_failure_of_the_broker_is_none_of_the_topics() -> None:
    with pytest.raises(KafkaException):
        described(Broker(there=[0], odd=KafkaError._TIMED_OUT))


def test_a_broker_that_is_away_is_named() -> None:
    with pytest.raises(RetriableError, match="an answer from Kafka at b:9"), answering("b:9"):
        raise KafkaException(KafkaError(KafkaError._TRANSPORT, "refused"))


def test_every_partition_is_a_place() -> None:
    found = places_of({"a": [0, 1], "b": [0]})
    assert [(place.topic, place.partition) for place in found] == [("a", 0), ("a", 1), ("b", 0)]


def test_a_broker_that_is_away_fails_as_kafka_does() -> None:
    admin = AdminClient({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
    places = [TopicPartition("readings", 0)]
    with pytest.raises(KafkaException):
        offsets(admin, places, OffsetSpec.latest(), 0.2)
