"""The edge to Kafka: send, count every acknowledgement, lose nothing while the broker is away."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from stack.base.errors import ConfigurationError, RetriableError
from stack.clients.kafka import Options, Trouble, answering, describe

CONNECT_SECONDS = 10.0
POLL_SECONDS = 0.1
HASH_MASK = (1 << 64) - 1


def producer_settings(linger_ms: int) -> dict[str, Any]:
    """Settings of librdkafka: in order, no duplicates, ten minutes of patience."""
    return {
        "client.id": "meterhouse-simulator",
        "enable.idempotence": True,
        "acks": "all",
        "message.timeout.ms": 600_000,
        "linger.ms": linger_ms,
        "batch.size": 1_000_000,
        "compression.type": "lz4",
        "queue.buffering.max.messages": 200_000,
        # The same key goes to the same partition as with Java clients.
        "partitioner": "murmur2_random",
        # Lost and refused connections are retried; the totals say what became of messages.
        "log_level": 2,
    }


class Acknowledgement(Protocol):
    """What a delivery callback is told about a message."""

    def partition(self) -> int:
        """Partition it went to."""

    def offset(self) -> int:
        """Its offset there."""

    def key(self) -> bytes | None:
        """Its key."""

    def value(self) -> bytes | None:
        """Its payload."""


class Sender(Protocol):
    """The part of confluent_kafka.Producer that delivery uses."""

    def produce(
        self, topic: str, value: bytes, key: bytes | None, *, on_delivery: Callable[..., None]
    ) -> None:
        """Queue a message; raises BufferError when the queue is full."""

    def poll(self, timeout: float) -> int:
        """Serve callbacks."""

    def flush(self, timeout: float) -> int:
        """Wait for acknowledgements; the number still outstanding."""


OnAcknowledged = Callable[[Acknowledgement], None]


@dataclass
class TopicCount:
    """What became of the messages of one topic.

    partitions: partition -> [acknowledged, first offset, last offset]. reasons: reason of
    failure -> count. content_hash: sum modulo 2^64 of message_hash over acknowledged messages.
    """

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    partitions: dict[int, list[int]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    content_hash: int = 0

    def add(self, partition: int, offset: int) -> None:
        """Count an acknowledged message."""
        self.acknowledged += 1
        entry = self.partitions.get(partition)
        if entry is None:
            self.partitions[partition] = [1, offset, offset]
        else:
            entry[0] += 1
            entry[1] = min(entry[1], offset)
            entry[2] = max(entry[2], offset)

    def fail(self, reason: str) -> None:
        """Count a message that was given up."""
        self.failed += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def record(self) -> dict[str, Any]:
        """The counts as a JSON object of the report."""
        partitions = {
            str(partition): {"acknowledged": count, "first_offset": first, "last_offset": last}
            for partition, (count, first, last) in sorted(self.partitions.items())
        }
        return {
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "failed": self.failed,
            "failure_reasons": self.reasons,
            "partitions": partitions,
            "content_hash": self.content_hash,
        }


def message_hash(key: bytes | None, value: bytes | None) -> int:
    """64 bits of a message: BLAKE2b with 8 bytes of key followed by payload, little endian."""
    digest = hashlib.blake2b((key or b"") + (value or b""), digest_size=8).digest()
    return int.from_bytes(digest, "little")


class Delivery:
    """Sends messages and keeps count by topic.

    with_hash: whether to sum up the content, which costs about a microsecond a message.
    """

    def __init__(self, sender: Sender, with_hash: bool = False) -> None:
        self.sender = sender
        self.with_hash = with_hash
        self.counts: dict[str, TopicCount] = {}

    def send(
        self,
        topic: str,
        keys: Sequence[bytes | None],
        values: Sequence[bytes],
        on_acknowledged: OnAcknowledged | None = None,
    ) -> None:
        """Queue messages in order; waits while the queue is full, for as long as it takes."""
        count = self.counts.setdefault(topic, TopicCount())
        callback = self.callback(count, on_acknowledged)
        produce = self.sender.produce
        for key, value in zip(keys, values, strict=True):
            count.sent += 1
            while True:
                try:
                    produce(topic, value, key, on_delivery=callback)
                    break
                except BufferError:
                    self.sender.poll(POLL_SECONDS)
        self.sender.poll(0)

    def callback(
        self, count: TopicCount, on_acknowledged: OnAcknowledged | None
    ) -> Callable[[object, Acknowledgement], None]:
        """What librdkafka calls once for each message."""

        def delivered(error: object, message: Acknowledgement) -> None:
            if error is not None:
                count.fail(str(error))
                return
            count.add(message.partition(), message.offset())
            if self.with_hash:
                added = message_hash(message.key(), message.value())
                count.content_hash = (count.content_hash + added) & HASH_MASK
            if on_acknowledged is not None:
                on_acknowledged(message)

        return delivered

    def poll(self, seconds: float) -> None:
        """Serve acknowledgements for a while."""
        self.sender.poll(seconds)

    def finish(self, give_up: Callable[[], bool]) -> None:
        """Wait until every message is acknowledged or failed, or `give_up` says to stop.

        What is then still on its way counts as failed.
        """
        while self.sender.flush(POLL_SECONDS) > 0 and not give_up():
            pass
        for count in self.counts.values():
            for _ in range(count.sent - count.acknowledged - count.failed):
                count.fail("not acknowledged before the end")

    @property
    def outstanding(self) -> int:
        """Messages neither acknowledged nor failed."""
        total = self.total
        return total.sent - total.acknowledged - total.failed

    @property
    def total(self) -> TopicCount:
        """Sent, acknowledged and failed of all topics."""
        counts = self.counts.values()
        return TopicCount(
            sum(count.sent for count in counts),
            sum(count.acknowledged for count in counts),
            sum(count.failed for count in counts),
        )


def connect(connection: Options, topics: Sequence[str], linger_ms: int = 20) -> Producer:
    """A producer for topics that exist. connection: where the broker is, and a login.

    Raises RetriableError where no broker answers, ConfigurationError for an unknown topic.
    """
    trouble = Trouble()
    callback = {"error_cb": trouble.note}
    producer = Producer(connection | producer_settings(linger_ms) | callback)
    servers = str(connection["bootstrap.servers"])
    check_topics(broker_metadata(producer, servers, trouble), topics)
    return producer


def broker_metadata(client: Any, bootstrap_servers: str, trouble: Trouble) -> Any:
    """Topics of the cluster that the client may see.

    trouble: what the client tells of its errors. Raises RetriableError where no broker answers.
    """
    try:
        return client.list_topics(timeout=CONNECT_SECONDS)
    except KafkaException as error:
        client.poll(0)
        raise RetriableError(
            f"a Kafka broker at {bootstrap_servers}",
            f"none within {CONNECT_SECONDS:g} s ({trouble.text or error.args[0].str()})",
            "./initial-setup.sh status shows whether Kafka runs; "
            "check KAFKA_BOOTSTRAP_SERVERS or --kafka-bootstrap-servers",
        ) from error


def topic_ids(connection: Options, topics: Sequence[str]) -> dict[str, str]:
    """Kafka's ids of topics that exist; a recreated one has another.

    connection: where the broker is, and a login.
    Raises RetriableError where the broker does not tell.
    """
    with answering(connection["bootstrap.servers"]):
        found = describe(AdminClient(connection | {"log_level": 2}), topics, CONNECT_SECONDS)
    return {name: facts.topic_id for name, facts in found.items()}


def check_topics(metadata: Any, topics: Sequence[str]) -> None:
    """Raise ConfigurationError for a topic that is not there."""
    for topic in topics:
        if topic not in metadata.topics:
            known = ", ".join(sorted(name for name in metadata.topics if name[:2] != "__"))
            raise ConfigurationError(
                f"the topic {topic}",
                f"only {known or 'no topics'}",
                "run ./initial-setup.sh, which creates the topics of kafka/topics.tsv, "
                "or name another topic",
            )
