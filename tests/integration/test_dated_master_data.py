"""Dated master data in PostgreSQL: overlaps, periods, notes of what changed, an earlier version."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from stack.backup import databases
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from tests.integration.scratch_master_data import (
    AGREEMENT,
    BEGIN,
    CUSTOMER,
    DATED_SCRIPTS,
    INSTALLATION,
    POINT,
    ZONES,
    MasterData,
    scratch_master_data,
    script,
)

pytestmark = pytest.mark.same_in_both_modes

WAIT_SECONDS = 30


@pytest.fixture
def data(settings: Settings) -> Iterator[MasterData]:
    with scratch_master_data(settings, "scratch_dates") as found:
        yield found


def refusal(data: MasterData, statement: str, *values: Any) -> str:
    """The first line of PostgreSQL's refusal."""
    with pytest.raises(psycopg2.Error) as error:
        data.run(statement, *values)
    return str(error.value).splitlines()[0]


OVERLAPS = {
    "service_point": (
        (POINT, ("M", "2026-06-01", "UTC")),
        'wanted one row of service_point at a time for service_point_id "M"; found 2026-01-01 '
        "00:00:00+00 to open and 2026-06-01 00:00:00+00 to open, which overlap; set valid_to of "
        "the earlier one to valid_from of the later one first",
    ),
    "meter_installation": (
        (INSTALLATION, ("M", "2026-06-01", "2026-07-01", "M")),
        'wanted one row of meter_installation at a time for device_id "M"; found 2026-01-01 '
        "00:00:00+00 to open and 2026-06-01 00:00:00+00 to 2026-07-01 00:00:00+00, which overlap; "
        "set removed_at of the earlier one to installed_at of the later one first",
    ),
    "agreement": (
        (AGREEMENT, ("M", "B", "2025-06-01", "2026-01-02")),
        'wanted one row of agreement at a time for service_point_id "M"; found 2025-06-01 to '
        "2026-01-02 and 2026-01-01 to open, which overlap; set end_date of the earlier one to "
        "start_date of the later one first",
    ),
}


@pytest.mark.parametrize("table", OVERLAPS)
def test_an_overlap_is_refused_with_both_rows(data: MasterData, table: str) -> None:
    data.add_meter("M")
    (statement, values), expected = OVERLAPS[table]
    assert refusal(data, statement, *values) == expected


def test_rows_that_touch_do_not_overlap(data: MasterData) -> None:
    data.add_meter("M")
    data.run("update agreement set end_date = '2026-03-01'")
    data.run(AGREEMENT, "M", "B", "2026-03-01", "2026-04-01")
    data.run(AGREEMENT, "M", "C", "2025-03-01", "2026-01-01")
    assert len(data.rows("select from agreement")) == 3


def test_of_two_sessions_at_once_one_is_refused(data: MasterData) -> None:
    """The second waits for the first to commit, and then sees its row."""
    data.run(POINT, "P", "2026-01-01", "UTC")
    refused: list[str] = []

    def write_second() -> None:
        refused.append(refusal(data, AGREEMENT, "P", "B", "2026-02-01", None))

    with closing(data.another_session()) as first:
        first.autocommit = False
        first.cursor().execute(AGREEMENT, ("P", "A", "2026-01-01", None))
        second = threading.Thread(target=write_second)
        second.start()
        second.join(0.5)
        assert second.is_alive()
        first.commit()
        second.join(WAIT_SECONDS)
    assert "found 2026-01-01 to open and 2026-02-01 to open, which overlap" in refused[0]


def test_a_snapshot_from_before_the_wait_is_refused(data: MasterData) -> None:
    assert refusal(
        data, "begin isolation level repeatable read; update agreement set end_date = null"
    ) == (
        "wanted isolation level read committed to write agreement; found repeatable read; "
        "begin the transaction without another level"
    )


@pytest.mark.parametrize("statement", [INSTALLATION, AGREEMENT], ids=["meter", "customer"])
def test_a_service_point_has_to_be_there(data: MasterData, statement: str) -> None:
    values = (
        ("M", "2026-01-01", None, "P")
        if statement == INSTALLATION
        else ("P", "A", "2026-01-01", None)
    )
    assert 'wanted a row of service_point for "P"' in refusal(data, statement, *values)


def test_the_last_row_of_a_service_point_in_use_stays(data: MasterData) -> None:
    data.add_meter("M")
    assert 'wanted a row of service_point for "M"' in refusal(data, "delete from service_point")


