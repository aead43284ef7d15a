"""Odd times, numbers and encodings that field devices send: read right, or refused with a reason.

Expected values by hand, from RFC 8259, RFC 3629 and the rules that lander/exact.py opens with.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lander.parse import JsonParser
from lander.topics import load_topics

PARSER = JsonParser(load_topics()["telemetry_raw"].fields)
NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
USUAL = (
    '{"device_id": "MTR-1", "customer_id": "CUST-1", "timestamp": "2026-03-29T12:00:00Z", '
    '"metrics": {"energy_kwh": 0.5, "voltage": 230.0, "battery_pct": 80}, "status": "OK"}'
)


def both_ways(message: bytes) -> dict[str, Any]:
    """The row of a message, the same one by one and within a block that Arrow reads."""
    (alone,) = PARSER.parse_exactly([message]).to_pylist()
    within = PARSER.parse([USUAL.encode()] * 100 + [message]).to_pylist()[-1]
    assert within == alone
    return dict(alone)


def with_time(text: str) -> bytes:
    return USUAL.replace("2026-03-29T12:00:00Z", text).encode()


def with_energy(text: str) -> bytes:
    return USUAL.replace("0.5", text).encode()


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-29T12:00:00.000Z",
        "2026-03-29T12:00:00.000000000Z",
        "2026-03-29T12:00:00+00:00",
        "2026-03-29T12:00:00-00:00",
        "2026-03-29T14:00:00+02:00",
        "2026-03-29T17:45:00+0545",
        "2026-03-30T02:00:00+14:00",
        "2026-03-29T00:00:00-12",
    ],
)
def test_a_time_written_another_way_is_the_same_moment(text: str) -> None:
    row = both_ways(with_time(text))
    assert (row["parse_error"], row["reading_at"]) == (None, NOON)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-03-29T12:00:60Z", id="leap-second"),
        pytest.param("2026-03-29T12:00:00,5Z", id="decimal-comma"),
        pytest.param("2026-03-29T12:00:00.1234567890Z", id="ten-decimals"),
        pytest.param("2026-03-29T12:00:00.Z", id="no-decimals"),
        pytest.param("2026-03-29t12:00:00z", id="small-letters"),
        pytest.param("2026-W13-7T12:00:00Z", id="week-date"),
        pytest.param("2026-088T12:00:00Z", id="day-of-the-year"),
        pytest.param("20260329T120000Z", id="basic-format"),
        pytest.param("2026-3-29T12:00:00Z", id="one-digit"),
        pytest.param(" 2026-03-29T12:00:00Z", id="blank-before"),
        pytest.param("2026-03-29T12:00:00Z ", id="blank-after"),
        pytest.param("2026-03-29T12:00:00 Z", id="blank-inside"),
        pytest.param("29.03.2026 12:00:00Z", id="day-first"),
        pytest.param("+2026-03-29T12:00:00Z", id="signed-year"),
        pytest.param("\uff12026-03-29T12:00:00Z", id="full-width-digit"),
        pytest.param("2026-03-29T12:00:00 Europe/Berlin", id="zone-name"),
        pytest.param("2026-03-29T12:00:00+02:60", id="sixty-minutes-off"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_time_of_the_rules_is_ill_typed(text: str) -> None:
    row = both_ways(with_time(text))
    assert (row["parse_error"], row["reading_at"]) == ("type:timestamp", None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("-0", 0.0),
        ("-0.0", 0.0),
        ("5E-1", 0.5),
        ("5e+2", 500.0),
        ("1e-400", 0.0),
        ("0.30000000000000004", 0.30000000000000004),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("9007199254740993", 9007199254740992.0),
    ],
)
def test_a_number_is_read_as_a_double(text: str, value: float) -> None:
    row = both_ways(with_energy(text))
    assert (row["parse_error"], row["energy_kwh"]) == (None, value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1.8e308", "type:metrics.energy_kwh"),
        ("-1e999", "type:metrics.energy_kwh"),
        ('"0,5"', "type:metrics.energy_kwh"),
        ("+1", "not_json"),
        ("1.", "not_json"),
        ("0x10", "not_json"),
        ("1_000", "not_json"),
        ("1,5", "not_json"),
        ("0.5kWh", "not_json"),
        ("٣", "not_json"),
    ],
)
def test_what_is_no_number_is_refused(text: str, reason: str) -> None:
    row = both_ways(with_energy(text))
    assert (row["parse_error"], row["energy_kwh"]) == (reason, None)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(USUAL.encode("utf-16"), id="utf-16"),
        pytest.param(USUAL.encode("utf-16-le"), id="utf-16-without-mark"),
        pytest.param(USUAL.encode("utf-32"), id="utf-32"),
        pytest.param(USUAL.encode("utf-8-sig"), id="byte-order-mark"),
        pytest.param(USUAL.replace("OK", "Störung").encode("latin-1"), id="latin-1"),
        pytest.param(USUAL.encode().replace(b"OK", b"\xc0\xaf"), id="overlong"),
        pytest.param(USUAL.encode().replace(b"OK", b"\xed\xa0\xbd\xed\xb8\x80"), id="cesu-8"),
        pytest.param(USUAL.encode().replace(b"OK", b"\xf4\x90\x80\x80"), id="beyond-unicode"),
        pytest.param(USUAL.encode().replace(b"OK", b"\x00"), id="bare-nul"),
        pytest.param(USUAL.encode() + b"\x00", id="nul-at-the-end"),
    ],
)
def test_another_encoding_is_not_json(message: bytes) -> None:
    assert both_ways(message)["parse_error"] == "not_json"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("\\u0000", "\x00"),
        ("\\ud83d\\ude00", "\U0001f600"),
        ("\U0001f600", "\U0001f600"),
        ("\uffff", "\uffff"),
        ("\u2028", "\u2028"),
        ("\u202e", "\u202e"),
        ("e\u0301", "e\u0301"),
        ("\x7f", "\x7f"),
    ],
    ids=ascii,
)
def test_a_text_is_kept_to_the_character(text: str, status: str) -> None:
    row = both_ways(USUAL.replace("OK", text).encode())
    assert (row["parse_error"], row["status"]) == (None, status)
