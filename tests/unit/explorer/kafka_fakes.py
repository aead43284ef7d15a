# ruff: noqa: D102 - the methods are those of the client, whose documentation describes them
"""Kafka's client as the explorer uses it, without a broker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from confluent_kafka import (
    TIMESTAMP_CREATE_TIME,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class FakeMessage:
    """A message of the client, or with `code` the report of an error."""

    number: int
    place: int
    content: bytes | None = b"{}"
    name: bytes | None = b"MTR-1"
    milliseconds: int = HOUR_MS
    code: int | None = None
    pairs: tuple[tuple[str, bytes], ...] = ()

    def partition(self) -> int:
        return self.number

    def offset(self) -> int:
        return self.place

    def key(self) -> bytes | None:
        return self.name

    def value(self) -> bytes | None:
        return self.content

    def headers(self) -> list[tuple[str, bytes]] | None:
        return list(self.pairs) or None

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_CREATE_TIME, self.milliseconds

    def error(self) -> KafkaError | None:
        return None if self.code is None else KafkaError(self.code)


@dataclass
class FakeConsumer:
    """Gives prepared batches and writes down what was asked of it.

    It knows neither subscribe nor commit: a reader that called them would fail.
    """

    batches: Iterator[list[FakeMessage]]
    assigned: list[tuple[str, int, int]] = field(default_factory=list)
    paused: list[int] = field(default_factory=list)

    def assign(self, places: Iterable[TopicPartition]) -> None:
        self.assigned = [(place.topic, place.partition, place.offset) for place in places]

    def pause(self, places: Iterable[TopicPartition]) -> None:
        self.paused += [place.partition for place in places]

    def consume(self, count: int, seconds: float) -> list[FakeMessage]:
        return next(self.batches, [])


def done(value: Any) -> Future[Any]:
    """A future with its answer; an exception is raised by whoever asks for the result."""
    future: Future[Any] = Future()
    if isinstance(value, Exception):
        future.set_exception(value)
    else:
        future.set_result(value)
    return future


def refused(code: int) -> KafkaException:
    """What the client raises for a broker's error."""
    return KafkaException(KafkaError(code))


@dataclass(frozen=True)
class FakeAdmin:
    """A broker with topics (name -> ranges of offsets by partition) and groups.

    committed: group -> topic and partition -> offset. readers: group -> client -> places.
    """

    topics: Mapping[str, Mapping[int, tuple[int, int]]]
    committed: Mapping[str, Mapping[tuple[str, int], int]] = field(default_factory=dict)
    readers: Mapping[str, Mapping[str, list[tuple[str, int]]]] = field(default_factory=dict)
    refusal: Exception | None = None
    held_back: Mapping[tuple[str, int], int] = field(default_factory=dict)

    def list_topics(self, timeout: float) -> Any:
        found = {n: SimpleNamespace(partitions=dict(p)) for n, p in self.topics.items()}
        return SimpleNamespace(topics=found)

    def list_offsets(
        self, wanted: Mapping[Any, Any], isolation_level: IsolationLevel, request_timeout: float
    ) -> Any:
        held = self.held_back if isolation_level is IsolationLevel.READ_COMMITTED else {}
        return {
            place: done(
                SimpleNamespace(
                    offset=self.offset(place, which) - held.get((place.topic, place.partition), 0)
                )
            )
            for place, which in wanted.items()
        }

    def offset(self, place: TopicPartition, which: Any) -> int:
        begin, end = self.topics[place.topic][place.partition]
        name = type(which).__name__
        return {"EarliestSpec": begin, "LatestSpec": end}.get(name, -1)

    def list_consumer_groups(self, request_timeout: float) -> Any:
        groups = [SimpleNamespace(group_id=name) for name in self.committed]
        return done(SimpleNamespace(valid=groups))

    def describe_consumer_groups(self, names: list[str], request_timeout: float) -> Any:
        return {name: done(self.refusal or self.description(name)) for name in names}

    def description(self, name: str) -> Any:
        members = [
            SimpleNamespace(client_id=client, host="/127.0.0.1", assignment=assignment(places))
            for client, places in self.readers.get(name, {}).items()
        ]
        return SimpleNamespace(state=SimpleNamespace(name="STABLE"), members=members)

    def list_consumer_group_offsets(self, asked: list[Any], request_timeout: float) -> Any:
        name = asked[0].group_id
        places = [TopicPartition(t, p, offset) for (t, p), offset in self.committed[name].items()]
        return {name: done(SimpleNamespace(topic_partitions=places))}


def assignment(places: Iterable[tuple[str, int]]) -> Any:
    """What a member reads."""
    return SimpleNamespace(topic_partitions=[TopicPartition(*place) for place in places])
