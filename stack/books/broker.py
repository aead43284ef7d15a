"""Ask Kafka what it holds of the topics, and since when messages wait."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.books.evidence import Offsets, TopicState
from stack.clients.kafka import (
    DBT,
    EARLIEST,
    LATEST,
    READABLE,
    Administrator,
    client_options,
    offsets,
)

ANSWER_SECONDS = 10.0
WAITING_SECONDS = 5.0
GONE = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}


class Broker:
    """The broker of one stack. Everything raises RetriableError while it is away."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.kafka_bootstrap_servers
        self._options = client_options(settings, DBT)
        self._admin = Administrator(self._options)

    def begins(self, topics: Collection[str]) -> dict[str, TopicState]:
        """Topics that are there, with their id and where their partitions begin; no ends yet."""
        if not topics:
            return {}
        try:
            with self._admin.client() as admin:
                return self._begins(admin, topics)
        except KafkaException as error:
            raise self._away(error) from error

    def with_ends(self, topics: Mapping[str, TopicState]) -> dict[str, TopicState]:
        """The same topics with where their partitions end now."""
        places = [TopicPartition(name, p) for name, state in topics.items() for p in state.begin]
        try:
            with self._admin.client() as admin:
                # Asked first: what is written in between would look held back.
                written = offsets(admin, places, LATEST, ANSWER_SECONDS)
                ends = offsets(admin, places, LATEST, ANSWER_SECONDS, isolation=READABLE)
        except KafkaException as error:
            raise self._away(error) from error
        return {
            name: TopicState(
                state.topic_id,
                state.begin,
                {p: ends[name, p] for p in state.begin},
                {p: written[name, p] for p in state.begin},
            )
            for name, state in topics.items()
        }

    @staticmethod
    def _begins(admin: AdminClient, topics: Collection[str]) -> dict[str, TopicState]:
        asked = admin.describe_topics(TopicCollection(list(topics)), request_timeout=ANSWER_SECONDS)
        found: dict[str, TopicState] = {}
        for name, answer in asked.items():
            try:
                described = answer.result()
            except KafkaException as error:
                if error.args[0].code() in GONE:
                    continue
                raise
            numbers = [partition.id for partition in described.partitions]
            places = [TopicPartition(name, number) for number in numbers]
            begin = offsets(admin, places, EARLIEST, ANSWER_SECONDS)
            by_number = {number: offset for (_, number), offset in begin.items()}
            found[name] = TopicState(str(described.topic_id), by_number, {})
        return found

    def waiting_since(self, topic: str, positions: Offsets) -> datetime | None:
        """Kafka's time of the oldest message at or after these positions.

        positions: only partitions that do not end there. None if Kafka gives none in time.
        """
        options = self._options | {
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

    def _away(self, error: KafkaException) -> RetriableError:
        return RetriableError(
            f"what Kafka at {self._address} holds",
            str(error),
            "see ./initial-setup.sh status, start it with ./initial-setup.sh",
        )
