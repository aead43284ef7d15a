"""Messages: the bytes that json.dumps would give for the same record."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from simulator.measurement import Readings
from simulator.serialiser import Serialiser, decimals, moment_number, seconds, stamp
from simulator.solar import Exports
from tests.unit.simulator.builders import device

# 2025-12-09T06:25:40Z; the first seconds of 9 December 2025 are 1765238400.
MOMENT_MS = 1_765_261_540_000


def readings(units_a_kwh: int, interval_ms: int, energy: int, register: int) -> Readings:
    """One reading of one meter."""
    return Readings(
        end_ms=np.array([MOMENT_MS]),
        interval_ms=interval_ms,
        units_a_kwh=units_a_kwh,
        energy_units=np.array([[energy]]),
        register_units=np.array([[register]]),
        voltage_tenths=np.array([[2296]]),
        battery_pct=np.array([[78]]),
        status=np.array([[2]]),
        is_powered=np.array([[True]]),
    )


def only_value(one: Readings) -> bytes:
    """The message of the only reading."""
    index = np.array([0])
    [value] = Serialiser([device(10291)]).values(one, index, index)
    return value


@pytest.mark.parametrize(
    ("energy", "energy_kwh", "register", "register_kwh"),
    [
        (420, 0.42, 12_345_678, 12345.678),
        (0, 0.0, 5, 0.005),
        (25_001, 25.001, 99_999_000, 99999.0),
    ],
)
def test_half_hourly_messages_equal_those_of_json_dumps(
    energy: int, energy_kwh: float, register: int, register_kwh: float
) -> None:
    expected = {
        "device_id": "MTR-10291",
        "customer_id": "CUST-8145",
        "timestamp": "2025-12-09T06:25:40Z",
        "metrics": {
            "energy_kwh": energy_kwh,
            "voltage": 229.6,
            "battery_pct": 78,
            "register_kwh": register_kwh,
            "interval_s": 1800,
        },
        "status": "WARN_UNDER_VOLTAGE",
        "message_id": "MTR-10291-1765261540",
    }
    value = only_value(readings(1000, 1_800_000, energy, register))
    assert value == json.dumps(expected).encode()


@pytest.mark.parametrize("device_id", ["O'Brien\"--;", "C:\\meter", "Zähler 7/Ost", "{{ x }}"])
def test_a_meter_of_any_name_sends_json_that_names_it(device_id: str) -> None:
    index = np.array([0])
    meter = replace(device(10291), device_id=device_id, customer_id=f"of {device_id}")
    one = readings(1000, 1_800_000, 420, 5)
    [value] = Serialiser([meter]).values(one, index, index)
    record = json.loads(value)
    assert record["device_id"] == device_id
    assert record["customer_id"] == f"of {device_id}"
    assert record["message_id"] == f"{device_id}-1765261540"


def test_live_messages_hold_millionths_of_a_kwh() -> None:
    record = json.loads(only_value(readings(1_000_000, 500, 50, 12_345_000_001)))
    assert record["metrics"]["energy_kwh"] == 0.00005
    assert record["metrics"]["register_kwh"] == 12345.000001
    assert record["metrics"]["interval_s"] == 0.5


def test_decimals_agree_with_division() -> None:
    for units_a_kwh in (1000, 1_000_000):
        units = np.array([0, 1, 10, 999, 1000, 123_456, 20_000, 987_654_321])
        texts = decimals(units, units_a_kwh)
        assert [json.loads(text) for text in texts] == [u / units_a_kwh for u in units.tolist()]


@pytest.mark.parametrize(
    ("at_ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (MOMENT_MS, "2025-12-09T06:25:40Z"),
        (MOMENT_MS + 500, "2025-12-09T06:25:40.500Z"),
    ],
)
def test_stamps_are_iso_8601_in_utc(at_ms: int, text: str) -> None:
    assert stamp(at_ms) == text


def test_message_numbers_tell_moments_of_one_second_apart() -> None:
    assert moment_number(2000) == 2
    assert moment_number(2500) == 2500


def test_intervals_are_whole_seconds_where_they_can_be() -> None:
    assert (seconds(2000), seconds(250)) == ("2", "0.25")


def test_an_export_stands_after_the_register_of_the_meters_that_have_one() -> None:
    one = readings(1000, 1_800_000, 420, 5)
    exports = Exports(np.array([0]), np.array([[1_250]]), np.array([[77_000]]))
    metrics = json.loads(only_value(replace(one, exports=exports)))["metrics"]
    assert list(metrics.items())[3:] == [
        ("register_kwh", 0.005),
        ("export_kwh", 1.25),
        ("register_export_kwh", 77.0),
        ("interval_s", 1800),
    ]
    nobody = Exports(
        np.array([], dtype=np.intp),
        np.empty((0, 1), dtype=np.int64),
        np.empty((0, 1), dtype=np.int64),
    )
    assert only_value(replace(one, exports=nobody)) == only_value(one)
