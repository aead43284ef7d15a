"""Count spans between register reads: which agree with the readings, and what others lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stack.clients.trino import Trino

BALANCE_SQL = "select status, cause, span_count, difference_kwh from iceberg.{view}"


@dataclass(frozen=True)
class Registers:
    """What the registers say. spans: by status; difference_kwh: beyond the tolerance, by cause."""

    spans: Mapping[str, int] = field(default_factory=dict)
    difference_kwh: Mapping[str, float] = field(default_factory=dict)


def count(trino: Trino, views: Collection[str]) -> Registers:
    """What views of statuses and causes say, as schema.view. Raises RetriableError."""
    return added_up(row for view in views for row in trino.rows(BALANCE_SQL.format(view=view)))


def added_up(rows: Iterable[Sequence[Any]]) -> Registers:
    """Spans by status and differences by cause. rows: status, cause, spans and kWh."""
    spans: Counter[str] = Counter()
    kwh: dict[str, float] = {}
    for status, cause, number, difference in rows:
        spans[status] += number
        if cause is not None:
            kwh[cause] = round(kwh.get(cause, 0.0) + difference, 6)
    return Registers(dict(spans), kwh)
