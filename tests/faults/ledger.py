"""What a producer sent and the broker acknowledged: the second source of the truth."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, Message, Producer

from stack.base.settings import Settings
from stack.clients.kafka import client_options
from tests.integration.lakehouse import reading

# Partition and offset of a message.
Place = tuple[int, int]

MESSAGES_A_SECOND = 100
HEAL_SECONDS = 240
SHOWN_PLACES = 8


def fingerprint(key: bytes | None, value: bytes | None) -> int:
    """One number for a message; sums of them do not depend on order."""
    return int.from_bytes(hashlib.sha256(repr((key, value)).encode()).digest()[:16], "big")


def place_of(message: Message) -> Place:
    """Where a message stands."""
    return int(message.partition() or 0), int(message.offset() or 0)


@dataclass
class Ledger:
    """What became of the messages, by (partition, offset).

    told: fingerprint of each that counts: acknowledged, or committed in a transaction. aborted:
    those of transactions that were aborted. unknown: those of transactions whose end nobody was
    told. failed: why messages were not acknowledged.
    """

    told: dict[Place, int] = field(default_factory=dict)
    aborted: set[Place] = field(default_factory=set)
    unknown: set[Place] = field(default_factory=set)
    failed: list[KafkaError] = field(default_factory=list)

    def note(self, error: KafkaError | None, message: Message) -> None:
        """A delivery report of a message outside of transactions."""
        if error:
            self.failed.append(error)
        else:
            self.told[place_of(message)] = fingerprint(message.key(), message.value())

    def differences(self, held: Mapping[Place, int]) -> str:
        """The differences between messages as read and as their senders know them, or ""."""
        places = {
            "acknowledged and not readable": self.told.keys() - held.keys(),
            "other than acknowledged": {
                place for place in self.told.keys() & held.keys() if self.told[place] != held[place]
            },
            "aborted and readable": self.aborted & held.keys(),
            "readable and not acknowledged": held.keys()
            - self.told.keys()
            - self.unknown
            - self.aborted,
        }
        return "; ".join(
            f"{len(found)} {what}: {sorted(found)[:SHOWN_PLACES]}"
            for what, found in places.items()
            if found
        )


def message_of(numbers: random.Random) -> tuple[bytes | None, bytes | None]:
    """A key and a value: mostly readings, else what a broken sender may send."""
    device = f"MTR-{10_000 + numbers.randrange(50)}"
    text = json.dumps(
        reading(
            device,
            f"2026-03-{numbers.randrange(1, 29):02}T{numbers.randrange(24):02}:30:00Z",
            energy_kwh=round(numbers.random(), 3),
            message_id=f"{numbers.getrandbits(64):x}",
        )
    ).encode()
    odd: list[tuple[bytes | None, bytes | None]] = [
        (device.encode(), text[: numbers.randrange(len(text))]),
        (None, text),
        (device.encode(), None),
        (b"\xff\x00", numbers.randbytes(50)),
        (device.encode(), b"x" * 20_000),
    ]
    return numbers.choice(odd) if numbers.random() < 0.1 else (device.encode(), text)


class Stream:
    """A producer that sends steadily in a thread, and bursts on demand, into one topic."""

    def __init__(self, settings: Settings, topic: str, numbers: random.Random) -> None:
        self.ledger = Ledger()
        self._topic, self._numbers = topic, numbers
        self._producer = Producer(
            client_options(settings)
            | {
                "enable.idempotence": True,
                "message.timeout.ms": 1000 * HEAL_SECONDS,
                # Partitions that are added in mid-stream get messages at once.
                "topic.metadata.refresh.interval.ms": 1000,
            }
        )
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send_steadily)

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.flush()

    def burst(self, count: int) -> None:
        """Send so many messages and wait until all are acknowledged."""
        self._send(count)
        self.flush()

    def flush(self) -> None:
        """Wait for the acknowledgements. Raises AssertionError if any is missing."""
        with self._lock:
            left = self._producer.flush(HEAL_SECONDS)
        assert not left, f"{left} messages were not acknowledged within {HEAL_SECONDS} s"
        assert not self.ledger.failed, self.ledger.failed

    def _send(self, count: int) -> None:
        with self._lock:
            for _ in range(count):
                key, value = message_of(self._numbers)
                self._producer.produce(self._topic, value, key, on_delivery=self.ledger.note)
                self._producer.poll(0)

    def _send_steadily(self) -> None:
        while not self._ended.wait(0.1):
            self._send(MESSAGES_A_SECOND // 10)
