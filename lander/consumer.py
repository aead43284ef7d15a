"""Read one topic as a member of a consumer group whose positions come from the caller."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Protocol

import numpy as np
from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from lander.batch import Chunk
from lander.headers import UNREADABLE, Headers, header_text
from stack.base.errors import RetriableError
from stack.clients.kafka import (
    EARLIEST,
    LATEST,
    READABLE,
    Administrator,
    Options,
    TopicFacts,
    describe,
    offsets,
    places_of,
)
from stack.watermarks.landed import Bounds

GROUP = "lakehouse-landing"
TIMEOUT_SECONDS = 5.0
READ_SECONDS = 0.1
NO_EPOCH = -1
# What is known of a partition once the broker was asked, beside a message.
ANSWERS = {KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET}
# A reader of one message a partition, were it an aborted one: of these there may be many in a row.
# It does not join its group.
QUESTION: Options = {
    "isolation.level": "read_uncommitted",
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    "fetch.message.max.bytes": 1,
    "fetch.wait.max.ms": 10,
    "queued.min.messages": 1,
}
# States in which the group waits for nobody: who has no partition now will not get one soon.
AT_REST = {ConsumerGroupState.STABLE, ConsumerGroupState.EMPTY, ConsumerGroupState.DEAD}
# What librdkafka says of it; the error's own code is that of any position that Kafka has not.
TRUNCATION = re.compile(r"\(leader epoch \d+\): broker end offset is (-?\d+)")
# Prefetched bytes; with what one fetch brings on top, this bounds librdkafka's memory.
PREFETCH_KBYTES = 8 * 1024
FETCH_BYTES = 4 * 2**20


class Reader(Protocol):
    """What the lander asks of Kafka; `assigned` changes only inside `read`."""

    assigned: frozenset[int]
    generation: int
    ends: dict[int, int]
    needs_restart: bool
    trouble: str | None

    def read(self, count: int, timeout: float) -> Chunk:
        """Up to `count` messages within `timeout` seconds; none of an assignment now gone."""

    def start(self, positions: Mapping[int, int], epochs: Mapping[int, int]) -> None:
        """Read the assigned partitions from these offsets on.

        epochs: leader epochs of the messages before them, where known.
        """

    def stop(self) -> None:
        """Stay in the group without reading until `start` says from where."""

    def bounds(self, partitions: Iterable[int]) -> dict[int, Bounds]:
        """What Kafka holds of the partitions."""

    def written_ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """Where the partitions end, with what open transactions hold back from readers."""

    def cuts(self, offsets: Mapping[int, int], epochs: Mapping[int, int]) -> dict[int, int]:
        """Where Kafka's log was cut before these offsets, partition -> offset; no entry: nowhere.

        epochs: leader epochs of the messages before the offsets; without one nothing can be said.
        """

    def topic_id(self) -> str:
        """Kafka's id of the topic."""

    def partitions(self) -> frozenset[int]:
        """All partitions of the topic."""

    def is_left_out(self) -> bool:
        """True if the group is at rest and leaves partitions of the topic to nobody else."""

    def lag(self) -> int:
        """Messages of the assigned partitions not read yet, as far as librdkafka knows."""

    def commit(self, next_offsets: Mapping[int, int]) -> None:
        """Show progress as the group's offsets; nothing is decided by them."""

    def close(self) -> None:
        """Leave the group."""


