"""What the screen shows, to the letter."""

from __future__ import annotations

import io
import json

import pytest

from simulator.delivery import TopicCount
from simulator.screen import (
    Screen,
    banner,
    energy_text,
    fleet_line,
    log_line,
    mapping_lines,
    seconds_text,
    sent_line,
    total_lines,
)
from tests.unit.simulator.builders import device
from tests.unit.simulator.test_delivery import Delivered


def test_the_sent_line_is_as_promised() -> None:
    record = {"metrics": {"energy_kwh": 0.42, "voltage": 229.6}, "status": "OK"}
    message = Delivered(b"MTR-10291", json.dumps(record).encode(), 1, 5)
    assert sent_line(message) == (
        "✓ Sent: MTR-10291 | Energy: 0.42 kWh | Voltage: 229.6V | Status: OK | Partition: 1"
    )


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        b"[]",
        b"17",
        b"\xff\xfe",
        b"{}",
        b'{"metrics": []}',
        pytest.param(b"[" * 2000 + b"]" * 2000, id="2,000 levels"),
        pytest.param(b"9" * 5000, id="5,000 digits"),
    ],
)
def test_a_faulty_message_is_shown_as_such(value: bytes) -> None:
    line = sent_line(Delivered(b"MTR-10000", value, 2, 0))
    assert line.startswith("✓ Sent: MTR-10000 | Faulty message: b")
    assert line.endswith("| Partition: 2")


@pytest.mark.parametrize(
    ("energy_kwh", "text"),
    [
        (0.42, "0.42"),
        (0.5, "0.50"),
        (0, "0.00"),
        (12.3456, "12.3456"),
        (0.000278, "0.000278"),
        ("n/a", "n/a"),
        (1e300, "1e+300"),
        (10**400, "1" + "0" * 400),
        (float("nan"), "nan"),
        (True, "True"),
    ],
)
def test_energy_has_two_to_six_decimals(energy_kwh: object, text: str) -> None:
    assert energy_text(energy_kwh) == text


def test_the_banner_is_framed() -> None:
    frame = "=" * 80
    assert banner("Title", {"Topic": "telemetry_raw"}) == [
        frame,
        "Title",
        "Topic: telemetry_raw",
        frame,
    ]


def test_the_fleet_is_counted() -> None:
    assert fleet_line([device(10000 + index) for index in range(10)]) == (
        "Devices: 10 | Customers: 5"
    )


def test_the_mapping_shows_the_first_lines() -> None:
    lines = mapping_lines([device(10000 + index) for index in range(7)])
    assert lines[:3] == [
        "Device-Customer Mapping:",
        "  MTR-10000 -> CUST-8000",
        "  MTR-10001 -> CUST-8000",
    ]
    assert lines[-1] == "  ... and 2 more"
    assert mapping_lines([device()])[1:] == ["  MTR-10000 -> CUST-8000"]


def test_intervals_are_shown_in_seconds() -> None:
    assert [seconds_text(ms) for ms in (2000, 500, 1_800_000)] == ["2s", "0.5s", "1800s"]


def test_a_log_line_shows_its_text() -> None:
    line = log_line(Delivered(None, b"power failure", 1, 0))
    assert line == "✓ Logged: power failure | Partition: 1"


def test_a_sent_text_cannot_act_on_the_terminal() -> None:
    assert log_line(Delivered(None, b"a\x1b[2J\xff\n", 1, 0)) == (
        r"✓ Logged: a\x1b[2J\xff\n | Partition: 1"
    )
    record = {"metrics": {"energy_kwh": 1, "voltage": 2}, "status": "\x1b[2J"}
    line = sent_line(Delivered(b"\x07", json.dumps(record).encode(), 1, 5))
    assert line == (
        r"✓ Sent: \x07 | Energy: 1.00 kWh | Voltage: 2V | Status: \x1b[2J | Partition: 1"
    )


def test_totals_name_topics_and_reasons() -> None:
    counts = {
        "telemetry_raw": TopicCount(1200, 1199, 1, reasons={"timed out": 1}),
        "meter_logs": TopicCount(3, 3, 0),
    }
    assert total_lines(counts, TopicCount(1203, 1202, 1))[1:] == [
        "Totals: sent 1,203 | acknowledged 1,202 | failed 1",
        "  telemetry_raw: sent 1,200 | acknowledged 1,199 | failed 1",
        "  meter_logs: sent 3 | acknowledged 3 | failed 0",
        "  ✗ telemetry_raw: 1 failed: timed out",
    ]


def test_lines_end_with_a_line_feed() -> None:
    stream = io.StringIO()
    Screen(stream).lines(["a", "b"])
    assert stream.getvalue() == "a\nb\n"
