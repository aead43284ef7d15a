"""Delivery: every message counted once, whatever the broker does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.delivery import Delivery, check_topics, message_hash, producer_settings
from stack.base.errors import ConfigurationError


@dataclass(frozen=True)
class Delivered:
    """A message as a delivery callback sees it."""

    key_bytes: bytes | None
    value_bytes: bytes
    partition_number: int
    offset_number: int

    def key(self) -> bytes | None:
        """Its key."""
        return self.key_bytes

    def value(self) -> bytes:
        """Its payload."""
        return self.value_bytes

    def partition(self) -> int:
        """Its partition."""
        return self.partition_number

    def offset(self) -> int:
        """Its offset."""
        return self.offset_number


@dataclass
class FakeProducer:
    """Acknowledges on poll, two partitions in turn; its queue holds so many messages."""

    room: int = 1000
    fail_every: int = 0
    is_away: bool = False
    queue: list[tuple[bytes, bytes | None, Callable[..., None]]] = field(default_factory=list)
    served: int = 0
    full: int = 0

    def produce(
        self, topic: str, value: bytes, key: bytes | None, *, on_delivery: Callable[..., None]
    ) -> None:
        """Queue a message, or refuse it."""
        if len(self.queue) >= self.room:
            self.full += 1
            raise BufferError("queue full")
        self.queue.append((value, key, on_delivery))

    def poll(self, timeout: float) -> int:
        """Acknowledge what is queued."""
        if self.is_away:
            return 0
        for value, key, callback in self.queue:
            number = self.served
            self.served += 1
            failed = self.fail_every and number % self.fail_every == 0
            error = "timed out" if failed else None
            callback(error, Delivered(key, value, number % 2, number // 2))
        count = len(self.queue)
        self.queue.clear()
        return count

    def flush(self, timeout: float) -> int:
        """Acknowledge, and say what is left."""
        self.poll(timeout)
        return len(self.queue)


def values(count: int) -> list[bytes]:
    return [f"message {number}".encode() for number in range(count)]


def test_each_acknowledgement_is_counted() -> None:
    delivery = Delivery(FakeProducer())
    delivery.send("a", [None] * 5, values(5))
    delivery.send("b", [b"key"], values(1))
    delivery.finish(lambda: False)
    counts = delivery.counts
    assert (counts["a"].sent, counts["a"].acknowledged, counts["a"].failed) == (5, 5, 0)
    assert counts["a"].partitions == {0: [3, 0, 2], 1: [2, 0, 1]}
    assert (delivery.total.sent, delivery.total.acknowledged) == (6, 6)


def test_a_full_queue_is_waited_for() -> None:
    producer = FakeProducer(room=3)
    delivery = Delivery(producer)
    delivery.send("a", [None] * 10, values(10))
    delivery.finish(lambda: False)
    assert producer.full > 0
    assert delivery.counts["a"].acknowledged == 10


def test_failures_are_counted_with_their_reason() -> None:
    delivery = Delivery(FakeProducer(fail_every=4))
    delivery.send("a", [None] * 8, values(8))
    delivery.finish(lambda: False)
    count = delivery.counts["a"]
    assert (count.sent, count.acknowledged, count.failed) == (8, 6, 2)
    assert count.reasons == {"timed out": 2}


def test_giving_up_counts_what_was_not_acknowledged_as_failed() -> None:
    delivery = Delivery(FakeProducer(is_away=True))
    delivery.send("a", [None] * 3, values(3))
    assert delivery.outstanding == 3
    delivery.finish(lambda: True)
    count = delivery.counts["a"]
    assert (count.acknowledged, count.failed) == (0, 3)
    assert count.reasons == {"not acknowledged before the end": 3}


def test_the_content_hash_is_that_of_the_messages_in_any_order() -> None:
    def digest(key: bytes, value: bytes) -> int:
        return int.from_bytes(hashlib.blake2b(key + value, digest_size=8).digest(), "little")

    expected = (digest(b"k", b"message 0") + digest(b"", b"message 1")) % 2**64
    for keys, order in (([b"k", None], [0, 1]), ([None, b"k"], [1, 0])):
        delivery = Delivery(FakeProducer(), with_hash=True)
        delivery.send("a", keys, [values(2)[place] for place in order])
        delivery.finish(lambda: False)
        assert delivery.counts["a"].record()["content_hash"] == expected
    assert message_hash(None, None) == digest(b"", b"")


def test_failed_messages_are_not_in_the_hash() -> None:
    delivery = Delivery(FakeProducer(fail_every=2), with_hash=True)
    delivery.send("a", [None, None], values(2))
    delivery.finish(lambda: False)
    assert delivery.counts["a"].content_hash == message_hash(None, b"message 1")


def test_the_caller_hears_of_each_acknowledged_message() -> None:
    heard: list[bytes | None] = []
    delivery = Delivery(FakeProducer(fail_every=3))
    delivery.send("a", [None] * 4, values(4), lambda message: heard.append(message.value()))
    delivery.finish(lambda: False)
    assert heard == [b"message 1", b"message 2"]


def test_delivery_is_idempotent_and_patient() -> None:
    settings: dict[str, Any] = producer_settings(5)
    assert settings["enable.idempotence"] is True
    assert settings["acks"] == "all"
    assert settings["message.timeout.ms"] >= 300_000


def test_an_unknown_topic_is_refused_with_those_that_exist() -> None:
    metadata = SimpleNamespace(topics={"telemetry_raw": None, "__consumer_offsets": None})
    check_topics(metadata, ["telemetry_raw"])
    with pytest.raises(ConfigurationError, match="only telemetry_raw;") as caught:
        check_topics(metadata, ["telemetry_raw", "other"])
    assert "other" in caught.value.wanted
