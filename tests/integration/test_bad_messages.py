"""Kafka to quarantine: whatever arrives ends accepted or quarantined, with the right reason."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fuzz import check, messages
from tests.fuzz.oracle import Device, expected_row, flags, rejection
from tests.integration.lakehouse import Lakehouse, Reading, reading

pytestmark = pytest.mark.same_in_both_modes

NOW = datetime.now(UTC).replace(microsecond=0)
STAMP = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
DEVICE = "MTR-10000"
ACCEPTED = "accepted"
# An interval in which a service could draw more than any column holds.
AEON = {"interval_s": 1e15}
# How many messages are generated beside those written out below.
GENERATED = 2_000


@dataclass(frozen=True)
class Case:
    """A message and where it must end: ACCEPTED, or the reason of its quarantine; and its flags."""

    name: str
    payload: bytes | None
    reason: str
    flags: str | None = None


def good(**changes: Any) -> Reading:
    return reading(DEVICE, STAMP, **changes)


def text(message: Any) -> bytes:
    return json.dumps(message).encode()


def without(name: str) -> bytes:
    message = good()
    (message["metrics"] if name in message["metrics"] else message).pop(name)
    return text(message)


def at(moment: datetime) -> bytes:
    return text(good() | {"timestamp": moment.isoformat()})


def with_metrics(**metrics: Any) -> bytes:
    message = good()
    return text(message | {"metrics": message["metrics"] | metrics})


CASES = [
    Case("truncated", text(good())[:40], "not_json"),
    Case("empty", b"", "not_json"),
    Case("tombstone", None, "not_json"),
    Case("invalid_utf8", b'{"device_id": "\xff\xfe"}', "not_json"),
    Case("nan", text(good()).replace(b"230.0", b"NaN"), "not_json"),
    Case("prose", b"meter 17 says hello", "not_json"),
    Case("array", b"[1, 2]", "not_an_object"),
    Case("number", b"42", "not_an_object"),
    Case("json_null", b"null", "not_an_object"),
    Case("empty_object", b"{}", "missing:device_id"),
    Case("no_energy", without("energy_kwh"), "missing:metrics.energy_kwh"),
    Case("no_time", without("timestamp"), "missing:timestamp"),
    Case("energy_as_text", text(good(energy_kwh="0.42")), "type:metrics.energy_kwh"),
    Case("device_as_number", text(good() | {"device_id": 10000}), "type:device_id"),
    Case("time_without_zone", text(good() | {"timestamp": STAMP[:-1]}), "type:timestamp"),
    Case("time_as_number", text(good() | {"timestamp": 1765261540}), "type:timestamp"),
    Case("sql_in_id", text(good() | {"device_id": "'; drop table x; --"}), "unknown_device"),
    Case("control_characters", text(good() | {"device_id": "MTR\u0000\u0007"}), "unknown_device"),
    Case(
        "more_than_a_decimal_holds",
        text(good(energy_kwh=1e12) | {"metrics": good(energy_kwh=1e12)["metrics"] | AEON}),
        "energy_out_of_range",
    ),
    Case("a_power_station", text(good(energy_kwh=1e9)), "energy_out_of_range"),
    Case("a_day_ahead", at(NOW + timedelta(days=1)), "reading_in_future"),
    Case("year_9999", at(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)), "reading_in_future"),
    Case("eleven_years_old", at(NOW - timedelta(days=11 * 366)), "reading_too_old"),
    Case("unknown_fields", text(good() | {"colour": ["red", {"deep": 1}]}), ACCEPTED),
    Case("a_megabyte", text(good() | {"note": "x" * 1_000_000}), ACCEPTED),
    Case("another_zone", at(NOW.astimezone()), ACCEPTED),
    Case("other_customer", text(good() | {"customer_id": "CUST-9999"}), ACCEPTED),
    Case("no_voltage", without("voltage"), ACCEPTED, "voltage:missing"),
    Case("no_status", without("status"), ACCEPTED, "status:missing"),
    Case("no_customer", without("customer_id"), ACCEPTED, "customer_id:missing"),
    Case("null_battery", text(good(battery_pct=None)), ACCEPTED, "battery_pct:missing"),
    Case("no_volts", text(good(voltage=0)), ACCEPTED, "voltage:out_of_range"),
    Case("many_volts", text(good(voltage=99999)), ACCEPTED, "voltage:out_of_range"),
    Case("volts_as_text", text(good(voltage="230V")), ACCEPTED, "voltage:wrong_type"),
    Case("volts_no_double_holds", text(good(voltage=10**400)), ACCEPTED, "voltage:wrong_type"),
    Case("overfull_battery", text(good(battery_pct=101)), ACCEPTED, "battery_pct:out_of_range"),
    Case(
        "full_battery_in_words", text(good(battery_pct="full")), ACCEPTED, "battery_pct:wrong_type"
    ),
    Case("status_as_number", text(good(status=0)), ACCEPTED, "status:wrong_type"),
    Case("customer_as_object", text(good(customer_id={})), ACCEPTED, "customer_id:wrong_type"),
    Case(
        "register_below_zero", with_metrics(register_kwh=-1), ACCEPTED, "register_kwh:out_of_range"
    ),
    Case(
        "export_of_a_power_station",
        with_metrics(export_kwh=1e9),
        ACCEPTED,
        "export_kwh:out_of_range",
    ),
    Case("export_as_text", with_metrics(export_kwh="1"), ACCEPTED, "export_kwh:wrong_type"),
    Case(
        "export_register_below_zero",
        with_metrics(register_export_kwh=-1),
        ACCEPTED,
        "register_export_kwh:out_of_range",
    ),
    Case("interval_backwards", with_metrics(interval_s=-1), ACCEPTED, "interval_s:out_of_range"),
    Case("interval_as_text", with_metrics(interval_s="1800"), ACCEPTED, "interval_s:wrong_type"),
    Case(
        "frequency_of_a_radio",
        with_metrics(frequency_hz=1e8),
        ACCEPTED,
        "frequency_hz:out_of_range",
    ),
    Case("numbered_message", text(good() | {"message_id": 7}), ACCEPTED, "message_id:wrong_type"),
    Case(
        "nothing_but_energy",
        text({"device_id": DEVICE, "timestamp": STAMP, "metrics": {"energy_kwh": 0.5}}),
        ACCEPTED,
        "battery_pct:missing, customer_id:missing, status:missing, voltage:missing",
    ),
]


@dataclass(frozen=True)
class Ending:
    """Where a message ended, and what landing keeps of it."""

    reason: str
    flags: str | None
    kafka_at: datetime
    message: str | None
    encoding: str | None
    extra_fields: str | None


Outcome = Mapping[str, list[Ending]]


@pytest.fixture(scope="module")
def generated(lakehouse: Lakehouse) -> Mapping[str, bytes | None]:
    """Messages that no one would write by hand, about a meter of their own, by name."""
    (device,) = lakehouse.new_devices()
    usual = {**messages.TELEMETRY.usual, "device_id": json.dumps(device)}
    usual["timestamp"] = json.dumps(STAMP)
    subject = replace(messages.TELEMETRY, usual=usual, now=NOW)
    found = messages.collected(subject, GENERATED)
    return {f"generated-{number}": message for number, message in enumerate(found)}


@pytest.fixture(scope="module")
def strayed(lakehouse: Lakehouse) -> str:
    """A meter that another customer's message tells of, in the same round as all others."""
    (device,) = lakehouse.new_devices()
    lakehouse.send(reading(device, STAMP, customer_id="CUST-9999", energy_kwh=1.25))
    return device


