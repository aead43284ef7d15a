"""Cumulative energy: additive, rising, independent of chunks, still during outages."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.devices import build_fleet
from simulator.habits import BLOCK_DAYS
from simulator.load import ANCHOR_DAY, LoadModel, zone_of
from simulator.load_profiles import DAY_MS, energy_of_quarters, read_profile
from stack.base.errors import ConfigurationError
from tests.unit.simulator.builders import DECEMBER, SEED, days, device, ends_of_days, fleet


def test_energy_never_falls() -> None:
    model = LoadModel(fleet(8), SEED)
    moments = ends_of_days(DECEMBER, 3, 7_000)
    used = model.cumulative_kwh(model.day_load(days(DECEMBER, 3)), moments)
    assert np.diff(used, axis=1).min() >= 0.0


def test_a_block_of_four_weeks_holds_what_the_profile_says() -> None:
    model = LoadModel(build_fleet([device()], SEED), SEED)
    block = (DECEMBER - ANCHOR_DAY) // BLOCK_DAYS
    first = ANCHOR_DAY + block * BLOCK_DAYS
    load = model.day_load(days(first, BLOCK_DAYS + 1))
    used = model.cumulative_kwh(load, np.array([first, first + BLOCK_DAYS]) * DAY_MS)
    shares = energy_of_quarters(read_profile("household"), ZoneInfo("UTC"), first, BLOCK_DAYS)
    expected_kwh = shares.sum() * model.fleet.annual_kwh[0]
    assert used[0, 1] - used[0, 0] == pytest.approx(expected_kwh, rel=1e-9)


def test_energy_does_not_depend_on_the_days_asked_for_together() -> None:
    model = LoadModel(fleet(6), SEED)
    moments = ends_of_days(DECEMBER + 2, 1, 60_000)
    alone = LoadModel(fleet(6), SEED)
    together = model.cumulative_kwh(model.day_load(days(DECEMBER, 40)), moments)
    assert np.array_equal(
        together, alone.cumulative_kwh(alone.day_load(days(DECEMBER + 2, 1)), moments)
    )


def test_a_day_ends_where_the_next_one_starts() -> None:
    model = LoadModel(fleet(6), SEED)
    load = model.day_load(days(DECEMBER, 60))
    ends = load.start_kwh[:, :-1] + load.until_kwh[:, :-1, -1]
    assert np.allclose(ends, load.start_kwh[:, 1:], rtol=1e-12)


def test_no_energy_is_used_without_power() -> None:
    model = LoadModel(fleet(20), SEED)
    load = model.day_load(days(DECEMBER, 60))
    outages = load.outages
    device_index, day = np.argwhere(outages.end_ms)[0]
    start_ms, end_ms = outages.start_ms[device_index, day], outages.end_ms[device_index, day]
    moments = np.linspace(start_ms, end_ms, 50).astype(np.int64)
    used = model.cumulative_kwh(load, moments)[device_index]
    assert used[-1] == pytest.approx(used[0], abs=1e-9)


def test_a_day_before_the_anchor_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="2010"):
        LoadModel(fleet(1), SEED).day_load(days(ANCHOR_DAY - 1, 1))


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Etc/\0"])
def test_a_zone_that_python_does_not_know_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match="time zones in device_master") as failure:
        zone_of(name)
    assert failure.value.found == name
