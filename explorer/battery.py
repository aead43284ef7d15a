"""When a meter's battery has to be replaced, from its charge and how fast it falls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

# The limit under which device_health_status calls a battery low (battery_low_pct of dbt).
LOW_PCT = 20.0
# A straight line says nothing about years ahead.
LONGEST_DAYS = 3650


@dataclass(frozen=True)
class Outlook:
    """What to expect. replace_on: the day the charge reaches LOW_PCT; None if it does not."""

    text: str
    replace_on: date | None = None


def outlook(pct: float | None, trend_pct_per_day: float | None, day: date) -> Outlook:
    """The charge drawn on in a straight line from a day on.

    trend_pct_per_day: slope of the last seven days, negative where the charge falls.
    """
    if pct is None:
        return Outlook("no reading of the charge yet")
    if pct < LOW_PCT:
        return Outlook(f"low: under {LOW_PCT:.0f} %, replace it now", day)
    if trend_pct_per_day is None:
        return Outlook("too few days for a trend")
    if trend_pct_per_day >= 0:
        return Outlook("not falling in the last 7 days")
    days = (pct - LOW_PCT) / -trend_pct_per_day
    if days > LONGEST_DAYS:
        return Outlook("falls so slowly that no date can be told")
    return Outlook(f"reaches {LOW_PCT:.0f} % in {days:.0f} days", day + timedelta(days=int(days)))