@pytest.fixture(scope="module")
def outcome(lakehouse: Lakehouse, generated: Mapping[str, bytes | None], strayed: str) -> Outcome:
    """Where each message ended, by name; one ending, if nothing was lost or duplicated."""
    run = uuid.uuid4().hex
    payloads = {case.name: case.payload for case in CASES} | dict(generated)
    lakehouse.send_raw((f"{run}/{name}".encode(), payload) for name, payload in payloads.items())
    lakehouse.land_and_round()
    rows = lakehouse.sql(
        f"""
        with landed as (
            select * from iceberg.landing.telemetry_raw where message_key like '{run}/%'
        ),
        ended as (
            select landed.*, 'accepted' as reason, accepted.field_flags from landed
            inner join iceberg.staging.stg_telemetry_raw as accepted
                on landed.kafka_partition = accepted.kafka_partition
                and landed.kafka_offset = accepted.kafka_offset
            union all
            select landed.*, quarantined.reason, null from landed
            inner join iceberg.quality.quarantine_telemetry_raw as quarantined
                on landed.kafka_partition = quarantined.kafka_partition
                and landed.kafka_offset = quarantined.kafka_offset
        )
        select
            message_key, reason, field_flags, to_unixtime(kafka_at),
            case when length(message) < 1000000 then message end, message_encoding, extra_fields
        from ended
        """
    )
    found: dict[str, list[Ending]] = {}
    for key, reason, flagged, seconds, *kept in rows:
        kafka_at = datetime.fromtimestamp(round(seconds, 3), UTC)
        ending = Ending(reason, flagged, kafka_at, *kept)
        found.setdefault(key.removeprefix(f"{run}/"), []).append(ending)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_message_ends_once_with_its_reason(case: Case, outcome: Outcome) -> None:
    assert [(ending.reason, ending.flags) for ending in outcome[case.name]] == [
        (case.reason, case.flags)
    ]


def test_generated_messages_end_once_as_the_oracle_says(
    lakehouse: Lakehouse, generated: Mapping[str, bytes | None], outcome: Outcome
) -> None:
    rows = lakehouse.sql(
        "select device_id, nominal_voltage_v, service_size_kw, interval_minutes "
        "from iceberg.staging.stg_devices"
    )
    devices = {device: Device(*map(float, values)) for device, *values in rows}
    wrong = {}
    for name, message in generated.items():
        (ending,) = outcome[name]
        row = expected_row(message, check.TELEMETRY)
        reason = rejection(row, devices, ending.kafka_at)
        flagged = "" if reason else ", ".join(flags(row, devices[row["device_id"]]))
        wanted = (reason or ACCEPTED, flagged or None, row["extra_fields"], message)
        kept = check.original(ending.message, ending.encoding)
        if wanted != (ending.reason, ending.flags, ending.extra_fields, kept):
            wrong[name] = (wanted, ending)
    assert not wrong


def test_a_message_for_another_customer_is_flagged_and_counted_for_the_meters_own(
    lakehouse: Lakehouse, outcome: Outcome, strayed: str
) -> None:
    rows = lakehouse.sql(
        "select is_customer_mismatch, customer_id from iceberg.intermediate.int_meter_readings "
        f"where device_id = '{strayed}'"
    )
    assert rows == [[True, "CUST-8000"]]


def test_unknown_fields_are_kept(lakehouse: Lakehouse, outcome: Outcome) -> None:
    kept = lakehouse.value(
        "select extra_fields from iceberg.landing.telemetry_raw "
        "where message_key like '%/unknown_fields' order by kafka_at desc limit 1"
    )
    assert json.loads(kept) == {"colour": ["red", {"deep": 1}]}
