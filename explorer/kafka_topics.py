"""What Kafka holds, asked without leaving a trace: topics, offsets, rates, groups and their lag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from stack.clients.kafka import EARLIEST, LATEST, READABLE, offsets, places_of, reason

ANSWER_SECONDS = 5.0
# Two looks closer to each other than this say little about a rate.
RATE_SECONDS = 2.0


def is_internal(name: str) -> bool:
    """Whether a topic or group serves Kafka (__consumer_offsets) or the stack (_ready)."""
    return name.startswith("_")


@dataclass(frozen=True)
class Partition:
    """One partition: `begin` is the oldest offset still held, `end` the next one to be written.

    readable: how far readers of committed messages get; an open transaction holds back the rest.
    """

    number: int
    begin: int
    end: int
    readable: int

    @property
    def messages(self) -> int:
        """Offsets held; compaction and transactions can leave fewer messages than that."""
        return self.end - self.begin


@dataclass(frozen=True)
class KafkaTopic:
    """A topic with its partitions in order of their numbers."""

    name: str
    partitions: tuple[Partition, ...]

    @property
    def is_internal(self) -> bool:
        """Whether it serves Kafka or the stack itself."""
        return is_internal(self.name)

    @property
    def messages(self) -> int:
        """Offsets held by all partitions."""
        return sum(partition.messages for partition in self.partitions)

    @property
    def end(self) -> int:
        """Messages ever written: the sum of the end offsets."""
        return sum(partition.end for partition in self.partitions)


@dataclass(frozen=True)
class ClusterLook:
    """Every topic as it was at one moment. at_seconds: of a monotonic clock."""

    at_seconds: float
    topics: tuple[KafkaTopic, ...]

    def topic(self, name: str) -> KafkaTopic | None:
        """The topic of this name, None if there is none."""
        return next((topic for topic in self.topics if topic.name == name), None)


@dataclass(frozen=True)
class Rate:
    """Messages that came per second, over that many seconds."""

    messages_per_second: float
    seconds: float


@dataclass(frozen=True)
class Member:
    """One client of a group and the partitions it reads, as (topic, number)."""

    client_id: str
    host: str
    partitions: frozenset[tuple[str, int]]


@dataclass(frozen=True)
class GroupProgress:
    """How far a group is in one partition. committed: its next offset, None if it never said."""

    topic: str
    partition: Partition
    committed: int | None
    client_id: str

    @property
    def lag(self) -> int:
        """Messages not yet confirmed; what expired unread or cannot be read yet does not count."""
        start = self.partition.begin if self.committed is None else self.committed
        return max(0, self.partition.readable - max(start, self.partition.begin))


@dataclass(frozen=True)
class Group:
    """A consumer group. problem: why its members or offsets could not be had, else empty."""

    name: str
    state: str
    members: tuple[Member, ...]
    progress: tuple[GroupProgress, ...]
    problem: str = ""

    @property
    def lag(self) -> int:
        """Messages not yet confirmed in all partitions."""
        return sum(each.lag for each in self.progress)


def take_look(admin: AdminClient, now: float) -> ClusterLook:
    """Every topic with its offsets. Raises KafkaException if the broker does not answer."""
    found = admin.list_topics(timeout=ANSWER_SECONDS).topics
    places = places_of({name: found[name].partitions for name in found})
    begins = offsets(admin, places, EARLIEST, ANSWER_SECONDS)
    ends = offsets(admin, places, LATEST, ANSWER_SECONDS)
    readable = offsets(admin, places, LATEST, ANSWER_SECONDS, isolation=READABLE)
    topics = (
        topic_of(name, sorted(found[name].partitions), begins, ends, readable)
        for name in sorted(found)
    )
    return ClusterLook(now, tuple(topics))


def topic_of(
    name: str,
    numbers: Iterable[int],
    begins: Mapping[tuple[str, int], int],
    ends: Mapping[tuple[str, int], int],
    readable: Mapping[tuple[str, int], int],
) -> KafkaTopic:
    """One topic put together from the three lists of offsets."""
    partitions = (
        Partition(number, begins[name, number], ends[name, number], readable[name, number])
        for number in numbers
    )
    return KafkaTopic(name, tuple(partitions))


def offsets_at(admin: AdminClient, topic: KafkaTopic, milliseconds: int) -> dict[int, int]:
    """The first offset of each partition whose message is not older than a time.

    Where no message is that young it is the end of the partition.
    """
    places = [TopicPartition(topic.name, partition.number) for partition in topic.partitions]
    found = offsets(admin, places, OffsetSpec.for_timestamp(milliseconds), ANSWER_SECONDS)
    ends = {partition.number: partition.end for partition in topic.partitions}
    return {
        number: offset if offset >= 0 else ends[number] for (_, number), offset in found.items()
    }


def rate(earlier: ClusterLook | None, later: ClusterLook, name: str) -> Rate | None:
    """How fast a topic grew between two looks; None if they say nothing about it.

    A topic that was recreated between the looks has fewer messages than before: that is no rate.
    """
    before, after = earlier and earlier.topic(name), later.topic(name)
    if earlier is None or not before or not after or after.end < before.end:
        return None
    seconds = later.at_seconds - earlier.at_seconds
    return Rate((after.end - before.end) / seconds, seconds) if seconds >= RATE_SECONDS else None


def take_groups(admin: AdminClient, look: ClusterLook) -> tuple[Group, ...]:
    """Every consumer group with its members and its lag at the time of a look.

    Raises KafkaException if the broker does not answer; what it refuses to say of one group is
    that group's problem.
    """
    listing = admin.list_consumer_groups(request_timeout=ANSWER_SECONDS).result(ANSWER_SECONDS)
    names = sorted(group.group_id for group in listing.valid)
    if not names:
        return ()
    described = admin.describe_consumer_groups(names, request_timeout=ANSWER_SECONDS)
    committed = {name: ask_committed(admin, name) for name in names}
    return tuple(group_of(name, described[name], committed[name], look) for name in names)


def ask_committed(admin: AdminClient, name: str) -> Future[Any]:
    """Order a group's committed offsets; the answer comes later."""
    asked = [ConsumerGroupTopicPartitions(name)]
    answers: dict[str, Future[Any]] = admin.list_consumer_group_offsets(
        asked, request_timeout=ANSWER_SECONDS
    )
    return answers[name]


