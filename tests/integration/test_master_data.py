"""Master data that one engine cannot evaluate: refused at the door, or it stops one meter alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest

from stack.clients import postgres
from stack.clients.trino import client
from stack.provision.master_data import check_master_data
from stack.rounds.catalog import count_returning
from stack.rounds.replay import Request, run_replay
from tests.integration.lakehouse import Lakehouse, reading
from tests.postgres import admin_connection

pytestmark = pytest.mark.same_in_both_modes

# What PostgreSQL 18 takes for a value and Trino 476 cannot read, seen by asking both.
STRANGE = {
    "unknown_zone": ("time_zone", "America/Coyhaique"),
    "alias_zone": ("time_zone", "Etc/Zulu"),
    "no_size": ("service_size_kw", "NaN"),
    "endless": ("installed_at", "infinity"),
}
DOORS = {
    "time_zone": "device_master_time_zone_is_known_to_trino",
    "service_size_kw": "device_master_service_size_is_a_number",
    "installed_at": "device_master_times_are_of_our_calendar",
}
# The same in the dated tables, which follow.
DATED_DOORS = ["service_point_time_zone_is_known_to_trino", "service_point_size_is_a_number"]
READING_AT = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("name", STRANGE)
def test_a_value_that_trino_cannot_read_is_refused_with_the_rule(
    lakehouse: Lakehouse, name: str
) -> None:
    column, value = STRANGE[name]
    with pytest.raises(psycopg2.IntegrityError, match=DOORS[column]):
        lakehouse.add_device("MTR-899999999", **{column: value})


def test_a_zone_that_both_engines_know_is_taken(lakehouse: Lakehouse) -> None:
    (device,) = lakehouse.new_devices(time_zone="America/Argentina/Buenos_Aires")
    lakehouse.forget_device(device)


@dataclass(frozen=True)
class Fleet:
    """A good meter, and those that a version without the rules let in, by what is odd."""

    good: str
    odd: dict[str, str]


def without_rules(lakehouse: Lakehouse, statement: str, *values: str) -> None:
    """Run a statement on meters as a version without the rules did, and put the rules back."""
    connection = admin_connection(lakehouse.settings, "meterhouse")
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(
            "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) "
            "from pg_constraint where conname = any(%s)",
            [[*DOORS.values(), *DATED_DOORS]],
        )
        rules = cursor.fetchall()
        for table, name, _ in rules:
            cursor.execute(f"alter table {table} drop constraint {name}")
        cursor.execute(statement, values)
        for table, name, definition in rules:
            cursor.execute(f"alter table {table} add constraint {name} {definition}")


@pytest.fixture(scope="module")
def fleet(lakehouse: Lakehouse) -> Iterator[Fleet]:
    """One reading of each meter, and one round."""
    good, *others = lakehouse.new_devices(1 + len(STRANGE), service_size_kw=10)
    odd = dict(zip(STRANGE, others, strict=True))
    for name, (column, value) in STRANGE.items():
        without_rules(
            lakehouse,
            f"update device_master set {column} = %s where device_id = %s",
            value,
            odd[name],
        )
    lakehouse.send(*(reading(device, READING_AT, energy_kwh=1.5) for device in (good, *others)))
    lakehouse.land_and_round()
    yield Fleet(good, odd)
    # Meters with readings stay, and a rebuild has to judge these as they were judged last.
    for device in others:
        lakehouse.change_master_data(
            "update device_master set time_zone = 'UTC', service_size_kw = 10, "
            "installed_at = created_at where device_id = %s",
            device,
        )
    reasons = ("unknown_time_zone", "unknown_device")
    assert run_replay(lakehouse.settings, Request(reasons), lambda text: None) == 0


def counted(lakehouse: Lakehouse, device: str) -> list[list[object]]:
    return lakehouse.sql(
        "select reading_count, cast(total_energy_kwh as double) "
        f"from iceberg.marts.device_daily_metrics where device_id = '{device}'"
    )


def quarantined(lakehouse: Lakehouse, device: str) -> list[list[object]]:
    return lakehouse.sql(
        f"select reason from iceberg.quality.quarantine_telemetry_raw where device_id = '{device}'"
    )


def test_other_meters_are_counted(lakehouse: Lakehouse, fleet: Fleet) -> None:
    assert counted(lakehouse, fleet.good) == [[1, 1.5]]
    assert counted(lakehouse, fleet.odd["endless"]) == [[1, 1.5]]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unknown_zone", "unknown_time_zone"),
        ("alias_zone", "unknown_time_zone"),
        ("no_size", "unknown_device"),
    ],
)
def test_the_meters_own_readings_are_quarantined(
    lakehouse: Lakehouse, fleet: Fleet, name: str, reason: str
) -> None:
    assert quarantined(lakehouse, fleet.odd[name]) == [[reason]]
    assert counted(lakehouse, fleet.odd[name]) == []


def test_setup_goes_on_and_names_the_meters(lakehouse: Lakehouse, fleet: Fleet) -> None:
    said: list[str] = []
    check_master_data(
        postgres.client(lakehouse.settings, postgres.OWNER), client(lakehouse.settings), said.append
    )
    (text,) = said
    for name in ("unknown_zone", "alias_zone", "no_size"):
        column, value = STRANGE[name]
        assert f"{fleet.odd[name]}: {column} {value}" in text


def test_another_value_of_such_a_meter_can_be_changed(lakehouse: Lakehouse, fleet: Fleet) -> None:
    lakehouse.change_master_data(
        "update device_master set firmware_version = '9.9.9' where device_id = %s",
        fleet.odd["unknown_zone"],
    )


def test_a_replay_brings_the_reading_back_once_the_zone_is_right(
    lakehouse: Lakehouse, fleet: Fleet
) -> None:
    device = fleet.odd["alias_zone"]
    lakehouse.change_master_data(
        "update device_master set time_zone = 'UTC' where device_id = %s", device
    )
    assert run_replay(lakehouse.settings, Request(("unknown_time_zone",)), lambda text: None) == 0
    assert counted(lakehouse, device) == [[1, 1.5]]
    assert quarantined(lakehouse, device) == []


def test_a_meter_that_stays_unknown_to_the_models_asks_for_no_rebuild(
    lakehouse: Lakehouse, fleet: Fleet
) -> None:
    """Its readings wait as those of an unknown meter, though it is in master data."""
    device = fleet.odd["no_size"]
    assert quarantined(lakehouse, device) == [["unknown_device"]]
    before = count_returning(lakehouse.settings)
    lakehouse.forget_device(device)
    assert count_returning(lakehouse.settings) == before
