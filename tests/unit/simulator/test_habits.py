"""Appliances and absences: how often, how much, and what an empty home takes."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.devices import build_fleet
from simulator.habits import (
    APPLIANCES,
    BLOCK_DAYS,
    LONGEST_HOLIDAY,
    Appliance,
    appliance_runs,
    is_away,
)
from simulator.hashing import Integers, text_keys
from simulator.load import ANCHOR_DAY, LoadModel
from tests.unit.simulator.builders import DECEMBER, SEED, days, device

KEYS = text_keys(tuple(f"MTR-{number}" for number in range(1000)))
BLOCK = (DECEMBER - ANCHOR_DAY) // BLOCK_DAYS
OF_BLOCK = days(ANCHOR_DAY + BLOCK * BLOCK_DAYS, BLOCK_DAYS)


def away_on(span: Integers) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    blocks, places = np.divmod(span - ANCHOR_DAY, BLOCK_DAYS)
    return is_away(SEED, KEYS, span, blocks, places)


@pytest.mark.parametrize("appliance", APPLIANCES, ids=lambda appliance: appliance.name)
def test_owners_use_an_appliance_as_often_as_it_says(appliance: Appliance) -> None:
    nobody_away = np.zeros((len(KEYS), 365), dtype=np.bool_)
    runs = [
        run.energy
        for run in appliance_runs(SEED, KEYS, days(DECEMBER, 365), nobody_away)
        if run.appliance is appliance
    ]
    used = np.array(runs)
    # 365,000 days: half a percent is several standard deviations; owners: 1,000 meters.
    has_it = used.any(axis=(0, 2))
    assert has_it.mean() == pytest.approx(appliance.owners, abs=0.05)
    assert (used[:, has_it] > 0).mean(axis=(1, 2)) == pytest.approx(appliance.chances, abs=0.005)
    assert appliance.least <= used[used > 0].min()
    assert used.max() <= appliance.most
    assert used[used > 0].mean() == pytest.approx((appliance.least + appliance.most) / 2, rel=0.01)


def test_nothing_is_switched_on_while_nobody_is_there() -> None:
    away = away_on(OF_BLOCK)
    assert away.any()
    for run in appliance_runs(SEED, KEYS, OF_BLOCK, away):
        assert not run.energy[away].any()


def test_an_absence_does_not_depend_on_the_days_asked_for_together() -> None:
    span = days(DECEMBER, 90)
    whole = away_on(span)
    assert np.array_equal(whole, np.concatenate([away_on(span[:31]), away_on(span[31:])], axis=1))


def test_days_away_are_few_and_holidays_end() -> None:
    away = away_on(days(int(OF_BLOCK[0]), BLOCK_DAYS * 13))
    assert 0.02 < away.mean() < 0.06
    longest = max(
        len(stay) for row in away for stay in "".join("0A"[int(day)] for day in row).split("0")
    )
    # A holiday in one block may touch one in the next, and single days either.
    assert 6 <= longest <= 2 * LONGEST_HOLIDAY + 3


def test_a_day_away_takes_the_standby_share_of_a_day_at_home() -> None:
    devices = [device(10000 + number) for number in range(200)]
    model = LoadModel(build_fleet(devices, SEED), SEED)
    load = model.day_load(OF_BLOCK)
    day_kwh = load.until_kwh[:, :, -1]
    blocks, places = np.divmod(OF_BLOCK - ANCHOR_DAY, BLOCK_DAYS)
    away = is_away(SEED, model.fleet.keys, OF_BLOCK, blocks, places)
    at_home = np.where(away, np.nan, day_kwh)
    ratio = (day_kwh / np.nanmean(at_home, axis=1, keepdims=True))[away]
    assert 0.01 < ratio.min() < ratio.max() < 0.6
