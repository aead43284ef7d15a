"""What the overview takes from the days of the fleet."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd

from explorer.overview import energy_of, newest_of

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAYS = pd.DataFrame(
    {
        "reading_date": pd.to_datetime(["2026-11-20", "2026-11-21"]),
        "energy_kwh": pd.Series([48.5, 12.25], dtype="Float64"),
        "newest_reading_at": pd.to_datetime(["2026-11-21T12:00Z", "2026-11-21T09:00Z"], utc=True),
    }
)


def test_energy_is_that_of_the_day() -> None:
    assert energy_of(DAYS, date(2026, 11, 21)) == 12.25


def test_a_day_without_readings_has_no_energy() -> None:
    assert energy_of(DAYS, date(2026, 11, 22)) is None


def test_the_newest_reading_may_be_of_another_day() -> None:
    assert newest_of(DAYS) == NOON


def test_nothing_is_known_without_an_answer() -> None:
    assert energy_of(None, date(2026, 11, 21)) is None
    assert newest_of(DAYS.iloc[:0]) is None
