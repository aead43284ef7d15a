"""Load profiles, against figures that demandlib 0.2.2 computes and calendars by hand."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.load_profiles import (
    EPOCH,
    daily_factor,
    day_kind_of,
    energy_of_quarters,
    read_profile,
    season_of,
    utc_offset_quarters,
)

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


def number(day: date) -> int:
    return (day - EPOCH).days


@pytest.mark.parametrize(
    ("customer_class", "day", "quarter", "demandlib"),
    [
        ("trade", date(2025, 1, 15), 72, 4.678326683893255e-05),
        ("trade", date(2025, 7, 12), 48, 4.515482853000766e-05),
        ("trade", date(2025, 10, 5), 30, 1.2497773527531991e-05),
        ("household", date(2025, 1, 15), 72, 4.7949321793045624e-05),
        ("household", date(2025, 7, 12), 48, 3.530321533341276e-05),
        ("household", date(2025, 10, 5), 30, 1.606471938892501e-05),
    ],
)
def test_share_of_a_quarter_hour_agrees_with_demandlib(
    customer_class: str, day: date, quarter: int, demandlib: float
) -> None:
    # demandlib scales each year to a sum of exactly one: two percent for G0.
    share = energy_of_quarters(read_profile(customer_class), UTC, number(day), 1)[0, quarter]
    assert share == pytest.approx(demandlib, rel=0.021)


@pytest.mark.parametrize("customer_class", ["household", "trade"])
def test_the_shares_of_a_year_add_up_to_one(customer_class: str) -> None:
    profile = read_profile(customer_class)
    shares = energy_of_quarters(profile, UTC, number(date(2025, 1, 1)), 365)
    assert shares.shape == (365, 96)
    assert shares.sum() == pytest.approx(1.0, abs=0.02)


def test_daily_factor_follows_the_published_polynomial() -> None:
    # By hand for t = 100: -0.0392 + 0.32 - 0.702 + 0.21 + 1.24.
    assert daily_factor(date(2025, 4, 10)) == pytest.approx(1.0288, abs=1e-9)


@pytest.mark.parametrize(
    ("day", "season"),
    [
        (date(2025, 3, 20), 0),
        (date(2025, 3, 21), 2),
        (date(2025, 5, 14), 2),
        (date(2025, 5, 15), 1),
        (date(2025, 9, 14), 1),
        (date(2025, 9, 15), 2),
        (date(2025, 10, 31), 2),
        (date(2025, 11, 1), 0),
    ],
)
def test_seasons_change_on_their_dates(day: date, season: int) -> None:
    assert season_of(day) == season


def test_kinds_of_day() -> None:
    # 1 December 2025 is a Monday.
    assert [day_kind_of(date(2025, 12, day)) for day in range(1, 8)] == [0, 0, 0, 0, 0, 1, 2]


def test_the_profile_is_read_by_local_time() -> None:
    # In winter Berlin is an hour ahead: its 18:00 is 17:00 UTC.
    day = number(date(2025, 1, 15))
    profile = read_profile("trade")
    local = energy_of_quarters(profile, BERLIN, day, 1)[0, 68]
    assert local == energy_of_quarters(profile, UTC, day, 1)[0, 72]


def test_offsets_change_at_one_o_clock_utc() -> None:
    # Berlin: 30 March 2025, 01:00 UTC, from one hour ahead to two.
    offsets = utc_offset_quarters(BERLIN, date(2025, 3, 30))
    assert offsets.tolist() == [4] * 4 + [8] * 92


def test_the_longest_local_day_repeats_its_hour() -> None:
    # 26 October 2025: the local hour from 02:00 comes twice, at 00:00 and 01:00 UTC.
    shares = energy_of_quarters(read_profile("trade"), BERLIN, number(date(2025, 10, 26)), 1)[0]
    assert np.array_equal(shares[0:4], shares[4:8])
