"""What must become of a message: the rules of parsing, quarantine and flags, stated a second time.

Written from the rules' text (lander/exact.py, the models' YAML), not from the code that follows
them: its own reader of JSON, its own calendar, Python instead of SQL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from lander.topics import Field
from tests.fuzz.reader import NotJsonError, Value, read, unescaped

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ISO_8601 = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[T ](?P<hour>\d\d)"
    r"(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?)?)?"
    r"(?:Z|(?P<sign>[+-])(?P<zone_hour>\d\d)(?::?(?P<zone_minute>\d\d))?)",
    re.ASCII,
)
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
MICROSECOND = timedelta(microseconds=1)
SECOND, DAY = 10**6, 86_400 * 10**6
# Side fields that every message should have, and the longest time that a reading measures.
EXPECTED = ("battery_pct", "customer_id", "status", "voltage")
LONGEST_S = 366 * 86_400


@dataclass(frozen=True)
class Device:
    """What the rules of quarantine ask of master data."""

    nominal_voltage_v: float
    service_size_kw: float
    interval_minutes: float


def expected_row(message: bytes | None, fields: Sequence[Field]) -> dict[str, Any]:
    """The parsed columns of a message; timestamps in microseconds since 1970.

    Raises TooDeepError for what is nested so deep that Python's own limit decides.
    """
    nothing: dict[str, Any] = {field.column: None for field in fields}
    try:
        content = read((message or b"").decode("utf-8"))
    except (UnicodeDecodeError, NotJsonError):
        return unread(nothing, "not_json")
    if content.kind != "object":
        return unread(nothing, "not_an_object")
    found = {field: value_at(content, field.path) for field in fields}
    row = {f.column: None if v is None else typed(v, f.type) for f, v in found.items()}
    missing = [f"missing:{f.name}" for f, v in found.items() if v is None and f.required]
    wrong = [field for field, value in found.items() if value and row[field.column] is None]
    decisive = [*missing, *(f"type:{field.name}" for field in wrong if field.required)]
    others = ", ".join(f"type:{field.name}" for field in wrong if not field.required)
    return {
        **row,
        "extra_fields": undeclared(content, {field.path for field in fields}),
        "parse_error": next(iter(decisive), None),
        "field_errors": others or None,
    }


def unread(nothing: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The row of what is no JSON object."""
    return {**nothing, "extra_fields": None, "parse_error": why, "field_errors": None}


def value_at(content: Value, path: Sequence[str]) -> Value | None:
    """The value at the path; None for null and where the path leads nowhere."""
    found: Value | None = content
    for name in path:
        found = found.get(name) if found else None
    return None if found is None or found.is_null else found


def undeclared(content: Value, paths: set[tuple[str, ...]]) -> str | None:
    """The members that no path leads to, each value as it was written; None for none."""
    kept = []
    for key, value in content.members:
        name = unescaped(key)
        inner = {path[1:] for path in paths if path[0] == name}
        if () in inner or (inner and value.is_null):
            continue
        rest = undeclared(value, inner) if inner and value.kind == "object" else value.text
        if rest is not None:
            kept.append(f"{key}:{rest}")
    return "{" + ",".join(kept) + "}" if kept else None


