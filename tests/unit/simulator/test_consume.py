"""The consumer: prints everything, commits after what it printed."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from simulator.consume import RewindOnce, consumer_settings, content_text, message_line, read
from simulator.screen import Screen
from simulator.session import StopFlag
from stack.base.errors import RetriableError

RECORD = {
    "device_id": "MTR-10291",
    "customer_id": "CUST-8831",
    "timestamp": "2025-12-09T06:25:40Z",
    "metrics": {"energy_kwh": 0.42, "voltage": 229.6, "battery_pct": 78},
    "status": "OK",
}
GOOD = json.dumps(RECORD).encode()


class FakeError:
    """An error a consumer reports instead of a message."""

    def str(self) -> str:
        """What happened."""
        return "broker gone"


@dataclass(frozen=True)
class FakeMessage:
    """A consumed message."""

    number: int
    content: bytes | None = GOOD
    failure: FakeError | None = None
    name: bytes | None = b"MTR-10291"

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
        return self.name

    def value(self) -> bytes | None:
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
        (None, "no value"),
        (b"", "no readable JSON"),
        (b"{", "no readable JSON"),
        (b"\xff\xfe", "no readable JSON"),
        (json.dumps(RECORD).encode("utf-16"), "no readable JSON"),
        (b'{"x": ' + b"[" * 2000 + b"]" * 2000 + b"}", "no readable JSON"),
        (GOOD.replace(b"0.42", b"9" * 5000), "no readable JSON"),
        (GOOD.replace(b"0.42", b"NaN"), "no readable JSON"),
        (GOOD.replace(b"0.42", b"-Infinity"), "no readable JSON"),
        (b"17", "no telemetry object"),
        (b"[]", "no telemetry object"),
        (b"null", "no telemetry object"),
        (b'{"metrics": {}}', "no field device_id"),
        (b"{}", "no field metrics"),
    ],
)
def test_a_malformed_message_is_shown_as_such(content: bytes | None, reason: str) -> None:
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


@pytest.mark.parametrize(
    ("was", "now", "shown"),
    [
        pytest.param(b"0.42", b"1" + b"0" * 400, "Energy: 1" + "0" * 400, id="400-digits"),
        pytest.param(b"0.42", b"1e999", "Energy: inf kWh", id="beyond-a-double"),
        pytest.param(b"0.42", b"null", "Energy: None kWh", id="null"),
        pytest.param(b'"OK"', b'"\\ud800"', "Status: \\ud800", id="half-a-surrogate-pair"),
        pytest.param(b'"OK"', b'"\\u0000"', "Status: \\x00", id="nul"),
        pytest.param(b'"OK"', b'"\\u001b[2J"', "Status: \\x1b[2J", id="clears-the-screen"),
        pytest.param(b'"OK"', '"\u202eKO"'.encode(), "Status: \\u202eKO", id="right-to-left"),
        pytest.param(b'"OK"', '"Zähler"'.encode(), "Status: Zähler", id="letters"),
        pytest.param(b'"OK"', b'"OK", "status": "WARN"', "Status: WARN", id="duplicate-key"),
        pytest.param(b"78", b"[" * 900 + b"]" * 900, "Battery: [[", id="900-levels"),
    ],
)
def test_an_odd_value_is_shown_and_cannot_act_on_the_terminal(
    was: bytes, now: bytes, shown: str
) -> None:
    line = message_line(FakeMessage(0, GOOD.replace(was, now)))
    assert shown in line
    assert line.isprintable()


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    line = message_line(FakeMessage(0, b"\x1b]0;x\x07\xff\r\n\x9b", name=b"\x00\xfe"))
    assert line.endswith(r"\x00\xfe | ✗ malformed (no readable JSON): \x1b]0;x\x07\xff\r\n\x9b")


def test_of_a_very_long_message_the_beginning_is_shown() -> None:
    line = message_line(FakeMessage(0, b"x" * 10**7))
    assert len(line) < 2_100
    # 44 characters stand before the message: "MTR-10291 | ✗ malformed (no readable JSON): ".
    assert line.endswith("… (10,000,044 characters)")


def test_a_message_without_key_is_shown_with_a_dash() -> None:
    assert content_text(FakeMessage(0, b"{", name=None)).startswith("- | ✗ malformed")


def test_what_no_reader_takes_is_printed_committed_and_passed(tmp_path: Path) -> None:
    """Printed to a terminal of ASCII, as `LC_ALL=C python3` has it."""
    odd = [b'{"x": ' + b"[" * 2000 + b"]" * 2000 + b"}", None, b"\xff\x00\x1b[0m", "ä€".encode()]
    with (tmp_path / "screen").open("w", encoding="ascii", errors="replace") as stream:
        printed = io.StringIO()
        consumer = FakeConsumer([FakeMessage(i, value) for i, value in enumerate(odd)], printed)
        assert read(consumer, 4, Screen(stream), StopFlag()) == 4
    assert consumer.committed == {0: 2, 1: 2}
    assert len((tmp_path / "screen").read_text().splitlines()) == 4


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
