"""Messages that Kafka has lost are named, and none but them is missing; a producer that dies."""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from lander.catalog import open_catalog
from lander.table import NAMESPACE
from stack.base.settings import Settings, load_settings
from stack.clients.kafka import client_options
from stack.programs.paths import paths_of
from stack.provision import ready
from stack.watermarks.landed import LOST_PROPERTY
from tests.faults.case import LANDERS, PARTITIONS, Case, Grounds, grounds_of, wait_until
from tests.faults.ledger import Ledger, fingerprint, message_of
from tests.faults.oracle import MESSAGE_COLUMNS, raw
from tests.integration.actors import Actors
from tests.integration.lakehouse import Lakehouse, no_word

SEED = 8831
LOST = 3
WAIT_SECONDS = 60.0
ENOUGH_MESSAGES = 2_000

# Topic id, partition and offset of a message: a recreated topic has another id.
Place = tuple[str, int, int]


@pytest.fixture
def grounds(lakehouse: Lakehouse) -> Iterator[Grounds]:
    with grounds_of(lakehouse.settings, Case(7, SEED, ())) as made:
        yield made


def sent(grounds: Grounds, count: int) -> dict[tuple[int, int], int]:
    """Send so many messages; the fingerprint of each by its place, as acknowledged."""
    found: dict[tuple[int, int], int] = {}
    numbers = random.Random(f"{SEED}/{count}")
    ledger = Ledger()

    def note(error: KafkaError | None, message: Message) -> None:
        ledger.note(error, message)
        place = int(message.partition() or 0), int(message.offset() or 0)
        found[place] = fingerprint(message.key(), message.value())

    producer = Producer(client_options(grounds.settings) | {"enable.idempotence": True})
    for _ in range(count):
        key, value = message_of(numbers)
        producer.produce(grounds.topic, value, key, on_delivery=note)
        producer.poll(0)
    assert producer.flush(WAIT_SECONDS) == 0
    assert not ledger.failed
    return found


def landed(grounds: Grounds) -> dict[Place, int]:
    """The fingerprint of each landed message by its place; no place twice."""
    rows = landed_rows(grounds)
    found = dict(rows)
    assert len(found) == len(rows), "a message landed twice"
    return found


def landed_rows(grounds: Grounds) -> list[tuple[Place, int]]:
    """Place and fingerprint of each landed message."""
    columns = ("kafka_topic_id", "kafka_partition", "kafka_offset", *MESSAGE_COLUMNS)
    table = open_catalog(grounds.settings).load_table((NAMESPACE, grounds.topic))
    rows = table.scan(selected_fields=columns).to_arrow().to_pylist()
    return [
        (
            (row["kafka_topic_id"], row["kafka_partition"], row["kafka_offset"]),
            fingerprint(
                raw(row["message_key"], row["message_key_encoding"]),
                raw(row["message"], row["message_encoding"]),
            ),
        )
        for row in rows
    ]


def losses(grounds: Grounds) -> list[tuple[int, int, int | None, str, bool]]:
    """What the table says was lost."""
    table = open_catalog(grounds.settings).load_table((NAMESPACE, grounds.topic))
    return sorted(
        (each["partition"], each["first"], each["last"], each["reason"], each["is_accepted"])
        for each in json.loads(table.properties.get(LOST_PROPERTY, "[]"))
    )


def test_retention_past_the_watermark_is_told_and_costs_only_what_is_gone(
    grounds: Grounds,
) -> None:
    before = sent(grounds, 300)
    assert grounds.land() == 0
    after = sent(grounds, 301)
    end = first_end(before)
    admin = AdminClient(client_options(grounds.settings))
    gone = TopicPartition(grounds.topic, 0, end + 4)
    admin.delete_records([gone])[gone].result(30)

    assert grounds.land() == LOST
    assert losses(grounds) == [(0, end, end + 3, "retention", False)]
    assert {place[1:] for place in landed(grounds)} == before.keys()

    assert grounds.land("--accept-loss") == 0
    assert losses(grounds) == [(0, end, end + 3, "retention", True)]
    wanted = before | {place: mark for place, mark in after.items() if not is_gone(place, end)}
    assert {place[1:]: mark for place, mark in landed(grounds).items()} == wanted
    assert grounds.land() == 0


