"""Scores as people and as the table of scores read them."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, datetime

from stack.scorecard.by_hand import kind_lines, lines
from stack.scorecard.score import KindScore, Score
from stack.scorecard.table import COLUMNS, row

NOW = datetime(2026, 12, 1, 4, 5, 6, tzinfo=UTC)
R04 = Score(
    detector="R04",
    severity="hard",
    unit="readings",
    hits=30,
    tp=29,
    fp=1,
    fn=1,
    unseen=0,
    precision=29 / 30,
    recall=29 / 30,
    false_alarms=1000 / 56,
    wape=None,
    bias=None,
    difference_kwh=None,
    meter_days=56.0,
    is_kept=False,
)
SILENT = replace(
    R04,
    detector="R15",
    hits=0,
    tp=0,
    fp=0,
    fn=0,
    precision=None,
    recall=None,
    false_alarms=0.0,
    is_kept=True,
)
SUMS = replace(
    SILENT,
    detector="CONSERVATION",
    unit="spans",
    hits=41,
    tp=41,
    fn=None,
    unseen=None,
    wape=0.0,
    bias=0.0,
    difference_kwh=0.0,
)


def test_the_lines_say_what_was_found_and_which_promise_is_broken() -> None:
    assert [re.sub(" +", " ", line) for line in lines([R04, SILENT, SUMS])] == [
        " detector severity hits found recall false alarms a 1,000 days",
        "✗ R04 hard 30 29 of 30 readings 96.7 % 1 17.86",
        "✓ CONSERVATION: 41 of 41 spans as they should be, 0.000000 kWh apart, WAPE 0.000 %",
        "nothing to find, and no hit: R15",
        "✗ not as promised: R04 in 56.0 meter-days; rows in iceberg.ops.metering_scorecard",
    ]


def test_the_lines_end_well_where_each_promise_holds() -> None:
    assert lines([SILENT])[-1].startswith("✓ each promise holds in 56.0 meter-days")


def test_what_a_rule_may_find_and_did_not_is_told() -> None:
    line = lines([replace(SILENT, unseen=53)])[1]
    assert re.sub(" +", " ", line) == "✓ R15 hard 0 53 readings unseen - 0 0.00"


def test_each_kind_of_fault_says_who_saw_it() -> None:
    kinds = [KindScore("duplicate", 1200, 1199, "R01"), KindScore("late", 3, 0, "")]
    assert kind_lines(kinds) == ["duplicate: 1,200, seen 1,199 (R01)", "late: 3, seen 0"]


def test_a_row_has_a_literal_for_each_column() -> None:
    assert list(COLUMNS)[2:] == [each.name for each in fields(Score)]
    assert row(SUMS, NOW) == (
        "('2026-12-01T04:05:06Z', "
        "from_iso8601_timestamp_nanos('2026-12-01T04:05:06.000000+00:00'), "
        "'CONSERVATION', 'hard', 'spans', cast(41 as bigint), cast(41 as bigint), "
        "cast(0 as bigint), cast(null as bigint), cast(null as bigint), cast(null as double), "
        "cast(null as double), cast(0.0 as double), cast(0.0 as double), cast(0.0 as double), "
        "cast(0.0 as double), cast(56.0 as double), cast(true as boolean))"
    )
