"""Simulated load is as wild as that of recorded households, by the same measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulator.devices import build_fleet
from simulator.hashing import Floats
from simulator.load_profiles import DAY_MS
from simulator.measurement import MeasurementModel
from simulator.recorded import read_series
from tests.unit.simulator.builders import DECEMBER, HALF_HOUR_MS, SEED, days, device
from tests.unit.simulator.wildness import SLOTS_A_DAY, Wildness, wildness

YEAR_DAYS = 364
METERS = 100


def simulated(customer_class: str) -> Floats:
    """A year of half-hours in kWh as meters send them, shape (meters, days, 48)."""
    devices = [
        device(10000 + number, customer_class=customer_class, transformer=1000 + number // 5)
        for number in range(METERS)
    ]
    model = MeasurementModel(build_fleet(devices, SEED), SEED, HALF_HOUR_MS)
    conditions = model.conditions(days(DECEMBER, YEAR_DAYS + 1))
    bounds = np.arange(YEAR_DAYS * SLOTS_A_DAY + 1) * HALF_HOUR_MS + DECEMBER * DAY_MS
    counted = model.counted_units(conditions, bounds)
    slots: Floats = np.diff(counted, axis=1) / 1000
    return slots.reshape(METERS, YEAR_DAYS, SLOTS_A_DAY)


def recorded(samples: Path, series: int) -> Floats:
    """Half-hours of a recorded household from its first whole UTC day on, shape (days, 48)."""
    readings = read_series(samples, series)
    starts = np.array([reading.end_ms - HALF_HOUR_MS for reading in readings])
    first = -(-starts.min() // DAY_MS)
    places = starts // HALF_HOUR_MS - first * SLOTS_A_DAY
    slots = np.full(places.max() + 1, np.nan)
    slots[places[places >= 0]] = np.array([reading.energy_kwh for reading in readings])[places >= 0]
    return slots[: len(slots) // SLOTS_A_DAY * SLOTS_A_DAY].reshape(-1, SLOTS_A_DAY)


def assert_wild(found: Wildness) -> None:
    """Bands that three recorded households span, worked out apart from this project."""
    first, fifth, ninety_fifth, last = found.day_ratios
    assert 0.04 <= found.spiky_days <= 0.12
    assert 0.07 <= first <= 0.30
    assert 0.44 <= fifth <= 0.56
    assert 1.63 <= ninety_fifth <= 1.73
    assert 2.3 <= last <= 2.61
    assert 0.44 <= found.line_error <= 0.53


def test_figures_of_a_load_worked_out_by_hand() -> None:
    # 35 flat days of 0.1 kWh a slot; the last has 1 kWh at noon and 0.3 kWh three hours later.
    slots = np.full((35, SLOTS_A_DAY), 0.1)
    slots[34, [24, 30]] = 1.0, 0.3
    found = wildness([slots])
    assert found.spiky_days == pytest.approx(1 / 35)
    # Seven days have four like days: six ratios of 1, and (46 x 0.1 + 1.3) / 4.8 = 1.229167.
    expected = np.percentile([1.0] * 6 + [5.9 / 4.8], [1, 5, 95, 99])
    assert found.day_ratios == pytest.approx(tuple(expected))


def test_a_line_misses_what_lies_between_its_ends() -> None:
    # One gap: ends 0 and 1, so 0.2, 0.4, 0.6, 0.8 by the line; true 0.2, 0.4, 1.6, 0.8: 1 of 3.
    slots = np.full((1, SLOTS_A_DAY), np.nan)
    slots[0, :6] = 0.0, 0.2, 0.4, 1.6, 0.8, 1.0
    assert wildness([np.full((29, SLOTS_A_DAY), 1.0), slots]).line_error == pytest.approx(
        1 / (3 + 4 * (29 * SLOTS_A_DAY - 5))
    )


@pytest.mark.parametrize("series", [1, 2])
def test_recorded_households_are_wild(recordings: Path, series: int) -> None:
    assert_wild(wildness([recorded(recordings, series)]))


@pytest.mark.parametrize("customer_class", ["household", "trade"])
def test_simulated_meters_are_as_wild(customer_class: str) -> None:
    assert_wild(wildness(list(simulated(customer_class))))


def test_nobody_is_at_home_for_days_and_now_and_then_nothing_runs() -> None:
    slots = simulated("household")
    totals = slots.sum(axis=2)
    is_low = totals < 0.5 * np.median(totals, axis=1, keepdims=True)
    week_away = np.array([longest_run(row[None, :]) >= 6 for row in is_low])
    assert 0.1 < week_away.mean() < 0.9
    # Outages last four hours at most: whole half-hours without power are 8 in a row at most.
    assert 0.0005 < (slots == 0).mean() < 0.01
    assert longest_run(slots.reshape(METERS, -1) == 0) < 24


def longest_run(hits: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> int:
    """The longest run of hits of any row."""
    count = longest = np.zeros(len(hits), dtype=np.int64)
    for column in hits.T:
        count = np.where(column, count + 1, 0)
        longest = np.maximum(longest, count)
    return int(longest.max())
