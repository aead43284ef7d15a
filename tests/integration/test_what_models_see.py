"""Runs that read less record nothing, and a change of master data reaches the marts by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from stack.base.errors import RetriableError
from tests.integration.access import Access
from tests.integration.lakehouse import Lakehouse, reading, resident_models, unused_numbers
from tests.integration.test_marts import daily_energy
from tests.postgres import admin_connection

pytestmark = pytest.mark.same_in_both_modes

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
LESS = [
    ["--sample", "1 day"],
    ["--event-time-start", "2026-01-01", "--event-time-end", "2026-01-02"],
]


def assessed(lakehouse: Lakehouse, *devices: str) -> list[str]:
    """Which of these meters the health mart tells of."""
    named = ", ".join(f"'{device}'" for device in devices)
    rows = lakehouse.sql(
        f"select device_id from iceberg.marts.device_health_status where device_id in ({named})"
    )
    return [device for (device,) in rows]


def test_a_run_on_empty_input_checks_the_sql_and_changes_nothing(lakehouse: Lakehouse) -> None:
    lakehouse.dbt("run")
    (device,) = lakehouse.new_devices()
    lakehouse.send(reading(device, f"{YESTERDAY}T10:00:00Z", energy_kwh=1.25))
    lakehouse.land()
    before = lakehouse.metadata_files()
    lakehouse.dbt("run", "--empty")
    assert lakehouse.metadata_files() == before

    # Makes no view again: one that --empty had left without rows would know no meter.
    lakehouse.round()

    assert daily_energy(lakehouse, device) == {YESTERDAY: Decimal("1.25")}
    assert assessed(lakehouse, device) == [device]


@pytest.mark.parametrize("words", LESS, ids=["sample", "event time"])
def test_a_flag_by_which_models_would_read_less_is_refused(
    lakehouse: Lakehouse, capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    before = lakehouse.snapshots()
    with pytest.raises(AssertionError) as failure:
        lakehouse.dbt("run", "--select", "stg_telemetry_raw", *words)
    # Natively dbt prints; in a container what it printed comes with the failure.
    printed = f"{failure.value}{capfd.readouterr().out}"
    assert f"found {words[0]}" in printed
    assert "--exclude config.materialized:by_batch" in printed
    assert lakehouse.snapshots() == before


def progress(lakehouse: Lakehouse, table: str) -> str:
    """What a table of the models says of its progress."""
    schema, name = table.split(".")
    return str(
        lakehouse.value(
            f'select value from iceberg.{schema}."{name}$properties" '
            "where key = 'meterhouse.progress'"
        )
    )


def test_a_run_that_died_before_it_recorded_its_progress_adds_nothing_twice(
    lakehouse: Lakehouse,
) -> None:
    tables = ("staging.stg_telemetry_raw", "quality.quarantine_telemetry_raw")
    lakehouse.round()
    before = {table: progress(lakehouse, table) for table in tables}
    (device,) = lakehouse.new_devices()
    unknown = f"MTR-{next(iter(unused_numbers()))}"
    sent = [reading(each, f"{YESTERDAY}T11:00:00Z", energy_kwh=0.75) for each in (device, unknown)]
    lakehouse.send(*sent)
    lakehouse.land()
    lakehouse.dbt("run", "--select", "stg_telemetry_raw", "quarantine_telemetry_raw")
    for table, told in before.items():
        set_progress(lakehouse, table, told)
    # A message of the next batch must not be taken for one of the run that died.
    lakehouse.send(*(each | {"timestamp": f"{YESTERDAY}T12:00:00Z"} for each in sent))
    lakehouse.land_and_round()
    assert daily_energy(lakehouse, device) == {YESTERDAY: Decimal("1.5")}
    held = "select count(*), count(distinct telemetry_key) from iceberg.{} where device_id = '{}'"
    for table, owner in zip(tables, (device, unknown), strict=True):
        assert lakehouse.sql(held.format(table, owner)) == [[2, 2]]


@pytest.mark.parametrize("is_by_hand", [False, True], ids=["round", "by hand"])
def test_a_clock_set_back_behind_a_run_that_died_passes_over_nothing(
    lakehouse: Lakehouse, is_by_hand: bool
) -> None:
    """The run took its number by a clock an hour ahead, wrote staging's rows and died."""
    staging = "staging.stg_telemetry_raw"
    lakehouse.round()
    before = progress(lakehouse, staging)
    (device,) = lakehouse.new_devices()
    lakehouse.send(reading(device, f"{YESTERDAY}T11:00:00Z", energy_kwh=0.75))
    lakehouse.land()
    ahead = next_number(lakehouse, int(time.time() * 1000) + 3_600_000)
    lakehouse.dbt("run", "--select", "stg_telemetry_raw")
    assert json.loads(progress(lakehouse, staging))["load_id"] > ahead
    set_progress(lakehouse, staging, before)
    lakehouse.send(reading(device, f"{YESTERDAY}T12:00:00Z", energy_kwh=0.75))
    lakehouse.land()
    if is_by_hand:
        lakehouse.dbt("run")
    else:
        lakehouse.round()
    held = f"select count(*), count(distinct telemetry_key) from iceberg.{staging}"
    assert lakehouse.sql(f"{held} where device_id = '{device}'") == [[2, 2]]
    assert daily_energy(lakehouse, device) == {YESTERDAY: Decimal("1.5")}