def typed(value: Value, kind: str) -> Any:
    """The value as this type of column, None if it is not of the type."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(value.text) if value.kind == "word" else None
    if kind in ("double", "long"):
        return number(value, kind) if value.kind == "number" else None
    if value.kind != "string":
        return None
    text = unescaped(value.text)
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        return None
    return text if kind == "string" else microseconds(text)


def number(value: Value, kind: str) -> float | int | None:
    """A number that a double or 64 bits hold."""
    if kind == "double":
        return float(value.text) if math.isfinite(float(value.text)) else None
    if set(value.text) & set(".eE") or not -(2**63) <= Decimal(value.text) < 2**63:
        return None
    return int(value.text)


def microseconds(text: str) -> int | None:
    """ISO 8601 with a zone as microseconds since 1970 in UTC, years 1 to 9999 on both sides."""
    match = ISO_8601.fullmatch(text)
    if match is None:
        return None
    part = {name: int(digits) for name, digits in match.groupdict("0").items() if name != "sign"}
    year, month = part["year"], part["month"]
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not (year >= 1 and 1 <= month <= 12 and part["hour"] < 24 and part["zone_hour"] < 24):
        return None
    length = DAYS[month - 1] + (is_leap and month == 2)
    if not (1 <= part["day"] <= length and max(part["minute"], part["second"]) < 60):
        return None
    if part["zone_minute"] > 59:
        return None
    before = (year - 1) * 365 + (year - 1) // 4 - (year - 1) // 100 + (year - 1) // 400
    days = before + sum(DAYS[: month - 1]) + (is_leap and month > 2) + part["day"] - 1 - 719_162
    away = (part["zone_hour"] * 60 + part["zone_minute"]) * (-1 if match["sign"] == "-" else 1)
    minutes = (days * 24 + part["hour"]) * 60 + part["minute"] - away
    fraction = int((match["fraction"] or "").ljust(6, "0")[:6])
    moment = (minutes * 60 + part["second"]) * SECOND + fraction
    return moment if -719_162 * DAY <= moment < 2_932_897 * DAY else None


def rejection(
    row: Mapping[str, Any], devices: Mapping[str, Device], kafka_at: datetime
) -> str | None:
    """Why a parsed telemetry message is quarantined, None if it is accepted."""
    if row["parse_error"] is not None:
        return str(row["parse_error"])
    if row["device_id"] not in devices:
        return "unknown_device"
    device = devices[row["device_id"]]
    hours = 24.0
    if row["interval_s"] is not None and 0 <= row["interval_s"] <= LONGEST_S:
        hours = max(row["interval_s"] / 3600, device.interval_minutes / 60)
    energy = abs(row["energy_kwh"])
    earliest, latest = years_before(kafka_at, 10), kafka_at + timedelta(minutes=5)
    rules = {
        # The column holds twelve digits before the point.
        "energy_out_of_range": energy > device.service_size_kw * hours * 10 or energy >= 1e12,
        "reading_in_future": row["reading_at"] > (latest - EPOCH) // MICROSECOND,
        "reading_too_old": row["reading_at"] < (earliest - EPOCH) // MICROSECOND,
    }
    return next((reason for reason, holds in rules.items() if holds), None)


def flags(row: Mapping[str, Any], device: Device) -> list[str]:
    """What is wrong with the side fields of an accepted message, as FIELD:REASON in order."""
    low, high = device.nominal_voltage_v / 2, device.nominal_voltage_v * 3 / 2
    # Ten times what the service carries in a day.
    most_kwh = device.service_size_kw * 24 * 10
    possible = {
        "battery_pct": (0, 100),
        "export_kwh": (-most_kwh, most_kwh),
        "frequency_hz": (10, 100),
        "interval_s": (0, LONGEST_S),
        # The column holds twelve digits before the point.
        "register_export_kwh": (0, 999_999_999_999),
        "register_kwh": (0, 999_999_999_999),
        "voltage": (low, high),
    }
    errors = (row["field_errors"] or "").replace("metrics.", "").split(", ")
    wrong = {error.removeprefix("type:"): "wrong_type" for error in errors if error}
    missing = {name: "missing" for name in EXPECTED if row[name] is None}
    outside = {
        name: "out_of_range"
        for name, (least, most) in possible.items()
        if row[name] is not None and not least <= row[name] <= most
    }
    return [f"{name}:{why}" for name, why in sorted((outside | missing | wrong).items())]


def years_before(moment: datetime, years: int) -> datetime:
    """The same day so many years before; 28 February for the 29th."""
    is_leap_day = (moment.month, moment.day) == (2, 29)
    return moment.replace(year=moment.year - years, day=28 if is_leap_day else moment.day)
