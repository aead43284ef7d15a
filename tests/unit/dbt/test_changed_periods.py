"""From when on models work readings out again after a change of dated master data."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.dbt.macros import macros

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)
MACROS = macros()


def changed_since(before: str | None, through: str, **found: Any) -> tuple[Any, list[str]]:
    """What the macro returns where PostgreSQL answers with `found`, and what it asked."""
    asked: list[str] = []

    def run_query(query: str) -> list[dict[str, Any]]:
        asked.append(" ".join(query.split()))
        return [found]

    relation = SimpleNamespace(create=lambda **names: names["identifier"])
    given = macros(run_query=run_query, api=SimpleNamespace(Relation=relation))
    return given["changed_since"](before, through), asked


def test_nothing_is_asked_where_nothing_changed() -> None:
    assert changed_since("7:a", "7:a") == (None, [])


def test_changes_reach_from_the_earliest_moment_on() -> None:
    changed, asked = changed_since("7:a", "9:b", known=1, from_at=MARCH)
    assert changed == {"after": "7", "through": "9", "from_at": MARCH}
    assert asked == [
        "select count_if(change_id = 7 and cast(token as varchar) = 'a') as known, "
        "greatest( min(from_at) filter (where change_id > 7), "
        "timestamp '1000-01-01 00:00:00.000000 UTC' ) as from_at "
        "from device_period_change where change_id between 7 and 9"
    ]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        (None, {}),
        ("7:a", {"known": 0, "from_at": MARCH}),
        ("9:a", {"known": 1, "from_at": None}),
    ],
    ids=["a table that does not say", "another history", "a shorter log"],
)
def test_all_is_due_where_the_log_does_not_go_on_from_there(
    before: str | None, found: dict[str, Any]
) -> None:
    changed, _ = changed_since(before, "8:b", **found)
    assert changed is False


def moments(first: int, last: int) -> list[datetime]:
    return [datetime(2026, 2, first, tzinfo=UTC), datetime(2026, 2, last, tzinfo=UTC)]


def test_spans_before_a_change_stay_and_one_goes_on_from_it() -> None:
    changed = {"changed": {"from_at": datetime(2026, 2, 10, tzinfo=UTC)}}
    ranges = [moments(1, 2), moments(8, 12), moments(20, 21)]
    assert MACROS["with_changed"](changed, ranges, "reading_at") == [
        moments(1, 2),
        moments(8, 10),
        [datetime(2026, 2, 10, tzinfo=UTC), END],
    ]


def test_days_go_on_from_two_before_a_change() -> None:
    """A zone is at most 14 hours from UTC: what was of a day is of the one before or after it."""
    days = [[date(2026, 2, 1), date(2026, 2, 1)]]
    assert MACROS["with_changed"]({"changed": {"from_at": MARCH}}, days, "reading_date") == [
        days[0],
        [date(2026, 2, 27), date(9999, 1, 1)],
    ]


@pytest.mark.parametrize("window", [{}, {"changed": None}], ids=["a unit test", "no change"])
def test_spans_are_the_same_without_a_change(window: dict[str, Any]) -> None:
    assert MACROS["with_changed"](window, [moments(1, 2)], "reading_at") == [moments(1, 2)]


def test_everything_is_everything_with_a_change() -> None:
    assert MACROS["with_changed"]({"changed": {"from_at": MARCH}}, None, "reading_at") is None
