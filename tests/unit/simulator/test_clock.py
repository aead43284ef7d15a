"""Durations, moments and grids, by hand."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest

from simulator.clock import by_days, interval_ends, live_ends, parse_duration, parse_moment
from stack.base.errors import ConfigurationError

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("2", 2000), ("0.5", 500), ("500ms", 500), ("30m", 1_800_000), ("1h", HOUR), ("7d", 7 * DAY)],
)
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("text", ["", "0", "-2", "x", "2 weeks", "1e3"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="duration above zero"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-02", DAY),
        ("1970-01-01T01:00:00Z", HOUR),
        ("1970-01-01T01:00", HOUR),
        ("1970-01-01T02:00:00+01:00", HOUR),
        ("now", 10 * DAY),
        ("now-7d", 3 * DAY),
    ],
)
def test_moments(text: str, milliseconds: int) -> None:
    assert parse_moment(text, now_ms=10 * DAY) == milliseconds


def test_another_moment_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="yesterday"):
        parse_moment("yesterday", 0)


def test_interval_ends_lie_on_the_grid_and_in_the_span() -> None:
    ends = interval_ends(10 * 60_000, 160 * 60_000, 30 * 60_000)
    assert (ends // 60_000).tolist() == [30, 60, 90, 120, 150]


def test_spans_in_a_row_share_no_interval_and_leave_none_out() -> None:
    bounds = [0, 47 * 60_000, 90 * 60_000, 6 * HOUR + 1]
    parts = [interval_ends(a, b, 30 * 60_000).tolist() for a, b in pairwise(bounds)]
    whole = interval_ends(bounds[0], bounds[-1], 30 * 60_000).tolist()
    assert [end for part in parts for end in part] == whole


def test_a_span_without_an_interval_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least one interval ends"):
        interval_ends(0, 29 * 60_000, 30 * 60_000)


def test_chunks_hold_whole_days_and_everything_once() -> None:
    ends = interval_ends(5 * HOUR, 4 * DAY, 6 * HOUR)
    chunks = list(by_days(ends, 2))
    assert [(chunk // HOUR).tolist() for chunk in chunks] == [
        [6, 12, 18, 24, 30, 36, 42],
        [48, 54, 60, 66, 72, 78, 84, 90],
        [96],
    ]


def test_live_ends_start_at_the_full_second() -> None:
    assert list(islice(live_ends(12_345, 500), 3)) == [12_000, 12_500, 13_000]