def next_number(lakehouse: Lakehouse, recorded: int) -> int:
    """The number of a load, as a run is given it."""
    with closing(admin_connection(lakehouse.settings, "iceberg_catalog")) as connection, connection:
        cursor = connection.cursor()
        cursor.execute("select public.next_load(%s)", (recorded,))
        return int((cursor.fetchone() or (0,))[0])


def set_progress(lakehouse: Lakehouse, table: str, told: str) -> None:
    """Record other progress, as a writer does that stood still meanwhile."""
    Access(lakehouse.settings, "").ask(
        "dbt",
        f"alter table iceberg.{table} set properties extra_properties = "
        f"map_from_entries(array[row('meterhouse.progress', '{told}')])",
    )


def test_a_round_that_dies_before_it_records_adds_nothing_twice(
    lakehouse: Lakehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(note: Mapping[str, object], lock: object) -> None:
        raise RetriableError("to record", f"death at {note['table']}", "run again")

    lakehouse.round()
    (device,) = lakehouse.new_devices()
    lakehouse.send(reading(device, f"{YESTERDAY}T11:00:00Z", energy_kwh=0.75))
    lakehouse.land()
    with monkeypatch.context() as patch:
        patch.setattr(resident_models(lakehouse.settings).progress, "record", die)
        with pytest.raises(AssertionError, match="death at staging"):
            lakehouse.round(changed=["source:landing.telemetry_raw"])
    lakehouse.round()
    held = "select count(*), count(distinct telemetry_key) from iceberg.staging.stg_telemetry_raw"
    assert lakehouse.sql(f"{held} where device_id = '{device}'") == [[1, 1]]
    assert daily_energy(lakehouse, device) == {YESTERDAY: Decimal("0.75")}


def test_an_upstream_whose_load_is_set_back_leads_to_no_row_twice(lakehouse: Lakehouse) -> None:
    staging, quarantine = "staging.stg_telemetry_raw", "quality.quarantine_telemetry_raw"
    (device,) = lakehouse.new_devices()
    unknown = f"MTR-{next(iter(unused_numbers()))}"
    told = ""
    for hour in (10, 11, 12):
        if hour == 12:
            # A frozen writer records the load before the last one; models after it run, too.
            set_progress(lakehouse, staging, told)
            lakehouse.dbt("run", "--exclude", "stg_telemetry_raw")
        sent = (reading(each, f"{YESTERDAY}T{hour}:00:00Z") for each in (device, unknown))
        lakehouse.send(*sent)
        lakehouse.land_and_round()
        told = told or progress(lakehouse, staging)
    held = "select count(*), count(distinct telemetry_key) from iceberg.{} where device_id = '{}'"
    for table, owner in ((staging, device), (quarantine, unknown)):
        assert lakehouse.sql(held.format(table, owner)) == [[3, 3]], table
    assert daily_energy(lakehouse, device) == {YESTERDAY: Decimal("1.5")}


def test_a_change_of_master_data_alone_reaches_the_health_of_meters(lakehouse: Lakehouse) -> None:
    (leaving,) = lakehouse.new_devices()
    lakehouse.round()
    lakehouse.change_master_data(
        "update device_master set is_active = false where device_id = %s", leaving
    )
    (silent,) = lakehouse.new_devices()
    lakehouse.round(changed=["source:master_data"])
    assert assessed(lakehouse, leaving, silent) == [silent]
    lakehouse.dbt("test", "--select", "every_active_meter_has_a_health_status")
