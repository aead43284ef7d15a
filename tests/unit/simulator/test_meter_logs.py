"""Events and log lines: consistent with the telemetry, in the phrasings they promise."""

from __future__ import annotations

import re
import string
from collections import Counter

import numpy as np
import pytest

from simulator.load_profiles import DAY_MS
from simulator.log_phrases import EVENT_LEVELS, PHRASINGS, SYSLOG_PRIORITIES, UNKNOWN_LINES
from simulator.measurement import Conditions, MeasurementModel
from simulator.meter_events import BACKGROUND_EVENTS, Event, day_events, low_battery_truths
from simulator.meter_logs import LogLine, LogWriter
from simulator.simulation import RUN_EVENTS
from tests.unit.simulator.builders import DECEMBER, HALF_HOUR_MS, SEED, days, fleet

METERS = fleet(100)
DAYS = days(DECEMBER, 60)
FIELDS = {
    *("device_id", "customer_id", "transformer_id", "event", "words", "level", "priority"),
    *("time_iso", "time_plain", "status", "battery_pct", "voltage_v", "temperature_c"),
    *("memory_pct", "uptime_s", "error_count", "pid"),
}


@pytest.fixture(scope="module")
def conditions() -> Conditions:
    return MeasurementModel(METERS, SEED, HALF_HOUR_MS).conditions(DAYS)


@pytest.fixture(scope="module")
def lines(conditions: Conditions) -> list[tuple[Event, LogLine]]:
    writer = LogWriter(METERS, SEED)
    events = day_events(METERS, conditions, SEED)
    return [(event, writer.line(event, conditions)) for event in events]


def test_events_come_in_order_of_time(lines: list[tuple[Event, LogLine]]) -> None:
    times = [event.at_ms for event, _ in lines]
    assert len(times) > 200
    assert times == sorted(times)


def test_every_outage_has_its_return(lines: list[tuple[Event, LogLine]]) -> None:
    names = Counter(event.name for event, _ in lines)
    gone = names["LAST_GASP"] + names["POWER_FAILURE"]
    assert gone == names["POWER_RETURNED"] > 0


def test_under_voltage_is_logged_when_it_starts(
    lines: list[tuple[Event, LogLine]], conditions: Conditions
) -> None:
    windows = conditions.under_voltage
    starts = {
        (int(device), int(windows.start_ms[device, day]))
        for device, day in np.argwhere(windows.end_ms)
    }
    logged = {(event.device, event.at_ms) for event, _ in lines if event.name == "UNDER_VOLTAGE"}
    assert logged == starts != set()


def test_background_events_come_at_their_rate(lines: list[tuple[Event, LogLine]]) -> None:
    names = Counter(event.name for event, _ in lines)
    # 6,000 meter days at 0.01: 60 expected, standard deviation 8.
    assert abs(names["WATCHDOG_ERROR"] - 60) < 32


def test_every_event_has_a_level_and_every_level_a_priority() -> None:
    assert set(BACKGROUND_EVENTS) | set(RUN_EVENTS.values()) <= set(EVENT_LEVELS)
    assert set(EVENT_LEVELS.values()) == set(SYSLOG_PRIORITIES)


def test_event_names_are_those_that_readers_know() -> None:
    assert set(EVENT_LEVELS) == {
        "POWER_FAILURE",
        "POWER_RETURNED",
        "LAST_GASP",
        "CLOCK_INVALID",
        "REPLACE_BATTERY",
        "BATTERY_VOLTAGE_LOW",
        "WATCHDOG_ERROR",
        "TERMINAL_COVER_REMOVED",
        "METER_COVER_REMOVED",
        "STRONG_DC_FIELD_DETECTED",
        "FAILED_LOGIN_ATTEMPT",
        "UNDER_VOLTAGE",
        "PHASE_OUTAGE",
        "VOLTAGE_SAG",
        "VOLTAGE_SWELL",
        "COMMUNICATION_LOST",
        "FIRMWARE_UPDATED",
    }


def test_phrasings_use_known_fields_only() -> None:
    for phrasing in PHRASINGS:
        named = {name for _, name, _, _ in string.Formatter().parse(phrasing.template) if name}
        assert named <= FIELDS


def test_there_are_phrasings_without_time_and_without_device() -> None:
    assert {phrasing.name for phrasing in PHRASINGS if not phrasing.has_time} == {
        "key_value_no_time",
        "prose_no_time",
    }
    assert {phrasing.name for phrasing in PHRASINGS if not phrasing.has_device} == {
        "key_value_no_device",
        "prose_no_device",
    }


def test_every_phrasing_and_the_unknown_are_used(lines: list[tuple[Event, LogLine]]) -> None:
    used = Counter(line.truth.values["phrasing"] for _, line in lines)
    assert set(used) == {phrasing.name for phrasing in PHRASINGS} | {"unknown"}
    assert used["syslog"] > 3 * used["key_value_no_time"]


def test_the_key_is_the_device_the_line_names(lines: list[tuple[Event, LogLine]]) -> None:
    for event, line in lines:
        device_id = METERS.devices[event.device].device_id
        assert (line.key == device_id.encode()) == (device_id in line.text)
        assert line.key is None or line.truth.values["has_device"]
        assert line.truth.device_id == device_id


def test_a_line_says_the_event_or_is_unknown(lines: list[tuple[Event, LogLine]]) -> None:
    for event, line in lines:
        words = event.name.lower().replace("_", " ")
        known = event.name in line.text or words in line.text
        assert known != (line.text in UNKNOWN_LINES)


def test_voltages_fit_the_event_and_the_status(lines: list[tuple[Event, LogLine]]) -> None:
    checked = 0
    for event, line in lines:
        match = re.search(r"status=(\S+) .*voltage(?:_v)?=([\d.]+)", line.text)
        if not match:
            continue
        status, voltage = match[1], float(match[2])
        checked += 1
        if event.name in ("LAST_GASP", "POWER_FAILURE"):
            assert voltage == 0.0
        elif status == "WARN_UNDER_VOLTAGE":
            assert voltage < 207.0
        elif event.name == "VOLTAGE_SWELL" and status == "WARN_OVER_VOLTAGE":
            assert voltage > 253.0
        if event.name == "UNDER_VOLTAGE":
            assert status in ("WARN_UNDER_VOLTAGE", "WARN_OVER_VOLTAGE", "WARN_TAMPER")
    assert checked > 100


def test_low_battery_spells_match_the_charge() -> None:
    # Installed on 1 June 2021; ageing 7 to 13 % a year, low from 6.2 to 11.4 years on.
    to_ms = (DECEMBER + 365 * 8) * DAY_MS
    truths = low_battery_truths(METERS, to_ms - 365 * DAY_MS, to_ms)
    assert truths
    for truth in truths:
        assert abs((truth.to_ms - truth.from_ms) - 150 * DAY_MS) <= 2000
        assert truth.from_ms < to_ms
        assert truth.to_ms > to_ms - 365 * DAY_MS
