"""Standard load profiles: how much of a year's energy falls into each quarter hour."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import Floats, Integers

PROFILE_FOLDER = Path(__file__).resolve().parent / "profiles"
PROFILE_FILES = {"household": "h0.csv", "trade": "g0.csv"}
DAY_MS = 86_400_000
QUARTERS_A_DAY = 96
QUARTER_HOURS = 0.25
WATT_YEARS = 1_000_000  # the files hold watts for 1,000 kWh a year
EPOCH = date(1970, 1, 1)
SEASONS = ("winter", "summer", "transition")
DAY_KINDS = ("workday", "saturday", "sunday")


@dataclass(frozen=True)
class LoadProfile:
    """Mean power by season, kind of day and local quarter hour.

    watts: shape (3, 3, 96), in SEASONS and DAY_KINDS order, for 1,000 kWh a year.
    is_smoothed: whether the daily factor of H0 applies.
    """

    watts: Floats
    is_smoothed: bool


def read_profile(customer_class: str) -> LoadProfile:
    """The profile of a customer class, "household" or "trade".

    Source: profiles/README.md. Raises KeyError for another class.
    """
    path = PROFILE_FOLDER / PROFILE_FILES[customer_class]
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    watts = [
        [[float(row[f"{season}_{kind}"]) for row in rows] for kind in DAY_KINDS]
        for season in SEASONS
    ]
    return LoadProfile(np.array(watts), is_smoothed=customer_class == "household")


def season_of(day: date) -> int:
    """Index into SEASONS. Source: BDEW, as in profiles/README.md."""
    month_day = (day.month, day.day)
    if (5, 15) <= month_day <= (9, 14):
        return SEASONS.index("summer")
    is_winter = month_day <= (3, 20) or month_day >= (11, 1)
    return SEASONS.index("winter" if is_winter else "transition")


def day_kind_of(day: date) -> int:
    """Index into DAY_KINDS; public holidays are not known here."""
    return max(day.weekday() - 4, 0)


def daily_factor(day: date) -> float:
    """Factor on the H0 profile for one day of the year, 1 January being day 1.

    Source: BDEW polynomial of fourth degree; VDEW, Repraesentative Lastprofile, 1999.
    """
    t = day.timetuple().tm_yday
    return -3.92e-10 * t**4 + 3.20e-7 * t**3 - 7.02e-5 * t**2 + 2.10e-3 * t + 1.24


def day_curve(profile: LoadProfile, day: date) -> Floats:
    """Watts of one local day for 1,000 kWh a year, shape (96,)."""
    curve: Floats = profile.watts[season_of(day), day_kind_of(day)]
    return curve * daily_factor(day) if profile.is_smoothed else curve


def utc_offset_quarters(zone: ZoneInfo, day: date) -> Integers:
    """Quarter hours by which local time is ahead, for each quarter hour of a UTC day."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    first, last = offset_quarters(zone, start), offset_quarters(zone, start + timedelta(days=1))
    if first == last:
        return np.full(QUARTERS_A_DAY, first, dtype=np.int64)
    moments = [start + timedelta(minutes=15 * number) for number in range(QUARTERS_A_DAY)]
    return np.array([offset_quarters(zone, moment) for moment in moments], dtype=np.int64)


def offset_quarters(zone: ZoneInfo, moment: datetime) -> int:
    """Quarter hours by which the zone's clock is ahead of UTC at a moment."""
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return round(offset / timedelta(minutes=15))


def energy_of_quarters(
    profile: LoadProfile, zone: ZoneInfo, first_day: int, days: int
) -> NDArray[np.float64]:
    """Share of a year's energy in each quarter hour of UTC days, shape (days, 96).

    first_day: days since 1970-01-01. The profile is read by local time, so a change of clock
    moves the curve and a local day has 92 or 100 quarter hours.
    """
    # One day more on either side: local time may fall on a neighbour of the UTC day.
    dates = [EPOCH + timedelta(days=first_day + number) for number in range(-1, days + 1)]
    curves = np.concatenate([day_curve(profile, day) for day in dates])
    quarters = np.arange(QUARTERS_A_DAY, QUARTERS_A_DAY * (days + 1))
    offsets = np.concatenate([utc_offset_quarters(zone, day) for day in dates[1:-1]])
    shares: Floats = curves[quarters + offsets] * QUARTER_HOURS / WATT_YEARS
    return shares.reshape(days, QUARTERS_A_DAY)
