"""Every offset from 0 to the watermark once, counted from what is new, and all where that fails."""

from __future__ import annotations

from typing import Any

import pytest

from stack.books.evidence import LandedBatch
from stack.books.landing import Landing, account
from tests.unit.reconciliation.evidence import (
    AT,
    TOPIC_ID,
    FakeTables,
    Row,
    landing_head,
    loss,
    rows,
)

TABLE = "landing.t"
ONE, TWO = LandedBatch(1, AT), LandedBatch(2, AT)


def found(landing: Landing) -> list[str]:
    return [difference.found for difference in landing.differences]


def counted(content: list[Row], offsets: dict[int, int], **head: Any) -> Landing:
    """The first account of a table."""
    tables = FakeTables({TABLE: content})
    return account(TABLE, landing_head(len(content), offsets, **head), ONE, None, tables)


def test_a_whole_table_has_no_difference() -> None:
    landing = counted([*rows(0, range(3)), *rows(1, range(2))], {0: 3, 1: 2, 2: 0})
    assert landing.rows == 5
    assert landing.ends == {TOPIC_ID: {0: 3, 1: 2}}
    assert landing.differences == ()


@pytest.mark.parametrize(
    ("offsets", "watermark", "expected"),
    [
        ([0, 2], 3, ["1 missing"]),
        ([1, 2], 3, ["1 missing"]),
        ([0, 1, 1, 2], 3, ["1 duplicated"]),
        ([0, 1], 3, ["rows up to 1"]),
        ([0, 1, 2, 3], 3, ["rows up to 3"]),
        ([0, 0, 2], 3, ["1 missing", "1 duplicated"]),
    ],
    ids=["hole", "no beginning", "double", "no end", "beyond the end", "hole and double"],
)
def test_what_is_not_whole_is_told(offsets: list[int], watermark: int, expected: list[str]) -> None:
    assert found(counted(rows(0, offsets), {0: watermark})) == expected


@pytest.mark.parametrize("topic_id", [TOPIC_ID, None])
def test_an_accepted_loss_explains_its_gap_and_is_counted(topic_id: str | None) -> None:
    lost = [loss(2, 4, is_accepted=True, topic_id=topic_id)]
    landing = counted(rows(0, [0, 1, 5]), {0: 6}, lost=lost)
    assert found(landing) == []
    assert landing.lost == 3


@pytest.mark.parametrize(("is_accepted", "differences"), [(True, 0), (False, 2)])
def test_a_truncated_topic_goes_on_before_its_rows_end_once_accepted(
    is_accepted: bool, differences: int
) -> None:
    lost = [loss(3, None, is_accepted=is_accepted, reason="topic truncated")]
    landing = counted(rows(0, range(3)), {0: 1}, lost=lost)
    assert len(landing.differences) == differences


def test_a_loss_of_an_older_topic_explains_nothing() -> None:
    lost = [loss(2, 4, is_accepted=True, topic_id="older")]
    landing = counted(rows(0, [0, 1, 5]), {0: 6}, lost=lost)
    assert found(landing) == ["3 missing"]


def test_a_loss_explains_no_more_than_itself() -> None:
    landing = counted(rows(0, [0, 1, 6]), {0: 7}, lost=[loss(2, 4, is_accepted=True)])
    assert found(landing) == ["1 missing"]


def test_a_loss_that_nobody_accepted_is_told() -> None:
    landing = counted(rows(0, [0, 1]), {0: 2}, lost=[loss(2, 4, is_accepted=False)])
    (text,) = found(landing)
    assert "partition 0, offsets 2 to 4: retention" in text


def test_an_empty_table_on_a_topic_without_its_beginning_is_whole() -> None:
    landing = counted([], {0: 5}, lost=[loss(0, 4, is_accepted=True)])
    assert found(landing) == []


def test_the_next_account_counts_what_is_new_only() -> None:
    first = counted(rows(0, range(3)), {0: 3})
    tables = FakeTables({TABLE: [*rows(0, range(3)), *rows(0, range(3, 5), batch=2)]})
    second = account(TABLE, landing_head(5, {0: 5}, batch=2), TWO, first, tables)
    assert (second.rows, second.ends) == (5, {TOPIC_ID: {0: 5}})
    assert tables.asked == [(TABLE, 1)]
    assert second.differences == ()


