"""Ask Kafka what it holds of the topics, and since when messages wait."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from stack.errors import RetriableError
from stack.kafka_client import DBT, Administrator, client_options
from stack.reconciliation.evidence import Offsets, TopicState
from stack.settings import Settings

ANSWER_SECONDS = 10.0
WAITING_SECONDS = 5.0
EARLIEST = OffsetSpec.earliest()
LATEST = OffsetSpec.latest()
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
        try:
            with self._admin.client() as admin:
                return {
                    name: TopicState(
                        state.topic_id,
                        state.begin,
                        offsets(admin, name, list(state.begin), LATEST),
                    )
                    for name, state in topics.items()
                }
        except KafkaException as error:
            raise self._away(error) from error

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
            begin = offsets(admin, name, numbers, EARLIEST)
            found[name] = TopicState(str(described.topic_id), begin, {})
        return found

    def waiting_since(self, topic: str, positions: Offsets) -> datetime | None:
        """Kafka's time of the oldest message at or behind these positions.

        positions: only partitions that hold a message there. None if Kafka gives none in time.
        """
        options = self._options | {"group.id": "reconciliation", "enable.auto.commit": False}
        times: dict[int, float] = {}
        end = time.monotonic() + WAITING_SECONDS
        with closing(Consumer(options)) as consumer:
            consumer.assign([TopicPartition(topic, p, offset) for p, offset in positions.items()])
            while len(times) < len(positions) and time.monotonic() < end:
                message = consumer.poll(0.2)
                if message is not None and message.error() is None:
                    times.setdefault(int(message.partition() or 0), message.timestamp()[1] / 1000)
        return datetime.fromtimestamp(min(times.values()), UTC) if times else None

    def _away(self, error: KafkaException) -> RetriableError:
        return RetriableError(
            f"what Kafka at {self._address} holds",
            str(error),
            "see ./initial-setup.sh status, start it with ./initial-setup.sh",
        )


def offsets(
    admin: AdminClient, topic: str, numbers: Collection[int], where: OffsetSpec
) -> dict[int, int]:
    """Partition -> offset. Raises KafkaException."""
    wanted = {TopicPartition(topic, number): where for number in numbers}
    answers = admin.list_offsets(wanted, request_timeout=ANSWER_SECONDS)
    return {place.partition: int(answer.result().offset) for place, answer in answers.items()}