class KafkaReader:
    """Reader on librdkafka.

    assigned: partitions the group gave us; generation: counts changes of the assignment;
    ends: partition -> offset at which it was last seen read to its end;
    needs_restart: Kafka no longer holds a position we asked for, or knows nothing of it;
    trouble: why Kafka cannot be read now, None if it can.
    """

    def __init__(self, topic: str, connection: Options) -> None:
        self.topic = topic
        self.assigned: frozenset[int] = frozenset()
        self.generation = 0
        self.ends: dict[int, int] = {}
        self.needs_restart = False
        self.trouble: str | None = None
        self._options: Options = connection | {"log_level": 2}
        self._admin = Administrator(self._options)
        reading = consumer_settings() | {"error_cb": self._on_error}
        self._group = str(reading["group.id"])
        self._consumer = Consumer(self._options | reading)
        self._consumer.subscribe([topic], on_assign=self._on_assign, on_revoke=self._on_revoke)

    def read(self, count: int, timeout: float) -> Chunk:
        """Up to `count` messages within `timeout` seconds; none of an assignment now gone."""
        generation = self.generation
        messages = self._consumer.consume(count, timeout)
        if any(map(Message.error, messages)):
            for message in messages:
                self._on_event(message)
            messages = [message for message in messages if message.error() is None]
        if messages:
            self.trouble = None
        return chunk_of(messages if generation == self.generation else [])

    def start(self, positions: Mapping[int, int], epochs: Mapping[int, int]) -> None:
        """Read the assigned partitions from these offsets on.

        With the epochs librdkafka sees a cut that is made from now on: it asks the broker where an
        epoch ends whenever a partition's leader was elected again.
        """
        self.needs_restart = False
        self.ends = {}
        self._consumer.assign(self._places(positions, epochs))

    def stop(self) -> None:
        """Stay in the group without reading until `start` says from where."""
        # Given up rather than paused: paused partitions do not come back to life when the broker
        # was restarted meanwhile.
        self._consumer.assign([])

    def bounds(self, partitions: Iterable[int]) -> dict[int, Bounds]:
        """What Kafka holds of the partitions. Raises KafkaException while Kafka is away."""
        places = places_of({self.topic: partitions})
        with self._admin.client() as admin:
            begins = offsets(admin, places, EARLIEST, TIMEOUT_SECONDS)
            ends = offsets(admin, places, LATEST, TIMEOUT_SECONDS, isolation=READABLE)
        return {
            partition: Bounds(begins[t, partition], ends[t, partition]) for t, partition in ends
        }

    def written_ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """Where the partitions end, with what open transactions hold back from readers.

        Raises KafkaException while Kafka is away.
        """
        places = places_of({self.topic: partitions})
        with self._admin.client() as admin:
            ends = offsets(admin, places, LATEST, TIMEOUT_SECONDS)
        return {partition: end for (_, partition), end in ends.items()}

    def cuts(self, offsets: Mapping[int, int], epochs: Mapping[int, int]) -> dict[int, int]:
        """Where Kafka's log was cut before these offsets, partition -> offset; no entry: nowhere.

        epochs: leader epochs of the messages before the offsets; without one nothing can be said.
        NOT_KNOWN stands for a log that goes back to before the epoch. Raises RetriableError
        if Kafka does not tell.
        """
        known = {p: offset for p, offset in offsets.items() if p in epochs}
        if not known:
            return {}
        # A new client: only where it does not know a partition's leader yet does librdkafka ask.
        consumer = Consumer(self._options | QUESTION | {"group.id": self._group})
        try:
            consumer.assign(self._places(known, epochs))
            return self._answers(consumer, set(known))
        finally:
            consumer.close()

    def _answers(self, consumer: Consumer, asked: set[int]) -> dict[int, int]:
        """What the first event or message of each partition says of a cut."""
        cuts: dict[int, int] = {}
        end = time.monotonic() + TIMEOUT_SECONDS
        while asked:
            for message in consumer.consume(len(asked), READ_SECONDS):
                error, partition = message.error(), int(message.partition() or 0)
                if partition in asked and (error is None or error.code() in ANSWERS):
                    asked.remove(partition)
                    end = time.monotonic() + TIMEOUT_SECONDS
                    # A broker answers with one partition's messages where there is room for one.
                    consumer.pause([TopicPartition(self.topic, partition)])
                if error and (cut := TRUNCATION.search(error.str())):
                    cuts[partition] = int(cut[1])
            if asked and time.monotonic() > end:
                raise RetriableError(
                    f"whether topic {self.topic} is whole before where it was read to",
                    f"no answer for partitions {sorted(asked)}",
                    "nothing: it is asked again",
                )
        return cuts

    def topic_id(self) -> str:
        """Kafka's id of the topic. Raises as partitions does."""
        return self._facts().topic_id

    def partitions(self) -> frozenset[int]:
        """All partitions of the topic.

        Raises RetriableError if there is no such topic, KafkaException while Kafka is away.
        """
        return self._facts().partitions

    def _facts(self) -> TopicFacts:
        with self._admin.client() as admin:
            found = describe(admin, [self.topic], TIMEOUT_SECONDS)
        if self.topic not in found:
            raise RetriableError(
                f"topic {self.topic}", "none in Kafka", "create it; the lander waits for it"
            )
        return found[self.topic]

    def is_left_out(self) -> bool:
        """True if the group is at rest and leaves partitions of the topic to nobody else.

        False where Kafka does not answer.
        """
        # A new client: the question is what one gets that begins now.
        admin = AdminClient(self._options)
        try:
            found = describe(admin, [self.topic], TIMEOUT_SECONDS)
            asked = admin.describe_consumer_groups([self._group], request_timeout=TIMEOUT_SECONDS)
            group = asked[self._group].result()
        except KafkaException:
            return False
        taken = {
            place.partition
            for member in group.members
            if member.member_id != self._consumer.memberid()
            for place in member.assignment.topic_partitions
            if place.topic == self.topic
        }
        there = found[self.topic].partitions if self.topic in found else frozenset()
        return group.state in AT_REST and not there <= taken

    def lag(self) -> int:
        """Messages of the assigned partitions not read yet, as far as librdkafka knows."""
        return sum(map(self._partition_lag, self._consumer.position(self._consumer.assignment())))

    def commit(self, next_offsets: Mapping[int, int]) -> None:
        """Show progress as the group's offsets; nothing is decided by them."""
        offsets = [TopicPartition(self.topic, p, o) for p, o in next_offsets.items()]
        self._consumer.commit(offsets=offsets, asynchronous=True)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _places(
        self, positions: Mapping[int, int], epochs: Mapping[int, int]
    ) -> list[TopicPartition]:
        return [
            TopicPartition(self.topic, partition, offset, "", epochs.get(partition, NO_EPOCH))
            for partition, offset in positions.items()
        ]

    def _partition_lag(self, position: TopicPartition) -> int:
        bounds = self._consumer.get_watermark_offsets(position, cached=True)
        if bounds is None or position.offset <= self.ends.get(position.partition, -1):
            return 0
        return max(0, int(bounds[1]) - int(position.offset))

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Take the partitions but read nothing until `start` says from where."""
        consumer.assign([])
        self.assigned = frozenset(partition.partition for partition in partitions)
        self.generation += 1

    def _on_revoke(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        """The group shares the topic again: nothing is ours until it says so."""
        consumer.unassign()
        self.assigned = frozenset()
        self.generation += 1

    def _on_event(self, message: Message) -> None:
        """Note what librdkafka reports in place of a message."""
        error = message.error()
        if error is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            self.trouble = None
            self.ends[int(message.partition() or 0)] = int(message.offset() or 0)
        elif error.code() == KafkaError._AUTO_OFFSET_RESET:
            self.needs_restart = True
        else:
            self._on_error(error)

    def _on_error(self, error: KafkaError) -> None:
        """Note trouble that librdkafka goes on to fix; raise what it cannot."""
        if error.fatal():
            raise KafkaException(error)
        self.trouble = error.str()


def chunk_of(messages: Sequence[Message]) -> Chunk:
    """The chunk of consumed messages; there must be no error event among them."""
    count = len(messages)
    partitions = np.fromiter(map(Message.partition, messages), np.int32, count)
    last = dict(zip(partitions.tolist(), messages, strict=True))
    epochs = ((partition, message.leader_epoch()) for partition, message in last.items())
    return Chunk(
        partitions=partitions,
        offsets=np.fromiter(map(Message.offset, messages), np.int64, count),
        times_ms=np.fromiter(map(itemgetter(1), map(Message.timestamp, messages)), np.int64, count),
        keys=list(map(Message.key, messages)),
        messages=list(map(Message.value, messages)),
        epochs={partition: epoch for partition, epoch in epochs if epoch is not None},
        headers=header_texts(messages),
    )


def header_texts(messages: Sequence[Message]) -> list[str | None]:
    """The headers of each message as text; empty if none has any, which costs next to nothing."""
    headers: list[Headers | str | None] = []
    asked = map(Message.headers, messages)
    while True:
        try:
            headers.extend(asked)
        except (SystemError, UnicodeError):
            # What was given before this message stays. It must not be asked twice: the client
            # keeps a list with a hole.
            headers.append(UNREADABLE)
        else:
            break
    return list(map(header_text, headers)) if any(headers) else []


def consumer_settings() -> dict[str, str | int | bool]:
    """Settings of librdkafka for the landing consumer."""
    return {
        "group.id": GROUP,
        "client.id": "lander",
        # Positions come from the table; nothing may be chosen for us.
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "partition.assignment.strategy": "range",
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "session.timeout.ms": 6_000,
        "heartbeat.interval.ms": 2_000,
        "topic.metadata.refresh.interval.ms": 10_000,
        "queued.max.messages.kbytes": PREFETCH_KBYTES,
        "fetch.max.bytes": FETCH_BYTES,
        "fetch.queue.backoff.ms": 20,
        "reconnect.backoff.max.ms": 2_000,
    }
