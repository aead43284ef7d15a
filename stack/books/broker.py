"""Ask Kafka what it holds of the topics, and since when messages wait."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaError, TopicPartition

from stack.books.evidence import Offsets, TopicState
from stack.clients.kafka import (
    EARLIEST,
    LATEST,
    READABLE,
    Administrator,
    describe,
    offsets,
    places_of,
)

ANSWER_SECONDS = 10.0
WAITING_SECONDS = 5.0


class Broker:
    """The broker of one stack. Everything raises RetriableError while it is away."""

    def __init__(self, kafka: Administrator) -> None:
        self._kafka = kafka

    def begins(self, topics: Collection[str]) -> dict[str, TopicState]:
        """Topics that are there, with their id and where their partitions begin; no ends yet."""
        with self._kafka.asked() as admin:
            found = describe(admin, topics, ANSWER_SECONDS)
            places = places_of({name: facts.partitions for name, facts in found.items()})
            begins = offsets(admin, places, EARLIEST, ANSWER_SECONDS)
        return {
            name: TopicState(facts.topic_id, {p: begins[name, p] for p in facts.partitions}, {})
            for name, facts in found.items()
        }

    def with_ends(self, topics: Mapping[str, TopicState]) -> dict[str, TopicState]:
        """The same topics with where their partitions end now."""
        places = places_of({name: state.begin for name, state in topics.items()})
        with self._kafka.asked() as admin:
            # Asked first: what is written in between would look held back.
            written = offsets(admin, places, LATEST, ANSWER_SECONDS)
            ends = offsets(admin, places, LATEST, ANSWER_SECONDS, isolation=READABLE)
        return {
            name: TopicState(
                state.topic_id,
                state.begin,
                {p: ends[name, p] for p in state.begin},
                {p: written[name, p] for p in state.begin},
            )
            for name, state in topics.items()
        }

    def waiting_since(self, topic: str, positions: Offsets) -> datetime | None:
        """Kafka's time of the oldest message at or after these positions.

        positions: only partitions that do not end there. None if Kafka gives none in time.
        """
        options = self._kafka.options | {
            "group.id": "reconciliation",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
        times: dict[int, float] = {}
        asked, end = set(positions), time.monotonic() + WAITING_SECONDS
        with closing(Consumer(options)) as consumer:
            consumer.assign([TopicPartition(topic, p, offset) for p, offset in positions.items()])
            while asked and time.monotonic() < end:
                message = consumer.poll(0.2)
                if message is None:
                    continue
                error, partition = message.error(), int(message.partition() or 0)
                if error is None:
                    times.setdefault(partition, message.timestamp()[1] / 1000)
                # All that is left of a partition may be offsets without a message.
                if error is None or error.code() == KafkaError._PARTITION_EOF:
                    asked.discard(partition)
        return datetime.fromtimestamp(min(times.values()), UTC) if times else None
