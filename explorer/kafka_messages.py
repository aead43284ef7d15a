"""Read messages of a topic by partition and offset, within stated limits.

Partitions are assigned, never subscribed to, and nothing is committed: no group joins or appears.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from explorer.kafka_topics import KafkaTopic, Partition

SHOWN_MESSAGES = 200
SCANNED_MESSAGES = 20_000
SCAN_SECONDS = 10.0
# Of a longer message only this much is kept; filters look at all of it.
KEPT_BYTES = 262_144
BATCH = 500
POLL_SECONDS = 0.2
# The end of the year 9999, the last that Python knows.
LATEST_MS = 253_402_300_799_999

# The client demands a group's name. It is used for nothing: no offset is stored under it.
READING_OPTIONS: dict[str, str | int | float | bool] = {
    "group.id": "meterhouse-browser",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    # What is in the topic is shown, also what an open or aborted transaction wrote.
    "isolation.level": "read_uncommitted",
    "queued.max.messages.kbytes": 8192,
    "fetch.wait.max.ms": 50,
}


class StartAt(StrEnum):
    """Where reading begins, as the page's address says it. END: newest first, from the end."""

    END = "newest"
    BEGINNING = "oldest"
    OFFSET = "offset"
    TIME = "time"


@dataclass(frozen=True)
class Question:
    """What to look for. partition None: all. Both filters must match, in any case of letters."""

    partition: int | None = None
    start: StartAt = StartAt.END
    count: int = 20
    key_part: str = ""
    text_part: str = ""

    @property
    def has_filter(self) -> bool:
        """Whether messages can be passed over."""
        return bool(self.key_part or self.text_part)

    @property
    def shown(self) -> int:
        """How many messages are given at most, whatever was asked for."""
        return max(1, min(self.count, SHOWN_MESSAGES))


@dataclass(frozen=True)
class Record:
    """One message. value_bytes: its full length, of which `value` holds the first KEPT_BYTES."""

    partition: int
    offset: int
    written_at: datetime | None
    key: bytes | None
    value: bytes | None
    value_bytes: int
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def is_cut(self) -> bool:
        """Whether the message is longer than what is kept of it."""
        return self.value is not None and self.value_bytes > len(self.value)


@dataclass(frozen=True)
class Window:
    """The offsets of one partition that may be looked at: from `first` to before `until`."""

    number: int
    first: int
    until: int


@dataclass(frozen=True)
class FoundMessages:
    """What was found.

    scanned: messages looked at. skipped: offsets that the question allows and no one looked at, so
    that more may be found there. went_on_to: partition -> next offset to look at.
    """

    records: tuple[Record, ...]
    scanned: int
    is_out_of_time: bool
    went_on_to: Mapping[int, int]
    skipped: int


@dataclass
class Scan:
    """The state of one reading: what is still open and what was kept."""

    windows: dict[int, Window]
    kept: dict[int, deque[Record]]
    is_newest_wanted: bool
    is_wanted: Callable[[Record, bytes], bool]
    scanned: int = 0
    next_offsets: dict[int, int] = field(default_factory=dict)

    def take(self, message: Message) -> int | None:
        """Look at one message; return its partition if that is finished by it."""
        number, offset = message.partition(), message.offset()
        window = self.windows.get(number) if number is not None else None
        if number is None or offset is None or window is None:
            return None
        if offset < window.until:
            self.scanned += 1
            self.next_offsets[number] = offset + 1
            self.keep(number, message)
        is_full = len(self.kept[number]) == self.kept[number].maxlen
        if offset + 1 >= window.until or (is_full and not self.is_newest_wanted):
            del self.windows[number]
            return number
        return None

    def keep(self, number: int, message: Message) -> None:
        """Keep a message that is wanted; of too many the oldest goes."""
        record = record_of(message)
        if self.is_wanted(record, message.value() or b""):
            self.kept[number].append(record)


def windows_of(
    question: Question, topic: KafkaTopic, starts: Mapping[int, int] | None = None
) -> list[Window]:
    """Which offsets may be looked at so that no more than SCANNED_MESSAGES are.

    starts: partition -> offset, where reading starts at an offset or a time.
    """
    ranges = [range_of(question, partition, starts or {}) for partition in topic.partitions]
    chosen = [each for each in ranges if question.partition in {None, each.number}]
    shares = shares_of({each.number: each.until - each.first for each in chosen})
    return [narrowed(each, shares[each.number], question.start) for each in chosen]


def range_of(question: Question, partition: Partition, starts: Mapping[int, int]) -> Window:
    """What the question allows in one partition."""
    begin, end = partition.begin, partition.end
    if question.start is StartAt.END:
        first = begin if question.has_filter else max(begin, end - question.shown)
        return Window(partition.number, first, end)
    return Window(partition.number, min(max(starts.get(partition.number, begin), begin), end), end)