def test_the_last_installation_of_a_meter_cannot_be_deleted(data: MasterData) -> None:
    data.add_meter("M")
    assert refusal(data, "delete from meter_installation") == (
        'wanted an installation of meter "M", which device_master names; found none left; '
        "set removed_at, or change the row instead of deleting it"
    )


def test_a_reading_without_a_length_has_one_period(data: MasterData) -> None:
    """Half-hours until 10:00, quarters of an hour until 10:05, then hours.

    By the half-hour, what ends before 10:30 has begun before 10:00. Of the quarters none that
    ends then or later begins before 10:05.
    """
    data.add_meter("M")
    for at, minutes in (("10:00", 15), ("10:05", 60)):
        data.run(
            "update meter_installation set removed_at = %s where removed_at is null",
            f"2026-06-01 {at}Z",
        )
        data.run(
            "insert into meter_installation (device_id, installed_at, service_point_id, "
            "interval_minutes) values ('M', %s, 'M', %s)",
            f"2026-06-01 {at}Z",
            minutes,
        )
    first = "2026-06-01 10:30:00"
    found = data.rows(
        "select interval_minutes, ends_from_at::text, ends_to_at::text "
        "from device_period order by from_at"
    )
    assert found == [
        (30, f"{BEGIN}+00", f"{first}+00"),
        (15, f"{first}+00", f"{first}+00"),
        (60, f"{first}+00", None),
    ]


def test_a_move_is_written_on_any_date(data: MasterData) -> None:
    """In March London is at UTC; on 1 July its day begins at 23:00 UTC."""
    data.add_meter("M", time_zone="Europe/London")
    data.run("update agreement set end_date = '2026-03-01'")
    data.run(AGREEMENT, "M", "B", "2026-07-01", None)
    assert data.periods("M", "from_at", "to_at", "customer_id") == [
        (BEGIN, "2026-03-01 00:00:00", "A"),
        ("2026-03-01 00:00:00", "2026-06-30 23:00:00", None),
        ("2026-06-30 23:00:00", None, "B"),
    ]
    assert data.changes() == [("M", "2026-03-01 00:00:00"), ("M", "2026-06-30 23:00:00")]


def test_a_move_that_is_taken_back_is_noted_from_its_day_on(data: MasterData) -> None:
    data.add_meter("M")
    data.run("update agreement set end_date = '2026-03-01'")
    data.run(AGREEMENT, "M", "B", "2026-03-01", None)
    data.run("truncate device_period_change")
    data.run("delete from agreement where customer_id = 'B'")
    data.run("update agreement set end_date = null")
    assert data.periods("M", "from_at", "customer_id") == [(BEGIN, "A")]
    assert data.changes() == [("M", "2026-03-01 00:00:00")]


def test_a_meter_is_exchanged_at_its_service_point(data: MasterData) -> None:
    data.add_meter("OLD", time_zone="Australia/Sydney")
    data.run(
        "update meter_installation "
        "set removed_at = '2026-06-01 12:00Z', final_register_kwh = 17080.463"
    )
    data.run(
        "insert into meter_installation (device_id, installed_at, service_point_id, "
        "initial_register_kwh) values ('NEW', '2026-06-01 13:00Z', 'OLD', 0)"
    )
    data.add_meter("NEW", time_zone="Australia/Sydney", installed_at="2026-06-01T13:00Z")
    columns = ("from_at", "to_at", "service_point_id", "customer_id", "time_zone")
    assert data.periods("OLD", *columns) == [
        (BEGIN, "2026-06-01 12:00:00", "OLD", "A", "Australia/Sydney"),
        ("2026-06-01 12:00:00", None, None, None, "Australia/Sydney"),
    ]
    assert data.periods("NEW", *columns) == [(BEGIN, None, "OLD", "A", "Australia/Sydney")]
    registers = ("initial_register_kwh", "final_register_kwh")
    assert [float(each) for each in data.periods("OLD", *registers)[0] if each] == [17080.463]
    assert data.changes() == [("OLD", "2026-06-01 12:00:00")]
    # One service point, one customer: the door of either meter changes both.
    data.change_meter("NEW", customer_id="B")
    assert data.periods("NEW", "customer_id") == [("A",), ("B",)]