def test_rows_behind_the_models_are_checked_but_not_counted_yet() -> None:
    first = counted(rows(0, range(3)), {0: 3})
    tables = FakeTables({TABLE: [*rows(0, range(3)), *rows(0, [3, 5], batch=2)]})
    second = account(TABLE, landing_head(5, {0: 6}, batch=2), ONE, first, tables)
    assert (second.rows, second.later, second.ends) == (3, 2, {TOPIC_ID: {0: 3}})
    assert found(second) == ["1 missing"]


def test_a_table_without_anything_new_is_not_asked() -> None:
    first = counted(rows(0, range(3)), {0: 3})
    tables = FakeTables({TABLE: rows(0, range(3))})
    assert account(TABLE, landing_head(3, {0: 3}), ONE, first, tables).differences == ()
    assert tables.asked == []


def test_a_number_of_rows_that_is_not_as_it_was_has_all_counted_again() -> None:
    first = counted(rows(0, range(3)), {0: 3})
    tables = FakeTables({TABLE: rows(0, [0, 2])})
    second = account(TABLE, landing_head(2, {0: 3}), ONE, first, tables)
    assert tables.asked == [(TABLE, 1), (TABLE, 0)]
    assert found(second) == ["1 missing"]


def test_a_hole_stays_told_until_all_is_counted_again() -> None:
    first = counted(rows(0, [0, 2]), {0: 3})
    later = FakeTables({TABLE: [*rows(0, [0, 2]), *rows(0, [3], batch=2)]})
    second = account(TABLE, landing_head(3, {0: 4}, batch=2), TWO, first, later)
    assert found(second) == ["1 missing"]
    whole = FakeTables({TABLE: [*rows(0, range(3)), *rows(0, [3], batch=2)]})
    assert found(account(TABLE, landing_head(4, {0: 4}, batch=2), TWO, second, whole)) == []


def test_offsets_that_land_again_are_told() -> None:
    first = counted(rows(0, range(3)), {0: 3})
    tables = FakeTables({TABLE: [*rows(0, range(3)), *rows(0, [1, 2, 3], batch=2)]})
    second = account(TABLE, landing_head(6, {0: 4}, batch=2), TWO, first, tables)
    assert found(second) == ["offsets from 1 on landed again"]


def test_a_new_topic_of_the_same_name_begins_afresh() -> None:
    old = [Row(0, offset, topic_id="topic-0") for offset in range(9)]
    landing = counted([*old, *rows(0, range(2))], {0: 2})
    assert landing.differences == ()
    assert landing.rows == 11


def test_offsets_that_hold_no_message_are_no_hole() -> None:
    content = [Row(0, 1, skipped=1), Row(0, 2), Row(0, 5, skipped=2)]

    assert found(counted(content, {0: 8}, skipped={0: 2})) == []
    assert found(counted(content, {0: 8}, skipped={0: 1})) == ["rows up to 5"]


@pytest.mark.parametrize(
    ("gone", "expected"), [(1, ["1 missing"]), (2, ["1 missing"]), (5, ["rows up to 2"])]
)
def test_a_row_that_went_is_missed_beside_offsets_without_a_message(
    gone: int, expected: list[str]
) -> None:
    content = [Row(0, 1), Row(0, 2), Row(0, 5, skipped=2)]
    lost = [loss(0, 0, is_accepted=True)]
    assert found(counted(content, {0: 6}, lost=lost)) == []

    left = [row for row in content if row.offset != gone]

    assert found(counted(left, {0: 6}, lost=lost)) == expected


def test_an_increment_goes_on_behind_offsets_without_a_message() -> None:
    content = [Row(0, 0), Row(0, 3, batch=2, skipped=2)]
    tables = FakeTables({TABLE: content[:1]})
    first = account(TABLE, landing_head(1, {0: 2}, skipped={0: 1}), ONE, None, tables)
    tables = FakeTables({TABLE: content})

    head = landing_head(2, {0: 4}, batch=2)
    second = account(TABLE, head, TWO, first, tables)

    assert (found(first), found(second)) == ([], [])
    assert tables.asked == [(TABLE, 1)]
    assert found(account(TABLE, landing_head(2, {0: 5}, batch=2), TWO, first, tables)) != []