def is_gone(place: tuple[int, int], end: int) -> bool:
    """Whether retention took this message before it landed."""
    partition, offset = place
    return partition == 0 and end <= offset < end + 4


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_recreated_topic_is_told_and_both_topics_are_kept(
    grounds: Grounds, is_empty: bool
) -> None:
    old = sent(grounds, 300)
    assert grounds.land() == 0
    admin = AdminClient(client_options(grounds.settings))
    admin.delete_topics([grounds.topic])[grounds.topic].result(30)
    wait_until(lambda: grounds.topic not in admin.list_topics(timeout=10).topics, WAIT_SECONDS)
    made = admin.create_topics([NewTopic(grounds.topic, PARTITIONS)])
    made[grounds.topic].result(30)
    new = {} if is_empty else sent(grounds, 200)

    assert grounds.land() == LOST
    assert {reason for _, _, _, reason, _ in losses(grounds)} == {"topic recreated"}
    assert grounds.land("--accept-loss") == 0
    assert grounds.land() == 0
    new = new or sent(grounds, 200)
    assert grounds.land() == 0
    by_topic: dict[str, dict[tuple[int, int], int]] = {}
    for (topic_id, *place), mark in landed(grounds).items():
        by_topic.setdefault(topic_id, {})[place[0], place[1]] = mark
    assert sorted(by_topic.values(), key=len) == [new, old]


def test_a_log_that_was_cut_and_has_grown_since_is_told_and_all_of_it_lands(
    grounds: Grounds,
) -> None:
    """As after a power cut that took what the disk had not written, with senders back first."""
    before = sent(grounds, 200)
    cut = first_end(before)
    before |= sent(grounds, 100)
    end = first_end(before)
    assert grounds.land() == 0
    with_kafka_down(grounds.settings, grounds.topic, lambda log: cut_log(log, cut))
    after = sent(grounds, 300)
    assert (0, cut) in after
    assert cut < end < first_end(after)

    assert grounds.land() == LOST
    assert losses(grounds) == [(0, end, None, "topic truncated", False)]
    assert grounds.land("--accept-loss") == 0
    assert losses(grounds) == [(0, end, None, "topic truncated", True)]
    assert grounds.land() == 0
    found = Counter((place[1:], mark) for place, mark in landed_rows(grounds))
    assert found == Counter([*before.items(), *after.items()])


def first_end(messages: Mapping[tuple[int, int], int]) -> int:
    """Where these messages end in the first partition."""
    return max(offset for partition, offset in messages if partition == 0) + 1


def with_kafka_down(settings: Settings, topic: str, change: Callable[[Path], None]) -> None:
    """Let a broker that died come back to a changed log of a topic's first partition."""
    actors, logs = Actors(settings), paths_of(settings).data("kafka") / "logs"
    actors.stop("kafka")
    try:
        # It recovers its logs only where it does not know that it ended in good order.
        (logs / ".kafka_cleanshutdown").unlink()
        change(logs / f"{topic}-0" / f"{0:020}.log")
    finally:
        actors.start("kafka")
        ready.wait(settings, WAIT_SECONDS, no_word)


def cut_log(log: Path, end: int) -> None:
    """Take all batches from this offset on out of a log: each begins with offset and length."""
    content, place = log.read_bytes(), 0
    while (head := struct.unpack_from(">qi", content, place))[0] < end:
        place += struct.calcsize(">qi") + head[1]
    assert head[0] == end
    os.truncate(log, place)


def be_producer(folder: Path, topic: str) -> None:
    """Send without end, and write down each acknowledgement before anything else is done."""
    numbers = random.Random(SEED)
    producer = Producer(client_options(load_settings()) | {"enable.idempotence": True})
    ledger = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        mark = fingerprint(message.key(), message.value())
        os.write(ledger, f"{message.partition()} {message.offset()} {mark}\n".encode())

    while True:
        key, value = message_of(numbers)
        producer.produce(topic, value, key, on_delivery=note)
        producer.poll(0)
        time.sleep(0.0005)


def acknowledged(folder: Path) -> dict[tuple[int, int], int]:
    """What a producer wrote down, without a last line that it did not finish."""
    path = folder / "acknowledged"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = text[: text.rfind("\n") + 1].splitlines()
    words = [line.split() for line in lines]
    return {(int(partition), int(offset)): int(mark) for partition, offset, mark in words}


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGSTOP])
def test_what_a_struck_producer_was_told_is_kept_has_landed(
    lakehouse: Lakehouse, grounds: Grounds, what: signal.Signals
) -> None:
    producer = LANDERS.Process(target=be_producer, args=(grounds.folder, grounds.topic))
    producer.start()
    try:
        wait_until(lambda: len(acknowledged(grounds.folder)) >= ENOUGH_MESSAGES, WAIT_SECONDS)
        assert producer.pid
        os.kill(producer.pid, what)
        assert grounds.land() == 0
        told = acknowledged(grounds.folder)
        if what == signal.SIGSTOP:
            os.kill(producer.pid, signal.SIGCONT)
            wait_until(lambda: len(acknowledged(grounds.folder)) > len(told), WAIT_SECONDS)
    finally:
        producer.kill()
        producer.join(WAIT_SECONDS)
    assert grounds.land() == 0

    found = {place[1:]: mark for place, mark in landed(grounds).items()}
    told = acknowledged(grounds.folder)
    assert len(told) >= ENOUGH_MESSAGES
    assert told.items() <= found.items()
    ends = lakehouse.end_offsets(grounds.topic)
    assert found.keys() == {(p, offset) for p, end in ends.items() for offset in range(end)}
