"""A partition of an Iceberg table as a predicate that Trino's optimize accepts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from stack.base.errors import FatalError

EPOCH = date(1970, 1, 1)
TIME_FIELD = re.compile(r"(.+)_(year|month|day|hour)")


def predicate(partition: Mapping[str, object], types: Mapping[str, str]) -> str:
    """The rows of one partition; 'true' for a table without partitions.

    partition: field -> value as the $files table shows it, fields named as Iceberg names them
    (reading_at_month). types: column -> Trino type. Raises FatalError for another kind of field.
    """
    parts = [field_predicate(name, value, types) for name, value in sorted(partition.items())]
    return " and ".join(parts) or "true"


def field_predicate(name: str, value: object, types: Mapping[str, str]) -> str:
    """The values that one partition field stands for."""
    match = TIME_FIELD.fullmatch(name)
    if match is None or match[1] not in types:
        raise FatalError(
            "a partition by year, month, day or hour of a column",
            f"field {name}",
            "teach stack/maintenance/partitions.py its predicate",
        )
    column, unit = match.groups()
    if value is None:
        return f"{column} is null"
    low, high = bounds(unit, value)
    kind = types[column]
    return f"{column} >= {literal(low, kind)} and {column} < {literal(high, kind)}"


def bounds(unit: str, value: object) -> tuple[datetime, datetime]:
    """The first moment of the span and the first after it, in UTC.

    value: years, months or hours since 1970; a day as ISO 8601 text.
    """
    if unit == "day":
        low = datetime.combine(date.fromisoformat(str(value)), datetime.min.time(), UTC)
        return low, low + timedelta(days=1)
    count = int(str(value))
    if unit == "hour":
        low = datetime.combine(EPOCH, datetime.min.time(), UTC) + timedelta(hours=count)
        return low, low + timedelta(hours=1)
    months = count * 12 if unit == "year" else count
    return first_of_month(months), first_of_month(months + (12 if unit == "year" else 1))


def first_of_month(months: int) -> datetime:
    """The first moment of a month, counted from January 1970."""
    return datetime(EPOCH.year + months // 12, months % 12 + 1, 1, tzinfo=UTC)


def literal(moment: datetime, kind: str) -> str:
    """A moment as a literal of a column's Trino type."""
    if kind == "date":
        return f"date '{moment:%Y-%m-%d}'"
    zone = " UTC" if kind.endswith("with time zone") else ""
    return f"timestamp '{moment:%Y-%m-%d %H:%M:%S}{zone}'"
