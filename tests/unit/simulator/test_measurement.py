"""Readings: registers that add up and roll over, sagging voltage, ageing batteries."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.devices import Fleet, build_fleet
from simulator.load_profiles import DAY_MS
from simulator.measurement import STATUSES, MeasurementModel, Readings, battery_charge
from tests.unit.simulator.builders import (
    DECEMBER,
    HALF_HOUR_MS,
    SEED,
    days,
    device,
    ends_of_days,
    fleet,
)

YEAR_MS = 365.25 * DAY_MS


def readings_of(meters: Fleet, count: int, interval_ms: int = HALF_HOUR_MS) -> Readings:
    """Readings of some days in December 2025, from the second interval on."""
    model = MeasurementModel(meters, SEED, interval_ms)
    conditions = model.conditions(days(DECEMBER, count))
    ends = ends_of_days(DECEMBER, count, interval_ms)
    counted = model.counted_units(conditions, ends)
    return model.readings(conditions, ends[1:], counted[:, 1:], counted[:, :-1])


def test_the_register_grows_by_the_energy() -> None:
    readings = readings_of(fleet(10), 20)
    grown = np.diff(readings.register_units, axis=1)
    assert np.array_equal(grown, readings.energy_units[:, 1:])
    assert readings.energy_units.min() >= 0


def test_energy_is_the_register_difference_times_the_multiplier() -> None:
    readings = readings_of(build_fleet([device(multiplier=20)], SEED), 5)
    assert (readings.energy_units % 20 == 0).all()
    grown = np.diff(readings.register_units, axis=1)
    assert np.array_equal(grown * 20, readings.energy_units[:, 1:])


def test_a_register_rolls_over_after_its_last_digit() -> None:
    # Four digits hold 9,999 kWh: one of many meters passes it within weeks.
    meters = build_fleet([device(10000 + index, digits=4) for index in range(200)], SEED)
    readings = readings_of(meters, 28)
    grown = np.diff(readings.register_units, axis=1)
    rolled = grown < 0
    assert rolled.any()
    assert np.array_equal(grown[rolled] + 10_000_000, readings.energy_units[:, 1:][rolled])
    assert readings.register_units.max() < 10_000_000


def test_live_and_half_hourly_registers_agree() -> None:
    meters = fleet(5)
    moment = np.array([DECEMBER * DAY_MS + 10 * HALF_HOUR_MS])
    coarse = MeasurementModel(meters, SEED, HALF_HOUR_MS)
    fine = MeasurementModel(meters, SEED, 2000)
    whole = coarse.counted_units(coarse.conditions(days(DECEMBER, 1)), moment)
    parts = fine.counted_units(fine.conditions(days(DECEMBER, 1)), moment)
    assert np.array_equal(whole, parts // 1000)
    assert np.array_equal(coarse.first_register * 1000, fine.first_register)


def test_short_intervals_hold_the_energy_of_the_long_ones() -> None:
    # Both start at midnight; 8,460 intervals of ten seconds end by 23:30, as the long ones do.
    # Each register is rounded down, so the sums differ by less than a watt hour.
    long = readings_of(fleet(5), 1).energy_units.sum(axis=1)
    short = readings_of(fleet(5), 1, 10_000).energy_units[:, :8460].sum(axis=1) / 1000
    assert (abs(short - long) < 1.0).all()


def test_voltage_sags_under_load() -> None:
    readings = readings_of(fleet(40), 20)
    sags = []
    for energy, voltage, status in zip(
        readings.energy_units, readings.voltage_tenths, readings.status, strict=True
    ):
        normal = status <= 1
        high = voltage[normal & (energy > np.percentile(energy, 80))].mean()
        low = voltage[normal & (energy < np.percentile(energy, 20))].mean()
        sags.append((low - high) / 10)
    # 5 to 12 % of 230 V at full service, for some 3 to 8 % of the service between the two.
    assert 0.35 < np.mean(sags) < 2.2


def test_the_status_follows_the_limits_of_en_50160() -> None:
    readings = readings_of(fleet(100), 28)
    volts = readings.voltage_tenths / 10
    low, high = STATUSES.index("WARN_UNDER_VOLTAGE"), STATUSES.index("WARN_OVER_VOLTAGE")
    assert (readings.status == low).any()
    assert (readings.status == high).any()
    # 0.9 and 1.1 of 230 V; a tenth for rounding.
    assert volts[readings.status == low].max() <= 207.1
    assert volts[readings.status == high].min() >= 252.9
    assert volts[readings.status == 0].min() >= 206.9


def test_warnings_come_in_episodes() -> None:
    readings = readings_of(fleet(100), 28)
    is_low = readings.status == STATUSES.index("WARN_UNDER_VOLTAGE")
    starts = int((is_low[:, 1:] & ~is_low[:, :-1]).sum())
    # Shortest episode 45 minutes; by coin flips of the same rate almost all would stand alone.
    assert is_low.sum() / starts > 2.5


@pytest.mark.parametrize(
    ("years", "charge"),
    [
        (0.0, 100),
        (1.0, 90),
        (7.95, 20),
        # 8 years down to 20 %, replaced 150 days (0.41 years) later.
        (8.3, 17),
        (8.5, 99),
    ],
)
def test_a_battery_ages_and_is_replaced(years: float, charge: int) -> None:
    age_ms = np.array([round(years * YEAR_MS)])
    assert battery_charge(np.array([10.0]), age_ms).tolist() == [charge]


def test_a_clock_before_installation_finds_a_full_battery() -> None:
    assert battery_charge(np.array([10.0]), np.array([-1])).tolist() == [100]