def group_of(name: str, described: Future[Any], committed: Future[Any], look: ClusterLook) -> Group:
    """One group from the broker's two answers about it."""
    try:
        description = described.result(ANSWER_SECONDS)
        offsets_found = committed.result(ANSWER_SECONDS).topic_partitions
    except KafkaException as error:
        return Group(name, "UNKNOWN", (), (), reason(error))
    members = tuple(member_of(member) for member in description.members)
    stored = {(place.topic, place.partition): place.offset for place in offsets_found}
    return Group(name, description.state.name, members, progress_of(members, stored, look))


def member_of(member: Any) -> Member:
    """A member without its generated id, which says nothing to people."""
    places = member.assignment.topic_partitions if member.assignment else ()
    partitions = frozenset((place.topic, place.partition) for place in places)
    return Member(member.client_id, member.host.lstrip("/"), partitions)


def progress_of(
    members: Iterable[Member], stored: Mapping[tuple[str, int], int], look: ClusterLook
) -> tuple[GroupProgress, ...]:
    """The partitions a group reads or once read, as far as their topics still exist."""
    readers = {place: member.client_id for member in members for place in member.partitions}
    known = {
        (topic.name, partition.number): partition
        for topic in look.topics
        for partition in topic.partitions
    }
    return tuple(
        GroupProgress(
            place[0], known[place], valid_offset(stored.get(place)), readers.get(place, "")
        )
        for place in sorted(known.keys() & (readers.keys() | stored.keys()))
    )


def valid_offset(offset: int | None) -> int | None:
    """A committed offset; negative numbers stand for none."""
    return offset if offset is not None and offset >= 0 else None
