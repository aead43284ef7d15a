"""Parsing: every kind of bad message by hand; generated ones are in test_parse_rules.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lander.parse import JsonParser, TextParser
from lander.topics import Field, load_topics

FIELDS = load_topics()["telemetry_raw"].fields
PARSER = JsonParser(FIELDS)
READING = (
    '{"device_id": "MTR-10291", "customer_id": "CUST-8831", "timestamp": "2025-12-09T06:25:40Z", '
    '"metrics": {"energy_kwh": 0.42, "voltage": 229.6, "battery_pct": 78}, "status": "OK"}'
)
GOOD = READING.encode()
# Enough good neighbours for the fast way to be taken.
NEIGHBOURS = [GOOD] * 80


def altered(before: str, after: str) -> bytes:
    assert before in READING
    return READING.replace(before, after).encode()


def parsed(message: bytes | None) -> dict[str, Any]:
    """The row of a message that stands amid good ones."""
    rows = PARSER.parse([*NEIGHBOURS, message, *NEIGHBOURS]).to_pylist()
    assert len(rows) == 161
    assert all(row == rows[0] for row in (*rows[:80], *rows[81:]))
    row: dict[str, Any] = rows[80]
    return row


def test_a_good_reading_fills_the_declared_columns() -> None:
    assert parsed(GOOD) == {
        "device_id": "MTR-10291",
        "customer_id": "CUST-8831",
        "reading_at": datetime(2025, 12, 9, 6, 25, 40, tzinfo=UTC),
        "status": "OK",
        "energy_kwh": 0.42,
        "voltage": 229.6,
        "battery_pct": 78.0,
        "register_kwh": None,
        "export_kwh": None,
        "register_export_kwh": None,
        "interval_s": None,
        "frequency_hz": None,
        "revision": None,
        "quality": None,
        "message_id": None,
        "extra_fields": None,
        "parse_error": None,
        "field_errors": None,
    }


METRICS = '{"energy_kwh": 0.42, "voltage": 229.6, "battery_pct": 78}'


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(None, "not_json", id="tombstone"),
        pytest.param(b"", "not_json", id="empty"),
        pytest.param(b"   ", "not_json", id="blank"),
        pytest.param(b"hello", "not_json", id="text"),
        pytest.param(b"\xff\xfe\x00", "not_json", id="no-utf8"),
        pytest.param(GOOD.replace(b"OK", b"O\xff"), "not_json", id="no-utf8-inside-a-string"),
        pytest.param(b"\xef\xbb\xbf" + GOOD, "not_json", id="byte-order-mark"),
        pytest.param(GOOD[:-1], "not_json", id="cut-off"),
        pytest.param(GOOD + GOOD, "not_json", id="two-objects"),
        pytest.param(GOOD + b"\n" + GOOD, "not_json", id="two-lines"),
        pytest.param(GOOD + b"}", "not_json", id="rubbish-after"),
        pytest.param(altered('"OK"', '"OK",'), "not_json", id="trailing-comma"),
        pytest.param(altered("0.42", "NaN"), "not_json", id="nan"),
        pytest.param(altered("0.42", "-Infinity"), "not_json", id="infinity"),
        pytest.param(altered("0.42", "00.42"), "not_json", id="leading-zero"),
        pytest.param(altered("0.42", ".42"), "not_json", id="no-digit-before-the-point"),
        pytest.param(altered("OK", "O\nK"), "not_json", id="line-break-in-a-string"),
        pytest.param(altered('"status"', '/**/"status"'), "not_json", id="comment"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, "not_json", id="nested-beyond-reason"),
        pytest.param(
            GOOD[:-1] + b', "x": ' + b"[" * 2000 + b"]" * 2000 + b"}",
            "not_json",
            id="2000-levels-in-an-undeclared-field",
        ),
        pytest.param(b"[1, 2]", "not_an_object", id="array"),
        pytest.param(b'"text"', "not_an_object", id="string"),
        pytest.param(b"42", "not_an_object", id="number"),
        pytest.param(b"null", "not_an_object", id="null"),
        pytest.param(b"{}", "missing:device_id", id="empty-object"),
        pytest.param(altered('"MTR-10291"', "null"), "missing:device_id", id="null-field"),
        pytest.param(altered('"timestamp"', '"time"'), "missing:timestamp", id="misspelt"),
        pytest.param(
            altered('"energy_kwh"', '"energy"'), "missing:metrics.energy_kwh", id="inner-field"
        ),
        pytest.param(altered(METRICS, "null"), "missing:metrics.energy_kwh", id="null-object"),
        pytest.param(altered(METRICS, "7"), "missing:metrics.energy_kwh", id="number-for-object"),
        pytest.param(altered('"MTR-10291"', "10291"), "type:device_id", id="number-for-string"),
        pytest.param(altered('"MTR-10291"', "true"), "type:device_id", id="boolean-for-string"),
        pytest.param(altered('"MTR-10291"', '{"a": 1}'), "type:device_id", id="object-for-string"),
        pytest.param(altered("MTR-10291", "\\ud800"), "type:device_id", id="half-a-surrogate-pair"),
        pytest.param(altered("0.42", '"0.42"'), "type:metrics.energy_kwh", id="string-for-number"),
        pytest.param(altered("0.42", "true"), "type:metrics.energy_kwh", id="boolean-for-number"),
        pytest.param(altered("0.42", "[1]"), "type:metrics.energy_kwh", id="array-for-number"),
        pytest.param(altered("0.42", "1e999"), "type:metrics.energy_kwh", id="beyond-double"),
        pytest.param(altered("0.42", "9" * 400), "type:metrics.energy_kwh", id="400-digits"),
        pytest.param(altered("2025-12-09T06:25:40Z", "now"), "type:timestamp", id="no-time"),
        pytest.param(altered("40Z", "40"), "type:timestamp", id="no-zone"),
        pytest.param(altered("2025-12-09T06:25:40Z", "2025-12-09"), "type:timestamp", id="day"),
        pytest.param(altered("12-09", "02-30"), "type:timestamp", id="no-such-day"),
        pytest.param(altered("06:25", "24:00"), "type:timestamp", id="no-such-hour"),
        pytest.param(altered("40Z", "40+24:00"), "type:timestamp", id="no-such-zone"),
        pytest.param(altered("2025", "0000"), "type:timestamp", id="year-0"),
        pytest.param(
            altered("2025-12-09T06:25:40Z", "0000-12-31T23:00:00-02:00"),
            "type:timestamp",
            id="year-0-but-1-in-utc",
        ),
        pytest.param(altered("2025", "292278"), "type:timestamp", id="year-of-six-digits"),
        pytest.param(
            altered("2025-12-09T06:25:40Z", "9999-12-31T23:59:59-01:00"),
            "type:timestamp",
            id="year-10000-in-utc",
        ),
        pytest.param(
            altered('"2025-12-09T06:25:40Z"', "1765261540"), "type:timestamp", id="number-for-time"
        ),
    ],
)
def test_a_bad_message_is_a_row_with_its_first_reason(message: bytes | None, reason: str) -> None:
    assert parsed(message)["parse_error"] == reason


def test_missing_comes_before_ill_typed_and_the_rest_is_kept() -> None:
    row = parsed(b'{"device_id": 7, "customer_id": "CUST-1", "metrics": {"voltage": "x"}}')

    assert row["parse_error"] == "missing:timestamp"
    assert (row["device_id"], row["customer_id"], row["voltage"]) == (None, "CUST-1", None)
    assert row["field_errors"] == "type:metrics.voltage"


@pytest.mark.parametrize(
    ("message", "column", "errors"),
    [
        pytest.param(altered("229.6", '"230V"'), "voltage", "type:metrics.voltage", id="text"),
        pytest.param(altered("229.6", "true"), "voltage", "type:metrics.voltage", id="boolean"),
        pytest.param(altered("229.6", "[1]"), "voltage", "type:metrics.voltage", id="array"),
        pytest.param(
            altered("78", '{"a": 1}'), "battery_pct", "type:metrics.battery_pct", id="object"
        ),
        pytest.param(
            altered("78", "1e999"), "battery_pct", "type:metrics.battery_pct", id="too-large"
        ),
        pytest.param(altered('"OK"', "true"), "status", "type:status", id="boolean-for-string"),
        pytest.param(
            altered('"OK"', '"\\ud800"'), "status", "type:status", id="half-a-surrogate-pair"
        ),
        pytest.param(
            altered('"CUST-8831"', "8831"), "customer_id", "type:customer_id", id="number"
        ),
        pytest.param(altered('"CUST-8831"', "null"), "customer_id", None, id="null"),
        pytest.param(altered('"status"', '"state"'), "status", None, id="missing"),
        pytest.param(altered('"voltage"', '"volt"'), "voltage", None, id="missing-inside"),
        pytest.param(
            altered(METRICS, METRICS[:-1] + ', "interval_s": "900"}'),
            "interval_s",
            "type:metrics.interval_s",
            id="interval",
        ),
        pytest.param(
            altered(METRICS, METRICS[:-1] + ', "register_kwh": [1]}'),
            "register_kwh",
            "type:metrics.register_kwh",
            id="register",
        ),
        pytest.param(
            altered(METRICS, METRICS[:-1] + ', "frequency_hz": "50"}'),
            "frequency_hz",
            "type:metrics.frequency_hz",
            id="frequency",
        ),
        pytest.param(
            altered('"OK"', '"OK", "message_id": 7'),
            "message_id",
            "type:message_id",
            id="number-of-message",
        ),
    ],
)
def test_a_bad_side_field_is_null_and_costs_nothing_else(
    message: bytes, column: str, errors: str | None
) -> None:
    row, usual = parsed(message), parsed(GOOD)

    assert (row[column], row["field_errors"]) == (None, errors)
    kept = usual.keys() - {column, "field_errors", "extra_fields"}
    assert {name: row[name] for name in kept} == {name: usual[name] for name in kept}


def test_all_bad_side_fields_are_listed_in_the_order_of_the_topic_file() -> None:
    row = parsed(altered(METRICS, '{"battery_pct": "full", "voltage": "x", "energy_kwh": 0.42}'))

    assert row["field_errors"] == "type:metrics.voltage, type:metrics.battery_pct"
    assert (row["parse_error"], row["energy_kwh"]) == (None, 0.42)


def test_a_block_that_arrow_reads_lists_side_fields_as_one_by_one() -> None:
    fields = tuple(
        Field((name,), name, kind, is_required, "")
        for name, kind, is_required in (
            ("id", "string", True),
            ("made_at", "timestamp", False),
            ("sold_at", "timestamp", False),
        )
    )
    stamp, bad = '"2025-12-09T06:25:40Z"', '"soon"'
    texts = [
        f'{{"id": "x", "made_at": {a}, "sold_at": {b}}}' for a in (stamp, bad) for b in (stamp, bad)
    ]
    messages: list[bytes | None] = [text.encode() for text in texts]

    for small_block in (1, len(messages) + 1):
        found = JsonParser(fields, small_block).parse(messages)
        assert found.column("field_errors").to_pylist() == [
            None,
            "type:sold_at",
            "type:made_at",
            "type:made_at, type:sold_at",
        ]
        assert found.column("parse_error").null_count == len(messages)


# Expected times by hand, in UTC.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-12-09T06:25:40Z", datetime(2025, 12, 9, 6, 25, 40)),
        ("2025-12-09 06:25:40Z", datetime(2025, 12, 9, 6, 25, 40)),
        ("2025-12-09T06:25Z", datetime(2025, 12, 9, 6, 25)),
        ("2025-12-09T06Z", datetime(2025, 12, 9, 6)),
        ("2025-12-09T06:25:40.5Z", datetime(2025, 12, 9, 6, 25, 40, 500_000)),
        ("2025-12-09T06:25:40.123456789Z", datetime(2025, 12, 9, 6, 25, 40, 123_456)),
        ("2025-12-09T06:25:40+01:00", datetime(2025, 12, 9, 5, 25, 40)),
        ("2025-12-09T06:25:40-0530", datetime(2025, 12, 9, 11, 55, 40)),
        ("2024-02-29T23:59:59-02", datetime(2024, 3, 1, 1, 59, 59)),
        ("1969-12-31T23:59:59.999999Z", datetime(1969, 12, 31, 23, 59, 59, 999_999)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59)),
    ],
)
def test_a_timestamp_is_read_in_its_zone(text: str, expected: datetime) -> None:
    row = parsed(altered("2025-12-09T06:25:40Z", text))

    assert row["parse_error"] is None
    assert row["reading_at"] == expected.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "extra"),
    [
        pytest.param(altered('"OK"', '"OK", "x": 1.10'), '{"x":1.10}', id="digits-stay"),
        pytest.param(
            altered('"OK"', '"OK", "n": 123456789012345678901234567890'),
            '{"n":123456789012345678901234567890}',
            id="more-digits-than-a-double-holds",
        ),
        pytest.param(altered('"OK"', '"OK", "x": null'), '{"x":null}', id="null"),
        pytest.param(
            altered('"battery_pct": 78', '"battery_pct": 78, "phase": {"a": [1, 2]}'),
            '{"metrics":{"phase":{"a": [1, 2]}}}',
            id="inside-metrics",
        ),
        pytest.param(altered(METRICS, "7"), '{"metrics":7}', id="something-else-than-an-object"),
        pytest.param(altered('"OK"', '"OK", "x": 1, "x": 2'), '{"x":1,"x":2}', id="duplicated"),
        pytest.param(
            altered('"metrics":', '"metrics": {"x": 1}, "metrics":'),
            '{"metrics":{"x":1}}',
            id="inside-a-duplicate-object",
        ),
        pytest.param(
            altered('"OK"', '"OK", "\\u00e4\\ud800": "\\n"'),
            '{"\\u00e4\\ud800":"\\n"}',
            id="escapes-stay",
        ),
        pytest.param(b' {"a" : 1 , "b" : [ ] } ', '{"a":1,"b":[ ]}', id="spaced"),
        pytest.param(GOOD, None, id="nothing-undeclared"),
    ],
)
def test_undeclared_fields_are_kept_as_they_were_written(message: bytes, extra: str | None) -> None:
    assert parsed(message)["extra_fields"] == extra


def test_of_a_duplicate_key_the_last_one_counts() -> None:
    assert parsed(altered('"status"', '"status": "WARN", "status"'))["status"] == "OK"


def test_a_block_of_nothing_but_bad_messages_keeps_its_order() -> None:
    messages = [b"bad", None, b"[]", b"{}"] * 300

    errors = PARSER.parse(messages).column("parse_error").to_pylist()

    assert errors == ["not_json", "not_json", "not_an_object", "missing:device_id"] * 300


def test_no_message_makes_no_row() -> None:
    assert PARSER.parse([]).to_pylist() == []


def test_text_is_an_error_only_where_it_is_no_text() -> None:
    table = TextParser().parse(["Störung".encode(), b"", None, b"\xff"])

    assert table.to_pylist() == [
        {"extra_fields": None, "parse_error": None, "field_errors": None},
        {"extra_fields": None, "parse_error": None, "field_errors": None},
        {"extra_fields": None, "parse_error": "not_text", "field_errors": None},
        {"extra_fields": None, "parse_error": "not_text", "field_errors": None},
    ]


NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
TIMES = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
NAMES = ("energy_kwh", "voltage", "battery_pct")
READINGS = st.fixed_dictionaries(
    {
        "device_id": st.text(max_size=8),
        "customer_id": st.text(max_size=8),
        "timestamp": TIMES,
        "metrics": st.fixed_dictionaries(
            dict.fromkeys(NAMES, NUMBERS),
            optional={
                "register_kwh": NUMBERS | st.none(),
                "export_kwh": NUMBERS,
                "frequency_hz": NUMBERS,
            },
        ),
        "status": st.text(max_size=4),
    },
    optional={"message_id": st.text(max_size=8), "firmware": st.text(max_size=4)},
)


@settings(max_examples=100)
@given(st.lists(READINGS, min_size=10, max_size=15))
def test_valid_readings_agree_with_pythons_json(readings: list[Mapping[str, Any]]) -> None:
    rows = PARSER.parse([json.dumps(r).encode() for r in readings]).to_pylist()

    for reading, row in zip(readings, rows, strict=True):
        metrics = reading["metrics"]
        assert row["parse_error"] is None
        assert row["device_id"] == reading["device_id"]
        assert row["reading_at"] == datetime.fromisoformat(reading["timestamp"])
        assert row["message_id"] == reading.get("message_id")
        for name in (*NAMES, "register_kwh", "export_kwh", "frequency_hz"):
            value = metrics.get(name)
            assert row[name] == (None if value is None else float(value))
        extra = json.loads(row["extra_fields"] or "{}")
        assert extra == {key: reading[key] for key in reading if key == "firmware"}