def shares_of(lengths: Mapping[int, int]) -> dict[int, int]:
    """Split SCANNED_MESSAGES among partitions: what a short one leaves goes to the longer ones."""
    shares, left = {}, SCANNED_MESSAGES
    for place, number in enumerate(sorted(lengths, key=lambda number: lengths[number])):
        shares[number] = min(lengths[number], left // (len(lengths) - place))
        left -= shares[number]
    return shares


def narrowed(window: Window, share: int, start: StartAt) -> Window:
    """A window's newest messages where the newest are wanted, else its first ones."""
    if start is StartAt.END:
        return Window(window.number, max(window.first, window.until - share), window.until)
    return Window(window.number, window.first, min(window.until, window.first + share))


def matches(question: Question) -> Callable[[Record, bytes], bool]:
    """The question's filter: a record and its whole value, yes or no."""
    key_part, text_part = question.key_part.casefold(), question.text_part.casefold()

    def is_wanted(record: Record, value: bytes) -> bool:
        return (not key_part or key_part in loose_text(record.key)) and (
            not text_part or text_part in loose_text(value)
        )

    return is_wanted


def loose_text(raw: bytes | None) -> str:
    """Bytes as text to search in: what is no text never matches, case is ignored."""
    return (raw or b"").decode("utf-8", "replace").casefold()


def read(
    options: Mapping[str, str | int | float | bool],
    question: Question,
    topic: KafkaTopic,
    starts: Mapping[int, int] | None = None,
) -> FoundMessages:
    """Ask the broker. Raises KafkaException if it does not answer."""
    windows = windows_of(question, topic, starts)
    with closing(Consumer(dict(options) | READING_OPTIONS)) as consumer:
        return scan(consumer, topic, question, windows, time.monotonic)


def scan(
    consumer: Consumer,
    topic: KafkaTopic,
    question: Question,
    windows: Iterable[Window],
    monotonic: Callable[[], float],
) -> FoundMessages:
    """Read the windows until they are done, enough was found or SCAN_SECONDS are over."""
    open_windows = {window.number: window for window in windows if window.first < window.until}
    kept = {number: deque[Record](maxlen=question.shown) for number in open_windows}
    firsts = {number: window.first for number, window in open_windows.items()}
    state = Scan(
        open_windows, kept, question.start is StartAt.END, matches(question), next_offsets=firsts
    )
    if open_windows:
        consumer.assign(places(topic, open_windows.values()))
    end = monotonic() + SCAN_SECONDS
    while state.windows and monotonic() < end:
        for message in consumer.consume(BATCH, POLL_SECONDS):
            done = finished_by(message) if message.error() else state.take(message)
            if done is not None:
                state.windows.pop(done, None)
                consumer.pause([TopicPartition(topic.name, done)])
    return answer_of(state, question, topic)


def places(topic: KafkaTopic, windows: Iterable[Window]) -> list[TopicPartition]:
    """Where the consumer is put: absolute offsets, so that it asks for no committed ones."""
    return [TopicPartition(topic.name, window.number, window.first) for window in windows]


def finished_by(message: Message) -> int | None:
    """The partition whose end is told. Raises KafkaException for any other error."""
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return message.partition()


def answer_of(state: Scan, question: Question, topic: KafkaTopic) -> FoundMessages:
    """The records of all partitions in one order, no more than asked for."""
    is_newest_wanted = state.is_newest_wanted
    records = sorted(
        (record for kept in state.kept.values() for record in kept),
        key=lambda record: (timestamp(record), record.partition, record.offset),
        reverse=is_newest_wanted,
    )
    return FoundMessages(
        records=tuple(records[: question.shown]),
        scanned=state.scanned,
        is_out_of_time=bool(state.windows),
        went_on_to=state.next_offsets,
        skipped=skipped(state, question, topic),
    )


def timestamp(record: Record) -> float:
    """A record's time in seconds, 0 if it has none."""
    return record.written_at.timestamp() if record.written_at else 0.0


def skipped(state: Scan, question: Question, topic: KafkaTopic) -> int:
    """Offsets that no one looked at: before the newest ones, or after where reading ended."""
    chosen = [p for p in topic.partitions if question.partition in {None, p.number}]
    if question.start is StartAt.END:
        return max(0, sum(partition.messages for partition in chosen) - state.scanned)
    return sum(
        partition.end - state.next_offsets[partition.number]
        for partition in chosen
        if partition.number in state.next_offsets
    )


def record_of(message: Message) -> Record:
    """A message of the client as a value of our own."""
    value = as_bytes(message.value())
    return Record(
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        written_at=moment_of(*message.timestamp()),
        key=as_bytes(message.key()),
        value=cut(value) if value is not None else None,
        value_bytes=len(value or b""),
        headers=headers_of(message),
    )


def moment_of(kind: int, milliseconds: int) -> datetime | None:
    """A message's time, None where the broker has none or it lies beyond the year 9999."""
    if kind == TIMESTAMP_NOT_AVAILABLE or not 0 <= milliseconds <= LATEST_MS:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def cut(value: bytes) -> bytes:
    """The first KEPT_BYTES or a little less: not within a character of UTF-8."""
    end = KEPT_BYTES
    while KEPT_BYTES - 4 < end < len(value) and value[end] & 0xC0 == 0x80:
        end -= 1
    return value[:end]


def headers_of(message: Message) -> tuple[tuple[str, bytes | None], ...]:
    """A message's headers in their order; the same name can stand there twice.

    A name that is no UTF-8 keeps the client from giving any.
    """
    try:
        pairs: Any = message.headers() or ()
    except (SystemError, UnicodeError):
        return (("(a name that is not UTF-8)", None),)
    return tuple((str(name), as_bytes(content)) for name, content in pairs)


def as_bytes(content: str | bytes | None) -> bytes | None:
    """What the client gives, always as bytes."""
    return content.encode() if isinstance(content, str) else content


def mean_bytes(records: Iterable[Record]) -> float | None:
    """The mean size of key and value, None without a message.

    For an estimate of a topic's size: the client cannot ask a broker for the size of its logs.
    """
    sizes = [len(record.key or b"") + record.value_bytes for record in records]
    return sum(sizes) / len(sizes) if sizes else None


def sample_size(options: Mapping[str, str | int | float | bool], topic: KafkaTopic) -> float | None:
    """The mean size of a topic's newest messages, in bytes."""
    return mean_bytes(read(options, Question(count=50), topic).records)
