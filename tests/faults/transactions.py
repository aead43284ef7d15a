"""Senders of transactions: some are committed, some aborted, some left open by a dying sender."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stack.base.settings import Settings
from stack.clients.kafka import LATEST, READABLE, client_options, offsets
from tests.faults.ledger import (
    HEAL_SECONDS,
    MESSAGES_A_SECOND,
    Ledger,
    Place,
    fingerprint,
    message_of,
    place_of,
)

COMMIT, ABORT, LEAVE = "commit", "abort", "leave open"
ENDS = [COMMIT] * 6 + [ABORT] * 2 + [LEAVE]
MOST_MESSAGES = 40
OPEN_SECONDS = 0.3
LOOK_SECONDS = 0.1


class Sender:
    """One producer of transactions; one that fails is followed by another of the same name.

    Kafka then aborts what the one before left open.
    """

    def __init__(
        self, settings: Settings, topic: str, name: str, numbers: random.Random, ledger: Ledger
    ) -> None:
        self._topic, self._numbers, self._ledger = topic, numbers, ledger
        self._options = client_options(settings) | {
            "transactional.id": name,
            "topic.metadata.refresh.interval.ms": 1000,
        }
        self._producer: Producer | None = None
        self._open: dict[Place, int] = {}

    def send(self, count: int, end: str, open_seconds: float = 0.0) -> None:
        """Send so many messages in one transaction and end it, as far as Kafka lets us."""
        try:
            producer = self._producer or self.begin()
            producer.begin_transaction()
            for _ in range(count):
                key, value = message_of(self._numbers)
                producer.produce(self._topic, value, key, on_delivery=self._note)
                producer.poll(0)
            producer.flush(HEAL_SECONDS)
            time.sleep(open_seconds)
            self._end(producer, end)
        except KafkaException:
            # Without a commit that was asked for and not answered, it will be aborted.
            self._give_up(self._ledger.aborted)

    def begin(self) -> Producer:
        """Another producer, for which Kafka ends what the one before left open."""
        self._producer = None
        producer = Producer(self._options)
        retried(lambda: producer.init_transactions(HEAL_SECONDS))
        self._producer = producer
        return producer

    def _end(self, producer: Producer, end: str) -> None:
        if end == LEAVE:
            self._give_up(self._ledger.aborted)
        elif end == ABORT:
            retried(lambda: producer.abort_transaction(HEAL_SECONDS))
            self._ledger.aborted.update(self._open)
            self._open = {}
        else:
            self._commit(producer)

    def _commit(self, producer: Producer) -> None:
        try:
            retried(lambda: producer.commit_transaction(HEAL_SECONDS))
        except KafkaException as error:
            is_aborted = error.args[0].txn_requires_abort()
            self._give_up(self._ledger.aborted if is_aborted else self._ledger.unknown)
        else:
            self._ledger.told.update(self._open)
            self._open = {}

    def _give_up(self, places: set[Place]) -> None:
        """Leave the transaction open, as a sender that dies does."""
        places.update(self._open)
        self._open, self._producer = {}, None

    def _note(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._open[place_of(message)] = fingerprint(message.key(), message.value())


def retried(call: Callable[[], None]) -> None:
    """Call until Kafka's answer is final. Raises KafkaException."""
    end = time.monotonic() + HEAL_SECONDS
    while True:
        try:
            return call()
        except KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > end:
                raise


class TransactionalStream:
    """Transactions that follow one another in a thread, and bursts of them, into one topic."""

    def __init__(self, settings: Settings, topic: str, numbers: random.Random) -> None:
        self.ledger = Ledger()
        self._topic, self._numbers = topic, numbers
        self._admin = AdminClient(client_options(settings))
        self._bursts = Sender(settings, topic, f"{topic}-bursts", numbers, self.ledger)
        own = random.Random(numbers.random())
        self._steady = Sender(settings, topic, f"{topic}-steady", own, self.ledger)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send_steadily, args=(own,))

    def __enter__(self) -> TransactionalStream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for sender in (self._bursts, self._steady):
            sender.begin()
        self._wait_until_readable(self._ends())

    def burst(self, count: int) -> None:
        """Send so many messages at least, and wait until readers get all that are committed."""
        while count > 0:
            size = self._numbers.randrange(1, MOST_MESSAGES)
            self._bursts.send(size, self._numbers.choice(ENDS))
            count -= size
        self._bursts.begin()
        self._wait_until_readable(self._ends())

    def _send_steadily(self, numbers: random.Random) -> None:
        count = int(MESSAGES_A_SECOND * OPEN_SECONDS)
        while not self._ended.wait(LOOK_SECONDS):
            self._steady.send(count, numbers.choice(ENDS), OPEN_SECONDS)

    def _ends(self, **options: object) -> dict[tuple[str, int], int]:
        """Where the partitions end, asked until a broker that was struck answers again."""
        limit = time.monotonic() + HEAL_SECONDS
        while True:
            try:
                return self._asked_ends(**options)
            except KafkaException:
                if time.monotonic() > limit:
                    raise
                time.sleep(LOOK_SECONDS)

    def _asked_ends(self, **options: object) -> dict[tuple[str, int], int]:
        partitions = self._admin.list_topics(self._topic, HEAL_SECONDS).topics[self._topic]
        places = [TopicPartition(self._topic, number) for number in partitions.partitions]
        return offsets(self._admin, places, LATEST, HEAL_SECONDS, **options)  # type: ignore[arg-type]

    def _wait_until_readable(self, ends: dict[tuple[str, int], int]) -> None:
        """Wait until no open transaction holds back what was written before these ends."""
        limit = time.monotonic() + HEAL_SECONDS
        while any(ends.get(p, 0) > end for p, end in self._ends(isolation=READABLE).items()):
            assert time.monotonic() < limit, f"{self._topic} not readable up to {ends}"
            time.sleep(LOOK_SECONDS)
