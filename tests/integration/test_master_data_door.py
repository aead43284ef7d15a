"""device_master, the simple door of dated master data: what is written there holds from now on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from stack.base.settings import Settings
from tests.integration.scratch_master_data import (
    AGREEMENT,
    BEGIN,
    POINT,
    MasterData,
    scratch_master_data,
)

pytestmark = pytest.mark.same_in_both_modes


@pytest.fixture
def data(settings: Settings) -> Iterator[MasterData]:
    with scratch_master_data(settings, "scratch_door") as found:
        yield found


def test_a_new_meter_has_one_open_row_in_each_table(data: MasterData) -> None:
    data.add_meter("M", meter_multiplier=40, register_digits=5, interval_minutes=15)
    assert data.periods("M", "from_at", "to_at", "service_point_id", "customer_id") == [
        (BEGIN, None, "M", "A")
    ]
    facts = "transformer_id, time_zone, meter_multiplier, register_modulus_kwh, interval_minutes"
    assert data.periods("M", *facts.split(", ")) == [("TRF-1", "UTC", 40, 100000, 15)]
    assert data.rows("select start_date, end_date, tariff_code from agreement") == [
        (date(2026, 1, 1), None, "T-1")
    ]
    assert data.changes() == []


def test_a_new_customer_has_the_meter_from_the_local_day_on(data: MasterData) -> None:
    """In Sydney the day begins 10 or 11 hours before that of UTC."""
    data.add_meter("M", time_zone="Australia/Sydney")
    data.change_meter("M", customer_id="B")
    zone = ZoneInfo("Australia/Sydney")
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    moved_at = f"{today.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    assert data.periods("M", "from_at", "to_at", "customer_id") == [
        (BEGIN, moved_at, "A"),
        (moved_at, None, "B"),
    ]
    assert data.changes() == [("M", moved_at)]


def test_a_customer_taken_back_on_the_same_day_leaves_no_trace(data: MasterData) -> None:
    data.add_meter("M")
    for customer in ("B", "C", "A"):
        data.change_meter("M", customer_id=customer)
    assert data.periods("M", "from_at", "to_at", "customer_id") == [(BEGIN, None, "A")]


@pytest.mark.parametrize(
    ("column", "before", "after"),
    [
        ("time_zone", "UTC", "Europe/London"),
        ("transformer_id", "TRF-1", "TRF-2"),
        ("service_size_kw", 10, 20),
        ("meter_multiplier", 1, 40),
        ("interval_minutes", 30, 15),
    ],
)
def test_another_value_holds_from_now_on(
    data: MasterData, column: str, before: object, after: object
) -> None:
    data.add_meter("M")
    data.change_meter("M", **{column: after})
    assert data.periods("M", column, "customer_id") == [(before, "A"), (after, "A")]
    ((from_at,),) = data.rows(
        "select from_at from device_period_change where device_id is not null group by 1"
    )
    assert timedelta() <= datetime.now(UTC) - from_at < timedelta(minutes=1)
    assert data.rows("select from_at from device_period order by 1 desc limit 1") == [(from_at,)]


def test_what_no_period_holds_changes_none(data: MasterData) -> None:
    data.add_meter("M")
    data.change_meter("M", firmware_version="2", installed_at="2026-02-01T00:00:00Z")
    assert len(data.periods("M", "from_at")) == 1
    assert data.changes() == []


def test_a_change_in_device_master_leaves_other_dated_values_alone(data: MasterData) -> None:
    """Somebody wrote a move to device_master's customer-to-be by date."""
    data.add_meter("M")
    data.run("update agreement set end_date = '2026-03-01'")
    data.run(AGREEMENT, "M", "B", "2026-03-01", None)
    data.change_meter("M", transformer_id="TRF-2")
    assert data.periods("M", "customer_id", "transformer_id") == [
        ("A", "TRF-1"),
        ("B", "TRF-1"),
        ("B", "TRF-2"),
    ]
    data.change_meter("M", customer_id="B")
    assert data.periods("M", "customer_id") == [("A",), ("B",), ("B",)]


