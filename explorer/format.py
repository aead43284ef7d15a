"""Numbers with units and times with zones, as the reader's locale writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal

NOTHING = "\u2013"
DEFAULT_LOCALE = Locale("en", "GB")
MEGA_FROM_KWH = 100_000
# Characters that Markdown, or Streamlit's own signs in it, give a meaning to.
SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&\"'^=@/])")
# What Streamlit makes arrows, dashes and icons of once Markdown has been read. A word joiner, which
# shows as nothing, keeps it from that.
REPLACED = re.compile(r"(?<!\S)[<>~-](?=[-=>]{1,2}(?!\S))|:(?=material_|streamlit:)")
JOINER = "\u2060"
WORDS = {"HEALTHY": "Healthy", "DEGRADED": "Degraded", "UNHEALTHY": "Unhealthy"}
WORDS |= {"NORMAL": "Normal", "MONITOR": "Monitor", "ACTION_REQUIRED": "Action required"}
UNKNOWN = "Not assessed"


def locale_of(tag: str | None) -> Locale:
    """A browser's language tag as a locale; British English where it is unknown."""
    try:
        return Locale.parse(tag or "", sep="-")
    except (ValueError, UnknownLocaleError, TypeError):
        return DEFAULT_LOCALE


def plain(text: object) -> str:
    """Text for a place that reads Markdown: everything in it shows as it is written."""
    line = REPLACED.sub(rf"\g<0>{JOINER}", " ".join(str(text).split()))
    return SPECIAL.sub(r"\\\1", line)


def status_word(status: Any) -> str:
    """A status as people say it."""
    return WORDS.get(status, UNKNOWN) if isinstance(status, str) else UNKNOWN


@dataclass(frozen=True)
class Writer:
    """Writes values for one reader. zone: whose clock the times are told by."""

    locale: Locale
    zone: ZoneInfo

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with so many decimals."""
        if value is None:
            return NOTHING
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, pattern, locale=self.locale)

    def exact(self, value: float) -> str:
        """A number with the decimals that it has, six at most."""
        return format_decimal(value, "#,##0.######", locale=self.locale)

    def unit(self, value: float | None, unit: str, digits: int = 0) -> str:
        """A number and its unit, kept on one line."""
        return NOTHING if value is None else f"{self.number(value, digits)}\u00a0{unit}"

    def energy(self, kwh: float | None) -> str:
        """Energy in kWh, in MWh where it is a lot."""
        if kwh is not None and abs(kwh) >= MEGA_FROM_KWH:
            return self.unit(kwh / 1000, "MWh", 1)
        return self.unit(kwh, "kWh", 1)

    def change(self, now: float | None, before: float | None) -> str | None:
        """How much more or less than before, in per cent with sign; None if it cannot be said."""
        if now is None or not before:
            return None
        share = 100 * (now - before) / before
        return f"{'+' if share >= 0 else '-'}{self.number(abs(share), 1)}\u00a0%"

    def day(self, value: date | datetime | None) -> str:
        """A day."""
        return NOTHING if value is None else format_date(value, "medium", locale=self.locale)

    def month(self, value: date) -> str:
        """A month of a year."""
        return format_date(value, "MMMM y", locale=self.locale)

    def clock(self, value: datetime | None) -> str:
        """A time of day by the zone's clock, the zone named."""
        if value is None:
            return NOTHING
        local = value.astimezone(self.zone)
        return f"{format_time(local, 'short', locale=self.locale)}\u00a0{local.tzname()}"

    def moment(self, value: datetime | None) -> str:
        """A time by the zone's clock, the zone named."""
        if value is None:
            return NOTHING
        local = value.astimezone(self.zone)
        text = format_datetime(local, "medium", locale=self.locale)
        return f"{text}\u00a0{local.tzname()}"


def span(seconds: float) -> str:
    """A length of time in its largest unit."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (size == 60 and seconds >= 90):
            return f"{seconds / size:.0f}\u00a0{name}"
    return f"{max(0.0, seconds):.0f}\u00a0s"
