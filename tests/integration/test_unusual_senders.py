"""Senders that are odd, but allowed: the rounds go on, and every figure is right."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.integration.lakehouse import Lakehouse, reading

pytestmark = pytest.mark.same_in_both_modes

HALF = Decimal("0.500000")
MESSAGES = 20_000
# Trino's reader of JSON takes names of up to 50,000 characters.
LONG_NAME = "a" * 60_000


def test_one_reading_sent_ten_thousands_of_times_is_one(lakehouse: Lakehouse) -> None:
    (device,) = lakehouse.new_devices()
    message = json.dumps(reading(device, "2026-06-01T12:00:00Z", energy_kwh=0.5)).encode()
    lakehouse.send_raw([(device.encode(), message)] * MESSAGES)
    lakehouse.land()
    lakehouse.round()
    assert lakehouse.sql(
        "select energy_kwh, version_count, duplicate_count, correction_count "
        f"from iceberg.intermediate.int_meter_readings where device_id = '{device}'"
    ) == [[HALF, MESSAGES, MESSAGES - 1, 0]]
    assert lakehouse.sql(
        "select reading_count, total_energy_kwh from iceberg.marts.device_daily_metrics_live "
        f"where device_id = '{device}'"
    ) == [[1, HALF]]


def test_a_field_of_a_very_long_name_does_not_stop_the_models(lakehouse: Lakehouse) -> None:
    (device,) = lakehouse.new_devices()
    odd = reading(device, "2026-06-01T12:00:00Z", energy_kwh=0.5) | {LONG_NAME: 1}
    lakehouse.send_raw([(device.encode(), json.dumps(odd).encode())])
    lakehouse.land()
    lakehouse.round()
    assert lakehouse.sql(
        f"select energy_kwh from iceberg.staging.stg_telemetry_raw where device_id = '{device}'"
    ) == [[HALF]]
