"""Landing to marts: late, doubled and corrected readings end where they belong."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

from tests.integration.access import Access
from tests.integration.lakehouse import Lakehouse, Reading, reading

pytestmark = pytest.mark.same_in_both_modes

TODAY = datetime.now(UTC).date()
MARTS = {
    "device_daily_metrics": "device_id, reading_date",
    "customer_usage_summary": "customer_id, reading_date",
    "device_health_status": "device_id",
}


def day(days_ago: int) -> str:
    return (TODAY - timedelta(days=days_ago)).isoformat()


def daily_energy(lakehouse: Lakehouse, device: str) -> dict[str, Decimal]:
    rows = lakehouse.sql(
        "select cast(reading_date as varchar), total_energy_kwh "
        f"from iceberg.marts.device_daily_metrics where device_id = '{device}'"
    )
    return {date: Decimal(energy) for date, energy in rows}


def test_a_late_reading_changes_its_own_day(lakehouse: Lakehouse) -> None:
    (device,) = lakehouse.new_devices()
    lakehouse.send(
        reading(device, f"{day(30)}T10:00:00Z", energy_kwh=1.0),
        reading(device, f"{day(2)}T10:00:00Z", energy_kwh=2.0),
    )
    lakehouse.land_and_round()

    lakehouse.send(reading(device, f"{day(30)}T10:30:00Z", energy_kwh=0.5))
    lakehouse.land_and_round()

    assert daily_energy(lakehouse, device) == {day(30): Decimal("1.5"), day(2): Decimal("2.0")}


def test_an_insert_sent_again_later_adds_nothing(lakehouse: Lakehouse) -> None:
    """As by a dbt that stood still without its lock while another did its work."""
    (device,) = lakehouse.new_devices()
    accepted = (
        f"select count(*) from iceberg.staging.stg_telemetry_raw where device_id = '{device}'"
    )
    lakehouse.send(reading(device, f"{day(1)}T10:00:00Z"))
    lakehouse.land_and_round()
    lakehouse.send(reading(device, f"{day(1)}T10:30:00Z"))
    lakehouse.land_and_round()
    assert lakehouse.value(accepted) == 2
    insert = lakehouse.last_insert("stg_telemetry_raw")

    ((added,),) = Access(lakehouse.settings, "").ask("dbt", insert)

    assert added == 0
    assert lakehouse.value(accepted) == 2


def test_a_fast_clock_hides_nobodys_readings(lakehouse: Lakehouse) -> None:
    fast, right = lakehouse.new_devices(2)
    ahead = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lakehouse.send(reading(fast, ahead))
    lakehouse.land_and_round()

    lakehouse.send(reading(right, f"{day(1)}T10:00:00Z", energy_kwh=3.0))
    lakehouse.land_and_round()

    assert daily_energy(lakehouse, right) == {day(1): Decimal("3.0")}
    assert daily_energy(lakehouse, fast) == {}


def test_a_duplicate_counts_once_and_a_correction_replaces(lakehouse: Lakehouse) -> None:
    (device,) = lakehouse.new_devices()
    first = reading(device, f"{day(1)}T10:00:00Z", energy_kwh=1.0)
    other = reading(device, f"{day(1)}T10:30:00Z", energy_kwh=2.0)
    corrected = reading(device, f"{day(1)}T10:30:00Z", energy_kwh=2.5)
    lakehouse.send(first, other, first)
    lakehouse.land_and_round()
    # A sender whose clock stands in 2001: the broker's time counts.
    lakehouse.send(first, corrected, sender_ms=1_000_000_000_000)
    lakehouse.land_and_round()

    versions = lakehouse.sql(
        "select version_count, duplicate_count, correction_count "
        f"from iceberg.intermediate.int_meter_readings where device_id = '{device}' "
        "order by reading_at"
    )
    assert versions == [[3, 2, 0], [2, 0, 1]]
    assert daily_energy(lakehouse, device) == {day(1): Decimal("3.5")}


def test_days_are_the_meters_own(lakehouse: Lakehouse) -> None:
    (device,) = lakehouse.new_devices(time_zone="Australia/Sydney")
    lakehouse.send(reading(device, "2026-07-01T20:00:00Z", energy_kwh=1.0))
    lakehouse.land_and_round()
    # Sydney is ten hours ahead in July: eight in the evening UTC is six in the morning after.
    assert daily_energy(lakehouse, device) == {"2026-07-02": Decimal("1.0")}


@pytest.mark.parametrize("zone", ["CEST", "ABC5", "posix/Europe/Berlin", "Europe/Nowhere"])
def test_a_zone_that_only_postgresql_knows_or_nobody_is_refused(
    lakehouse: Lakehouse, zone: str
) -> None:
    with pytest.raises(psycopg2.Error, match=r"time.zone"):
        lakehouse.new_devices(time_zone=zone)


def test_warnings_decide_the_status_of_a_day(lakehouse: Lakehouse) -> None:
    healthy, degraded, unhealthy = lakehouse.new_devices(3)
    warnings = {healthy: 0, degraded: 2, unhealthy: 3}
    for device, count in warnings.items():
        lakehouse.send(
            *(
                reading(
                    device,
                    f"{day(1)}T{hour:02}:00:00Z",
                    status="WARN_LOW_BATTERY" if hour < count else "OK",
                )
                for hour in range(20)
            )
        )
    lakehouse.land_and_round()
    rows = lakehouse.sql(
        "select device_id, health_score_pct, device_health_status "
        "from iceberg.marts.device_daily_metrics "
        f"where device_id in ('{healthy}', '{degraded}', '{unhealthy}')"
    )
    # 2 of 20 is 10 %, not more; 3 of 20 is 15 %.
    assert {device: (Decimal(score), status) for device, score, status in rows} == {
        healthy: (Decimal(100), "HEALTHY"),
        degraded: (Decimal(90), "DEGRADED"),
        unhealthy: (Decimal(85), "UNHEALTHY"),
    }


def test_the_health_of_a_meter_that_left_goes_and_all_else_stays(lakehouse: Lakehouse) -> None:
    leaving, staying = sorted(lakehouse.new_devices(2))
    lakehouse.send(reading(staying, f"{day(1)}T10:00:00Z"))
    lakehouse.land_and_round()
    of_both = (
        "select device_id from iceberg.marts.device_health_status "
        f"where device_id in ('{leaving}', '{staying}') order by 1"
    )
    described = lakehouse.sql("describe iceberg.marts.device_health_status")
    assert lakehouse.sql(of_both) == [[leaving], [staying]]
    assert all(comment for *_, comment in described)

    lakehouse.forget_device(leaving)
    lakehouse.send(reading(staying, f"{day(1)}T10:30:00Z"))
    lakehouse.land_and_round()

    assert lakehouse.sql(of_both) == [[staying]]
    assert lakehouse.sql("describe iceberg.marts.device_health_status") == described


def test_a_second_run_changes_nothing(lakehouse: Lakehouse) -> None:
    lakehouse.land_and_round()
    before = lakehouse.metadata_files()
    lakehouse.round()
    assert {"marts.device_daily_metrics", "quality.reading_corrections"} <= before.keys()
    assert lakehouse.metadata_files() == before


def shuffled_week(devices: list[str], seed: int) -> list[Reading]:
    """A week of three-hourly readings with duplicates and corrections, in no order at all."""
    dice = random.Random(seed)
    readings = [
        reading(
            device,
            f"{day(days_ago)}T{hour:02}:00:00Z",
            energy_kwh=dice.randrange(1, 2000) / 1000,
            voltage=dice.randrange(2200, 2400) / 10,
            status=dice.choice(["OK"] * 9 + ["WARN_UNDER_VOLTAGE"]),
        )
        for device in devices
        for days_ago in range(1, 8)
        for hour in range(0, 24, 3)
    ]
    again = dice.sample(readings, 20)
    corrected = [
        r | {"metrics": r["metrics"] | {"energy_kwh": 9.999}} for r in dice.sample(readings, 20)
    ]
    messages = readings + again + corrected
    dice.shuffle(messages)
    return messages


def contents(lakehouse: Lakehouse) -> dict[str, list[list[Any]]]:
    """Every mart's rows, in the order of their keys."""
    return {
        mart: lakehouse.sql(f"select * from iceberg.marts.{mart} order by {keys}")
        for mart, keys in MARTS.items()
    }


