"""What maintenance tells people and keeps."""

from __future__ import annotations

from datetime import UTC, datetime

from stack.maintenance.record import lines, row
from stack.maintenance.tables import Table, TableState
from stack.maintenance.work import Done

BEFORE = TableState(12, 3, 9_000, 14, 100, 20, 1)
AFTER = TableState(1, 0, 4_000, 1, 100, 2, 1)
DONE = Done(Table("marts", "m"), BEFORE, AFTER, ("compact", "compact", "expire", "orphans"), 1.25)


def test_each_figure_is_told_before_and_after() -> None:
    idle = Done(Table("staging", "quiet"), AFTER, AFTER, ("orphans",), 0.5)
    assert lines([DONE, idle]) == [
        "table          files   deletes  bytes        manifests  snapshots  seconds  done",
        "marts.m        12 > 1  3 > 0    9000 > 4000  14 > 1     20 > 2     1.2      "
        "compact x 2, expire, orphans",
        "staging.quiet  1       0        4000         1          2          0.5      orphans",
    ]


def test_a_row_holds_the_error_in_quotes_that_cannot_be_left() -> None:
    failed = Done(Table("marts", "m"), BEFORE, BEFORE, (), 2.0, "it's full", is_whole=False)
    assert row(failed, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == (
        "(timestamp '2026-01-02 03:04:05.000000 UTC', 'marts', 'm', '', 'it''s full', "
        "2.000e0, 12, 12, 3, 3, 9000, 9000, 14, 14, 20, 20)"
    )


def test_only_what_changed_a_table_counts_as_a_change() -> None:
    assert DONE.is_changed
    assert not Done(Table("marts", "m"), AFTER, AFTER, ("orphans",)).is_changed
