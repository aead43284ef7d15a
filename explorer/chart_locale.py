"""How charts write numbers and days: as the reader's language does."""

from __future__ import annotations

from typing import Any

from babel import Locale

# Babel's week begins with Monday, D3's with Sunday.
WEEK = (6, 0, 1, 2, 3, 4, 5)


def chart_locale(locale: Locale) -> dict[str, Any]:
    """A language as Vega's configuration wants it: D3's definitions of numbers and times."""
    return {"number": number_locale(locale), "time": time_locale(locale)}


def number_locale(locale: Locale) -> dict[str, Any]:
    """Signs between digits."""
    signs = locale.number_symbols[locale.default_numbering_system]
    return {
        "decimal": signs["decimal"],
        "thousands": signs["group"],
        "grouping": [3],
        "currency": ["", ""],
    }


def time_locale(locale: Locale) -> dict[str, Any]:
    """Names of days and months."""
    days, months = locale.days["format"], locale.months["format"]
    return {
        "dateTime": "%d %b %Y %H:%M:%S",
        "date": "%d %b %Y",
        "time": "%H:%M:%S",
        "periods": ["AM", "PM"],
        "days": [days["wide"][day] for day in WEEK],
        "shortDays": [days["abbreviated"][day] for day in WEEK],
        "months": [months["wide"][month] for month in range(1, 13)],
        "shortMonths": [months["abbreviated"][month] for month in range(1, 13)],
    }