def test_a_meter_moves_to_another_service_point_within_a_day(data: MasterData) -> None:
    data.add_meter("M")
    data.run(POINT, "P", "2026-01-01", "Australia/Sydney")
    data.run(AGREEMENT, "P", "B", "2026-01-01", None)
    data.run("update meter_installation set removed_at = '2026-06-01 12:00Z'")
    data.run(INSTALLATION, "M", "2026-06-01 14:00Z", None, "P")
    assert data.periods("M", "from_at", "customer_id", "time_zone") == [
        (BEGIN, "A", "UTC"),
        ("2026-06-01 12:00:00", None, "UTC"),
        ("2026-06-01 14:00:00", "B", "Australia/Sydney"),
    ]


def test_a_change_before_the_first_installation_reaches_back(data: MasterData) -> None:
    data.add_meter("M")
    data.run("update agreement set customer_id = 'B'")
    assert data.changes() == [("M", BEGIN)]


def test_a_changed_zone_of_a_service_point_is_noted_for_each_meter_there(data: MasterData) -> None:
    data.add_meter("M")
    data.add_meter("N")
    data.run("update meter_installation set service_point_id = 'M' where device_id = 'N'")
    data.run("truncate device_period_change")
    data.run("update service_point set valid_to = '2026-02-01' where service_point_id = 'M'")
    data.run(POINT, "M", "2026-02-01", "Europe/London")
    assert sorted(data.changes()) == [("M", "2026-02-01 00:00:00"), ("N", "2026-02-01 00:00:00")]


def test_a_backup_from_before_the_dated_tables_can_be_restored(
    settings: Settings, tmp_path: Path
) -> None:
    name = "scratch_restored"
    with scratch_master_data(settings, name, scripts=()) as data:
        data.add_meter("M")
        databases.dump(settings, name, tmp_path / "dump")
        for each in DATED_SCRIPTS:
            data.run(script(each))
        data.add_meter("N")
        databases.restore(settings, name, tmp_path / "dump")
        for each in DATED_SCRIPTS:
            data.run(script(each))
        assert data.rows("select device_id, customer_id from device_period") == [("M", "A")]
        data.add_meter("N")


def test_the_moves_of_the_documentation_work_as_written(data: MasterData) -> None:
    text = (PROJECT_ROOT / "docs/operations.md").read_text("utf-8")
    move, exchange = re.findall(r"```sql\n(begin;.*?)```", text, re.DOTALL)
    data.run(CUSTOMER, "CUST-8001")
    data.add_meter("MTR-10000")
    data.run(move)
    data.run(exchange)
    columns = ("to_at", "service_point_id", "customer_id")
    assert data.periods("MTR-10000", *columns) == [
        ("2026-03-16 00:00:00", "MTR-10000", "A"),
        ("2026-06-01 12:00:00", "MTR-10000", "CUST-8001"),
        (None, None, None),
    ]
    assert data.periods("MTR-20000", *columns) == [(None, "MTR-10000", "CUST-8001")]


def test_setup_fills_the_tables_of_an_earlier_version_and_can_be_run_again(
    settings: Settings,
) -> None:
    """Meters of 0.1.0, some with values that no rule of today lets in."""
    with scratch_master_data(settings, "scratch_earlier", scripts=()) as data:
        data.add_meter("GOOD", time_zone="Europe/London")
        data.add_meter("OUT", is_active=False)
        for rule in (
            "time_zone_is_known_to_trino",
            "service_size_is_a_number",
            "times_are_of_our_calendar",
        ):
            data.run(f"alter table device_master drop constraint device_master_{rule}")
        data.add_meter("ZONE", time_zone="Etc/Zulu")
        data.add_meter("SIZE", service_size_kw="NaN")
        data.add_meter("ENDLESS", installed_at="infinity")
        data.run("delete from time_zone")
        for _ in range(2):
            for each in DATED_SCRIPTS:
                data.run(script(each))
            found = data.rows("select * from device_period order by device_id, from_at")
            assert [row[0] for row in found] == ["ENDLESS", "GOOD", "OUT", "OUT", "SIZE", "ZONE"]
            assert {device for device, _ in data.changes()} == {"OUT"}
        assert data.periods("GOOD", "from_at", "to_at", "customer_id", "time_zone") == [
            (BEGIN, None, "A", "Europe/London")
        ]
        assert data.periods("OUT", "customer_id", "is_removed") == [("A", False), (None, True)]
        data.run(ZONES)
        data.change_meter("SIZE", service_size_kw=20)
        data.change_meter("ZONE", time_zone="UTC")
        assert data.periods("SIZE", "from_at", "service_size_kw") == [(BEGIN, 20)]
        assert data.periods("ZONE", "from_at", "time_zone") == [(BEGIN, "UTC")]
