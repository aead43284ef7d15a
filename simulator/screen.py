"""What the simulator's commands show: the banner, a line a message, the totals."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TextIO

from simulator.delivery import Acknowledgement, TopicCount
from simulator.devices import Device
from stack.base.text import readable

WIDTH = 80
MAPPING_LINES = 5
LARGEST_ENERGY_KWH = 1e15


class Screen:
    """Writes lines; goes silent when nobody reads them any more."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.is_silent = False

    def line(self, text: str = "") -> None:
        """One line."""
        if self.is_silent:
            return
        try:
            self.stream.write(text + "\n")
        except BrokenPipeError:
            # Python flushes standard output once more at exit: let that go nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self.is_silent = True

    def lines(self, texts: Sequence[str]) -> None:
        """Several lines."""
        for text in texts:
            self.line(text)


def banner(title: str, facts: Mapping[str, str]) -> list[str]:
    """The title and some facts, framed."""
    frame = "=" * WIDTH
    return [frame, title, *(f"{name}: {value}" for name, value in facts.items()), frame]


def seconds_text(interval_ms: int) -> str:
    """An interval for people: 2s, 0.5s."""
    return f"{interval_ms / 1000:g}s"


def fleet_line(devices: Sequence[Device]) -> str:
    """How many devices of how many customers report."""
    customers = {device.customer_id for device in devices}
    return f"Devices: {len(devices)} | Customers: {len(customers)}"


def mapping_lines(devices: Sequence[Device]) -> list[str]:
    """The first devices and whom they belong to."""
    shown = [f"  {device.device_id} -> {device.customer_id}" for device in devices[:MAPPING_LINES]]
    rest = len(devices) - len(shown)
    return ["Device-Customer Mapping:", *shown, *([f"  ... and {rest} more"] if rest else [])]


def sent_line(message: Acknowledgement) -> str:
    """The line of a delivered reading; what cannot be read is shown as such."""
    raw = message.value() or b""
    try:
        shown = reading_text(read_json(raw))
    except (ValueError, KeyError, TypeError, RecursionError):
        shown = f"Faulty message: {raw[:40]!r}"
    device_id = readable(message.key() or b"-")
    return f"✓ Sent: {device_id} | {readable(shown)} | Partition: {message.partition()}"


def reading_text(record: Any) -> str:
    """Energy, voltage and status. Raises KeyError or TypeError where the record is no reading."""
    metrics = record["metrics"]
    return (
        f"Energy: {energy_text(metrics['energy_kwh'])} kWh | "
        f"Voltage: {metrics['voltage']}V | Status: {record['status']}"
    )


def read_json(raw: bytes) -> Any:
    """The JSON value of a message.

    Raises ValueError where the bytes are no JSON as RFC 8259 has it or hold a number of thousands
    of digits, RecursionError where it is nested too deep.
    """
    return json.loads(raw.decode("utf-8"), parse_constant=refuse_constant)


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python takes for JSON."""
    raise ValueError(f"{name} is not JSON")


def energy_text(energy_kwh: Any) -> str:
    """Energy with two to six decimals: 0.42, 0.000278; beyond what is measured, as it was sent."""
    if isinstance(energy_kwh, bool) or not isinstance(energy_kwh, int | float):
        return str(energy_kwh)
    if not -LARGEST_ENERGY_KWH <= energy_kwh <= LARGEST_ENERGY_KWH:
        return str(energy_kwh)
    whole, _, places = f"{energy_kwh:.6f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def log_line(message: Acknowledgement) -> str:
    """The line of a delivered fault log."""
    return f"✓ Logged: {readable(message.value() or b'')} | Partition: {message.partition()}"


def total_lines(counts: Mapping[str, TopicCount], total: TopicCount) -> list[str]:
    """The totals, by topic where there are several, and why messages failed."""
    lines = ["-" * WIDTH, f"Totals: {totals_text(total)}"]
    if len(counts) > 1:
        lines += [f"  {topic}: {totals_text(count)}" for topic, count in counts.items()]
    for topic, count in counts.items():
        lines += [
            f"  ✗ {topic}: {number:,} failed: {reason}" for reason, number in count.reasons.items()
        ]
    return lines


def totals_text(count: TopicCount) -> str:
    """The three totals of one count."""
    return f"sent {count.sent:,} | acknowledged {count.acknowledged:,} | failed {count.failed:,}"