def test_a_rebuild_gives_the_rows_of_the_increments(lakehouse: Lakehouse) -> None:
    devices = lakehouse.new_devices(4)
    messages = shuffled_week(devices, seed=8831)
    for start in range(0, len(messages), 80):
        lakehouse.send(*messages[start : start + 80])
        lakehouse.land_and_round()
    incremental = contents(lakehouse)

    lakehouse.round(is_full_refresh=True)

    assert contents(lakehouse) == incremental
    assert expected_energy(messages) == {
        device: daily_energy(lakehouse, device) for device in devices
    }


def expected_energy(messages: list[Reading]) -> dict[str, dict[str, Decimal]]:
    """Daily sums by plain Python: the last message of each device and time counts."""
    newest = {(m["device_id"], m["timestamp"]): m["metrics"]["energy_kwh"] for m in messages}
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for (device, timestamp), energy in newest.items():
        sums[device][timestamp[:10]] += Decimal(str(energy))
    return {device: dict(days) for device, days in sums.items()}


def test_what_landed_was_accepted_or_quarantined(lakehouse: Lakehouse) -> None:
    lakehouse.land_and_round()
    landed = lakehouse.value("select count(*) from iceberg.landing.telemetry_raw")
    accepted = lakehouse.value("select count(*) from iceberg.staging.stg_telemetry_raw")
    rejected = lakehouse.value("select count(*) from iceberg.quality.quarantine_telemetry_raw")
    readings = lakehouse.value(
        "select sum(version_count) from iceberg.intermediate.int_meter_readings"
    )
    assert landed == accepted + rejected
    assert accepted == readings


def test_master_data_and_topic_join_in_one_query(lakehouse: Lakehouse) -> None:
    lakehouse.send(reading("MTR-10003", f"{day(1)}T00:30:00Z"))
    rows = lakehouse.sql(
        """
        select distinct devices.device_id, customers.customer_id
        from kafka.default.telemetry_raw as telemetry
        inner join postgresql.public.device_master as devices
            on telemetry.device_id = devices.device_id
        inner join postgresql.public.customer_master as customers
            on devices.customer_id = customers.customer_id
        where devices.device_id = 'MTR-10003'
        """
    )
    assert rows == [["MTR-10003", "CUST-8001"]]
