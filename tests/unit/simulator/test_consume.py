"""The consumer: prints everything, commits behind what it printed."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from simulator.consume import RewindOnce, consumer_settings, content_text, message_line, read
from simulator.screen import Screen
from simulator.session import StopFlag
from stack.errors import RetriableError

RECORD = {
    "device_id": "MTR-10291",
    "customer_id": "CUST-8831",
    "timestamp": "2025-12-09T06:25:40Z",
    "metrics": {"energy_kwh": 0.42, "voltage": 229.6, "battery_pct": 78},
    "status": "OK",
}


class FakeError:
    """An error a consumer reports instead of a message."""

    def str(self) -> str:
        """What happened."""
        return "broker gone"


@dataclass(frozen=True)
class FakeMessage:
    """A consumed message."""

    number: int
    content: bytes = json.dumps(RECORD).encode()
    failure: FakeError | None = None

    def error(self) -> FakeError | None:
        """The error, if it is one."""
        return self.failure

    def topic(self) -> str:
        """Its topic."""
        return "telemetry_raw"

    def partition(self) -> int:
        """Its partition."""
        return self.number % 2

    def offset(self) -> int:
        """Its offset."""
        return self.number // 2

    def key(self) -> bytes | None:
        """Its key."""
        return b"MTR-10291"

    def value(self) -> bytes:
        """Its payload."""
        return self.content


@dataclass
class FakeConsumer:
    """Hands out messages; remembers what was committed and how much was printed by then."""

    waiting: list[FakeMessage]
    printed: io.StringIO
    committed: dict[int, int] = field(default_factory=dict)
    lines_at_commit: list[int] = field(default_factory=list)

    def consume(self, count: int, timeout: float) -> list[FakeMessage]:
        """The next messages."""
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken

    def commit(self, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        """Remember what was committed."""
        assert not asynchronous
        self.committed |= {place.partition: place.offset for place in offsets}
        self.lines_at_commit.append(self.printed.getvalue().count("\n"))


def test_a_message_is_shown_with_its_place() -> None:
    assert message_line(FakeMessage(5)) == (
        "[partition 1, offset 2] MTR-10291 | 2025-12-09T06:25:40Z | Customer: CUST-8831 | "
        "Energy: 0.42 kWh | Voltage: 229.6V | Battery: 78% | Status: OK"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"", "no JSON"),
        (b"17", "no telemetry object"),
        (b"[]", "no telemetry object"),
        (b"null", "no telemetry object"),
        (b'{"metrics": {}}', "no field device_id"),
        (b"{}", "no field metrics"),
    ],
)
def test_a_malformed_message_is_shown_as_such(content: bytes, reason: str) -> None:
    text = content_text(FakeMessage(0, content))
    assert text.startswith(f"MTR-10291 | ✗ malformed ({reason}): ")


def test_printed_messages_are_committed_and_no_others() -> None:
    stream = io.StringIO()
    consumer = FakeConsumer([FakeMessage(number) for number in range(10)], stream)
    assert read(consumer, 7, Screen(stream), StopFlag()) == 7
    # Numbers 0 to 6: offsets 0 to 3 of partition 0 and 0 to 2 of partition 1.
    assert consumer.committed == {0: 4, 1: 3}
    assert consumer.lines_at_commit == [7]
    assert len(consumer.waiting) == 3


def test_a_malformed_message_does_not_stop_the_reading() -> None:
    stream = io.StringIO()
    messages = [FakeMessage(0), FakeMessage(1, b"{"), FakeMessage(2)]
    assert read(FakeConsumer(messages, stream), 3, Screen(stream), StopFlag()) == 3


def test_a_stop_ends_the_reading() -> None:
    stream, stop = io.StringIO(), StopFlag()
    stop.on_signal(2, None)
    assert read(FakeConsumer([FakeMessage(0)], stream), None, Screen(stream), stop) == 0


def test_an_error_of_the_broker_is_told() -> None:
    consumer = FakeConsumer([FakeMessage(0, failure=FakeError())], io.StringIO())
    with pytest.raises(RetriableError, match="broker gone"):
        read(consumer, 1, Screen(io.StringIO()), StopFlag())


def test_nothing_is_committed_on_its_own() -> None:
    settings: dict[str, Any] = consumer_settings("telemetry-consumer-group")
    assert settings["enable.auto.commit"] is False
    assert settings["group.id"] == "telemetry-consumer-group"


class FakeAssigner:
    """Remembers the last assignment."""

    def __init__(self) -> None:
        self.offsets: list[int] = []

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Take an assignment."""
        self.offsets = [partition.offset for partition in partitions]


def test_rewinding_happens_once_a_partition() -> None:
    rewind, consumer = RewindOnce(), FakeAssigner()
    rewind(consumer, [TopicPartition("t", 0)])
    assert consumer.offsets == [OFFSET_BEGINNING]
    again = TopicPartition("t", 0)
    stored = again.offset
    rewind(consumer, [again, TopicPartition("t", 1)])
    assert consumer.offsets == [stored, OFFSET_BEGINNING]