def test_a_new_customer_has_a_vacant_place_until_the_next_one(data: MasterData) -> None:
    data.add_meter("M")
    data.run("update agreement set end_date = '2026-03-01'")
    data.run(AGREEMENT, "M", "C", "3000-01-01", None)
    data.change_meter("M", customer_id="B")
    today = f"{datetime.now(UTC):%Y-%m-%d} 00:00:00"
    assert data.periods("M", "from_at", "customer_id") == [
        (BEGIN, "A"),
        ("2026-03-01 00:00:00", None),
        (today, "B"),
        ("3000-01-01 00:00:00", "C"),
    ]


def test_device_master_shows_what_is_dated_to_now(data: MasterData) -> None:
    """A customer of March, a zone and an interval of May; nobody in the year 3000."""
    data.add_meter("M")
    data.run("update agreement set end_date = '2026-03-01'")
    shown = "select customer_id, time_zone, interval_minutes from device_master"
    assert data.rows(shown) == [("A", "UTC", 30)]
    data.run(AGREEMENT, "M", "B", "2026-03-01", "3000-01-01")
    assert data.rows(shown) == [("B", "UTC", 30)]
    data.run("update service_point set valid_to = '2026-05-01'")
    data.run(POINT, "M", "2026-05-01", "Europe/London")
    data.run("update meter_installation set interval_minutes = 15")
    assert data.rows(shown) == [("B", "Europe/London", 15)]
    assert data.periods("M", "from_at", "customer_id", "time_zone", "interval_minutes") == [
        (BEGIN, "A", "UTC", 15),
        ("2026-03-01 00:00:00", "B", "UTC", 15),
        ("2026-05-01 00:00:00", "B", "Europe/London", 15),
        ("3000-01-01 00:00:00", None, "Europe/London", 15),
    ]


def test_a_meter_out_of_service_has_no_customer_until_it_is_back(data: MasterData) -> None:
    data.add_meter("M")
    data.change_meter("M", is_active=False)
    columns = ("service_point_id", "customer_id", "is_removed")
    before, out = ("M", "A", False), (None, None, True)
    assert data.periods("M", *columns) == [before, out]
    data.change_meter("M", transformer_id="TRF-2")
    assert data.periods("M", *columns) == [before, out]
    data.change_meter("M", is_active=True)
    assert data.periods("M", *columns) == [before, out, before]


def test_a_meter_that_is_added_out_of_service_has_its_past(data: MasterData) -> None:
    data.add_meter("M", is_active=False)
    assert data.periods("M", "customer_id", "is_removed") == [("A", False), (None, True)]


def test_a_meter_deleted_from_device_master_keeps_its_past(data: MasterData) -> None:
    data.add_meter("M")
    data.run("delete from device_master")
    assert data.periods("M", "from_at", "customer_id") == [(BEGIN, "A")]
    ((age,),) = data.rows("select current_timestamp - to_at from device_period")
    assert timedelta() < age < timedelta(minutes=1)
    data.add_meter("M", customer_id="B")
    assert data.periods("M", "customer_id")[0] == ("A",)
    assert data.periods("M", "customer_id")[-1] == ("B",)


def test_a_deleted_meter_is_known_until_then(data: MasterData) -> None:
    facts = "device_id, customer_id, service_size_kw, interval_minutes, is_active"
    data.add_meter("M", service_size_kw=7, interval_minutes=15)
    data.change_meter("M", service_size_kw=8)
    data.add_meter("N")
    data.run("delete from device_master where device_id = 'M'")
    known = f"select {facts} from known_device where known_until is null"
    assert data.rows(known) == [("N", "A", 10, 30, True)]
    gone = f"select {facts} from known_device where known_until <= current_timestamp"
    assert data.rows(gone) == [("M", None, 8, 15, False)]
