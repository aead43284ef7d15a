"""Which days a load touches, as models record and read them."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from stack.base.root import PROJECT_ROOT
from tests.unit.dbt.macros import macros

MACROS = macros()
NOVEMBER = [
    [datetime(2026, 11, 3, 1, tzinfo=UTC), datetime(2026, 11, 3, 23, tzinfo=UTC)],
    [datetime(2026, 11, 5, 0, tzinfo=UTC), datetime(2026, 11, 5, 12, tzinfo=UTC)],
    [datetime(2026, 11, 20, 8, tzinfo=UTC), datetime(2026, 11, 20, 9, tzinfo=UTC)],
]
READINGS = SimpleNamespace(schema="intermediate", identifier="int_meter_readings")


@pytest.mark.parametrize(("longest_s", "first"), [(0, 19), (1800, 19), (86_400, 18), (864_000, 9)])
def test_touched_days_hold_the_local_day_on_which_a_reading_starts(
    longest_s: int, first: int
) -> None:
    # Baker Island is 12 hours after UTC, Kiritimati 14 before it.
    morning = NOVEMBER[2:]
    assert MACROS["touched_days"](morning, longest_s) == [
        [date(2026, 11, first), date(2026, 11, 20)]
    ]


def test_touched_days_hold_the_day_before_a_midnight_of_every_zone() -> None:
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert MACROS["touched_days"]([[noon, noon]]) == [[date(2026, 11, 2), date(2026, 11, 4)]]


def test_touched_days_that_meet_are_one_span() -> None:
    assert MACROS["touched_days"](NOVEMBER) == [
        [date(2026, 11, 2), date(2026, 11, 6)],
        [date(2026, 11, 19), date(2026, 11, 20)],
    ]


def test_touched_days_of_days_are_the_same_days() -> None:
    days = [[date(2026, 11, 2), date(2026, 11, 3)], [date(2026, 11, 7), date(2026, 11, 7)]]
    assert MACROS["touched_days"](days) == days


DAYS = [[date(2026, 11, 2), date(2026, 11, 6)]]


def told(after: int, recorded: str | None) -> dict[str, Any]:
    touched = {"after": 5, "days": [["2026-11-02", "2026-11-06"]]}
    touched |= {"column": recorded} if recorded else {}
    return {
        "found": {"intermediate.int_meter_readings": {"touched": touched}},
        "after": {"intermediate.int_meter_readings": {"load_id": after}},
    }


@pytest.mark.parametrize(
    ("column", "after", "recorded", "expected"),
    [
        ("reading_date", 5, "reading_date", DAYS),
        ("billing_date", 5, "billing_date", DAYS),
        ("reading_date", 4, "reading_date", None),
        ("reading_at", 5, "reading_at", None),
        ("billing_date", 5, "reading_date", None),
        ("reading_date", 5, "reading_at", None),
        ("reading_date", 5, "billing_date", None),
        ("reading_date", 5, None, None),
    ],
    ids=[
        "its days",
        "days of any name",
        "more than that load",
        "no column of days",
        "days of another column",
        "other moments",
        "other days",
        "a table that does not say",
    ],
)
def test_days_are_taken_from_the_upstream_for_its_last_load_alone(
    column: str, after: int, recorded: str | None, expected: Any
) -> None:
    assert MACROS["told_ranges"](READINGS, column, told(after, recorded)) == expected


def test_touched_days_are_recorded_with_their_column() -> None:
    window = {"rebuild": False, "is_empty": False, "progress": {}, "previous": {"load_id": 5}}
    note = MACROS["run_note"](window, "reading_date", DAYS)
    touched = json.loads(note.partition("-- meterhouse.run ")[2])["progress"]["touched"]
    assert touched == {
        "after": 5,
        "column": "reading_date",
        "days": [["2026-11-02", "2026-11-06"]],
    }


@pytest.mark.parametrize(
    ("longest_s", "days"),
    [(1800, [["2026-11-19", "2026-11-20"]]), (86_400, [["2026-11-18", "2026-11-20"]])],
)
def test_the_days_of_moments_are_recorded_by_their_name(
    longest_s: int, days: list[list[str]]
) -> None:
    touched = noted(longest_s)["touched"]
    assert touched == {"after": 5, "column": "reading_date", "days": days}


def test_days_are_not_recorded_where_a_reading_was_longer_than_a_day() -> None:
    """Its spans would hold too much, and the next model asks which days it is."""
    assert "touched" not in noted(86_401)


def noted(longest_s: int) -> dict[str, Any]:
    """The progress that a model records whose longest reading is this one."""
    progress = {"longest_s": longest_s}
    window = {"rebuild": False, "progress": progress, "is_empty": False, "previous": {"load_id": 5}}
    note = MACROS["run_note"](window, "reading_at", NOVEMBER[2:], day_column="reading_date")
    return dict(json.loads(note.partition("-- meterhouse.run ")[2])["progress"])


@pytest.mark.parametrize(
    ("before", "found", "expected"),
    [({}, [], 3600), ({}, [None, 60], 3600), ({"longest_s": 7200}, [1800], 7200), ({}, [1e6], 1e6)],
    ids=["nothing", "short ones", "the one before", "a longer one"],
)
def test_the_longest_reading_there_was_is_kept(
    before: dict[str, int], found: list[float | None], expected: float
) -> None:
    window = {"previous": before, "progress": {}}
    MACROS["note_longest"](window, [{"longest_s": length} for length in found])
    assert window["progress"] == {"longest_s": expected}


def test_no_meter_has_an_interval_longer_than_the_one_that_is_assumed() -> None:
    text = (PROJECT_ROOT / "postgres-init/30_master_data.sql").read_text("utf-8")
    (allowed,) = re.findall(r"interval_minutes in \(([0-9, ]+)\)", text)
    window: dict[str, Any] = {"progress": {}}
    MACROS["note_longest"](window, [])
    assert max(map(int, allowed.split(","))) * 60 == window["progress"]["longest_s"]


@pytest.mark.parametrize(("told_after", "expected"), [(5, DAYS), (4, None)])
def test_a_whole_is_worked_out_on_the_days_told_or_on_all(told_after: int, expected: Any) -> None:
    """A row that is gone from the upstream cannot be asked for its day."""
    window = told(told_after, "reading_date") | {"rebuild": False, "is_empty": False}
    assert MACROS["whole_ranges"](READINGS, "reading_date", window) == expected
    assert window["is_whole"] is True


@pytest.mark.parametrize(
    ("told_after", "expected"),
    [
        (5, DAYS),
        (4, [[date(2026, 11, 2), date(2026, 11, 3)], [date(2026, 11, 20), date(2026, 11, 20)]]),
    ],
    ids=["told", "asked"],
)
def test_register_days_end_the_moment_before_a_midnight(told_after: int, expected: Any) -> None:
    midnight, noon = (datetime(2026, 11, 3, hour, tzinfo=UTC) for hour in (0, 12))
    evening = datetime(2026, 11, 21, tzinfo=UTC)
    days = [
        {"touched_day": midnight, "low": midnight, "high": noon},
        {"touched_day": evening, "low": evening, "high": evening},
    ]
    given = macros(run_query=lambda query: days, in_window=lambda window, relation: "load_id > 5")
    window = told(told_after, "reading_date") | {"rebuild": False, "is_empty": False}
    assert given["ended_days"](READINGS, window) == expected


def test_a_rebuild_and_a_window_without_rows_ask_for_no_register_days() -> None:
    assert MACROS["ended_days"](READINGS, {"rebuild": True, "is_unbounded": True}) is None
    assert MACROS["ended_days"](READINGS, {"rebuild": False, "is_empty": True}) == []


def test_readings_of_a_day_end_after_its_midnight_up_to_the_next() -> None:
    assert MACROS["ends_of_days"](None) is None
    assert MACROS["ends_of_days"]([[date(2026, 11, 30), date(2026, 12, 1)]]) == [
        [
            datetime(2026, 11, 30, 0, 0, 0, 1, tzinfo=UTC),
            datetime(2026, 12, 2, tzinfo=UTC),
        ]
    ]
