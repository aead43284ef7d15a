"""When a battery is to be replaced."""

from __future__ import annotations

from datetime import date

import pytest

from explorer.battery import outlook

DAY = date(2026, 11, 21)


def test_the_date_is_where_the_straight_line_reaches_twenty_per_cent() -> None:
    # (30 - 20) / 0.5 = 20 days.
    assert outlook(30.0, -0.5, DAY).replace_on == date(2026, 12, 11)


def test_a_low_battery_is_to_be_replaced_now() -> None:
    assert outlook(19.9, 0.0, DAY).replace_on == DAY


@pytest.mark.parametrize(
    ("pct", "trend"),
    [(None, None), (50.0, None), (50.0, 0.0), (50.0, 0.2), (50.0, -0.001)],
    ids=["never-read", "no-trend", "level", "rising", "too-slow"],
)
def test_no_date_is_told_where_none_can_be(pct: float | None, trend: float | None) -> None:
    assert outlook(pct, trend, DAY).replace_on is None
