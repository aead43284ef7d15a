"""A partition's predicate covers exactly its rows, in the column's own type."""

from __future__ import annotations

import pytest

from stack.base.errors import FatalError
from stack.maintenance.partitions import predicate
from stack.maintenance.tables import TableState, due

ZONED = "timestamp(6) with time zone"
TYPES = {"landed_at": ZONED, "reading_at": ZONED, "reading_date": "date", "seen_at": "timestamp(6)"}


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        ({}, "true"),
        (
            {"landed_at_day": "2026-02-28"},
            "landed_at >= timestamp '2026-02-28 00:00:00 UTC' "
            "and landed_at < timestamp '2026-03-01 00:00:00 UTC'",
        ),
        # 672 months after January 1970 is January 2026.
        (
            {"reading_date_month": 683},
            "reading_date >= date '2026-12-01' and reading_date < date '2027-01-01'",
        ),
        (
            {"reading_date_year": 56},
            "reading_date >= date '2026-01-01' and reading_date < date '2027-01-01'",
        ),
        (
            {"seen_at_hour": 25},
            "seen_at >= timestamp '1970-01-02 01:00:00' "
            "and seen_at < timestamp '1970-01-02 02:00:00'",
        ),
        ({"reading_at_month": None}, "reading_at is null"),
        # Before 1970 months count backwards.
        (
            {"reading_date_month": -1},
            "reading_date >= date '1969-12-01' and reading_date < date '1970-01-01'",
        ),
    ],
    ids=["none", "day", "month", "year", "hour", "null", "before 1970"],
)
def test_predicate(partition: dict[str, object], expected: str) -> None:
    assert predicate(partition, TYPES) == expected


def test_two_fields_narrow_each_other() -> None:
    found = predicate({"reading_date_month": 672, "landed_at_day": None}, TYPES)
    assert found == "landed_at is null and reading_date >= date '2026-01-01' " + (
        "and reading_date < date '2026-02-01'"
    )


def test_a_partition_of_another_kind_is_named() -> None:
    with pytest.raises(FatalError, match="device_id_bucket"):
        predicate({"device_id_bucket": 3}, {"device_id": "varchar"})


def test_only_partitions_with_enough_small_or_delete_files_are_due() -> None:
    rows: list[list[object]] = [
        ['{"reading_date_month": 672}', 5, 0],
        ['{"reading_date_month": 673}', 4, 4],
        ['{"reading_date_month": 674}', 1, 5],
    ]
    found = due(rows, TYPES, min_files=5)
    assert [where[:31] for where in found] == [
        "reading_date >= date '2026-01-0",
        "reading_date >= date '2026-03-0",
    ]


@pytest.mark.parametrize(
    ("manifests", "megabytes", "partitions", "expected"),
    [
        (11, 1, 1, False),
        (12, 1, 1, True),
        (20, 80, 1, False),
        (21, 80, 1, True),
        (375, 1, 365, False),
    ],
)
def test_small_manifests_are_those_beyond_what_partitions_and_bytes_need(
    manifests: int, megabytes: int, partitions: int, expected: bool
) -> None:
    found = TableState(1, 0, 1, manifests, megabytes * 2**20, 1, partitions)
    assert found.has_small_manifests is expected
