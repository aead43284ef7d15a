"""Landing to marts: late, duplicate and corrected readings end where they belong."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
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
    "register_reconciliation": "device_id, channel, from_at",
}
SLOTS = {
    "int_interval_reads": "device_id, channel, slot_start_at",
    "int_energy_days": "device_id, channel, local_date",
}


def day(days_ago: int) -> str:
    return (TODAY - timedelta(days=days_ago)).isoformat()


def day_of(reading_at: datetime) -> str:
    """The day in UTC of a half-hour that ends at a time."""
    return (reading_at - timedelta(minutes=30)).date().isoformat()


def daily_energy(lakehouse: Lakehouse, device: str) -> dict[str, Decimal]:
    rows = lakehouse.sql(
        "select cast(reading_date as varchar), total_energy_kwh "
        f"from iceberg.marts.device_daily_metrics where device_id = '{device}'"
    )
    return {date: Decimal(energy) for date, energy in rows}


def shuffled_week(devices: Sequence[str], seed: int) -> list[Reading]:
    """A week of three-hourly readings with duplicates and corrections, in no order at all."""
    dice = random.Random(seed)
    readings = [
        reading(
            device,
            f"{day(days_ago)}T{hour:02}:00:00Z",
            energy_kwh=dice.randrange(1, 2000) / 1000,
            voltage=dice.choice([*(volts / 10 for volts in range(2200, 2400)), "230", 99999]),
            battery_pct=dice.choice([*range(50, 58), "full", None]),
            status=dice.choice(["OK"] * 8 + ["WARN_UNDER_VOLTAGE", None]),
            register_kwh=dice.choice([None, 7.5, *(500 - 24 * days_ago + hour,) * 8]),
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


def day_with_warnings(device: str, warnings: int) -> list[Reading]:
    """Twenty readings of yesterday, the first of them with a warning."""
    return [
        reading(
            device,
            f"{day(1)}T{hour:02}:00:00Z",
            status="WARN_LOW_BATTERY" if hour <= warnings else "OK",
        )
        for hour in range(1, 21)
    ]


class Story:
    """Meters of which each plays a part in the same two rounds, and what was seen on the way.

    week: messages of the meters in `weekly`. insert: what the second round's dbt sent to staging.
    health_before: rows of `leaving` and `staying`, and the mart's columns, after the first round.
    """

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        self.late, self.again, self.fast, self.right, self.twice = lakehouse.new_devices(5)
        (self.abroad,) = lakehouse.new_devices(time_zone="Australia/Sydney")
        # 2 of 20 is 10 %, not more; 3 of 20 is 15 %.
        self.healthy, self.degraded, self.unhealthy = lakehouse.new_devices(3)
        self.leaving, self.staying = sorted(lakehouse.new_devices(2))
        self.weekly = lakehouse.new_devices(4)
        self.week = shuffled_week(self.weekly, seed=8831)
        self._first_round()
        self.health_before = self.health()
        self._second_round()
        self.insert = lakehouse.last_insert("stg_telemetry_raw")

    def _first_round(self) -> None:
        ahead = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.lakehouse.send(
            reading(self.late, f"{day(30)}T10:00:00Z", energy_kwh=1.0),
            reading(self.late, f"{day(2)}T10:00:00Z", energy_kwh=2.0),
            reading(self.again, f"{day(1)}T10:00:00Z"),
            reading(self.fast, ahead),
            reading(self.twice, f"{day(1)}T10:00:00Z", energy_kwh=1.0),
            reading(self.twice, f"{day(1)}T10:30:00Z", energy_kwh=2.0),
            reading(self.twice, f"{day(1)}T10:00:00Z", energy_kwh=1.0),
            reading(self.abroad, "2026-07-01T20:00:00Z", energy_kwh=1.0),
            *day_with_warnings(self.healthy, 0),
            *day_with_warnings(self.degraded, 2),
            *day_with_warnings(self.unhealthy, 3),
            reading(self.staying, f"{day(1)}T10:00:00Z"),
            *self.week[: len(self.week) // 2],
        )
        self.lakehouse.land_and_round()

    def _second_round(self) -> None:
        self.lakehouse.forget_device(self.leaving)
        self.lakehouse.send(
            reading(self.late, f"{day(30)}T10:30:00Z", energy_kwh=0.5),
            reading(self.again, f"{day(1)}T10:30:00Z"),
            reading(self.right, f"{day(1)}T10:00:00Z", energy_kwh=3.0),
            reading(self.staying, f"{day(1)}T10:30:00Z"),
            *self.week[len(self.week) // 2 :],
        )
        # A sender whose clock stands in 2001: the broker's time counts.
        self.lakehouse.send(
            reading(self.twice, f"{day(1)}T10:00:00Z", energy_kwh=1.0),
            reading(self.twice, f"{day(1)}T10:30:00Z", energy_kwh=2.5),
            sender_ms=1_000_000_000_000,
        )
        self.lakehouse.land_and_round()

    def energy(self, device: str) -> dict[str, Decimal]:
        """Energy of each day of a meter."""
        return daily_energy(self.lakehouse, device)

    def health(self) -> tuple[list[list[Any]], list[list[Any]]]:
        """Which of `leaving` and `staying` the health mart tells of, and its columns."""
        rows = self.lakehouse.sql(
            "select device_id from iceberg.marts.device_health_status "
            f"where device_id in ('{self.leaving}', '{self.staying}') order by 1"
        )
        return rows, self.lakehouse.sql("describe iceberg.marts.device_health_status")


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Story:
    """Two rounds for all tests: a round takes longer than what it does for one meter more."""
    return Story(lakehouse)


def test_a_late_reading_changes_its_own_day(story: Story) -> None:
    assert story.energy(story.late) == {day(30): Decimal("1.5"), day(2): Decimal("2.0")}


def test_an_insert_sent_again_later_adds_nothing(story: Story) -> None:
    """As by a dbt that stood still without its lock while another did its work."""
    accepted = (
        f"select count(*) from iceberg.staging.stg_telemetry_raw where device_id = '{story.again}'"
    )
    assert story.lakehouse.value(accepted) == 2

    ((added,),) = Access(story.lakehouse.settings, "").ask("dbt", story.insert)

    assert added == 0
    assert story.lakehouse.value(accepted) == 2


def test_a_fast_clock_hides_nobodys_readings(story: Story) -> None:
    assert story.energy(story.right) == {day(1): Decimal("3.0")}
    assert story.energy(story.fast) == {}


def test_a_duplicate_counts_once_and_a_correction_replaces(story: Story) -> None:
    versions = story.lakehouse.sql(
        "select version_count, duplicate_count, correction_count "
        f"from iceberg.intermediate.int_meter_readings where device_id = '{story.twice}' "
        "order by reading_at"
    )
    assert versions == [[3, 2, 0], [2, 0, 1]]
    assert story.energy(story.twice) == {day(1): Decimal("3.5")}


def test_days_are_the_meters_own(story: Story) -> None:
    # Sydney is ten hours ahead in July: eight in the evening UTC is six in the morning after.
    assert story.energy(story.abroad) == {"2026-07-02": Decimal("1.0")}


@pytest.mark.parametrize("zone", ["CEST", "ABC5", "posix/Europe/Berlin", "Europe/Nowhere"])
def test_a_zone_that_only_postgresql_knows_or_nobody_is_refused(
    lakehouse: Lakehouse, zone: str
) -> None:
    with pytest.raises(psycopg2.Error, match=r"time.zone"):
        lakehouse.new_devices(time_zone=zone)


def test_warnings_decide_the_status_of_a_day(story: Story) -> None:
    rows = story.lakehouse.sql(
        "select device_id, health_score_pct, device_health_status "
        "from iceberg.marts.device_daily_metrics "
        f"where device_id in ('{story.healthy}', '{story.degraded}', '{story.unhealthy}')"
    )
    assert {device: (Decimal(score), status) for device, score, status in rows} == {
        story.healthy: (Decimal(100), "HEALTHY"),
        story.degraded: (Decimal(90), "DEGRADED"),
        story.unhealthy: (Decimal(85), "UNHEALTHY"),
    }


def test_the_health_of_a_meter_that_left_goes_and_all_else_stays(story: Story) -> None:
    rows_before, columns_before = story.health_before
    assert rows_before == [[story.leaving], [story.staying]]
    assert all(comment for *_, comment in columns_before)
    assert story.health() == ([[story.staying]], columns_before)


def test_a_second_run_changes_nothing(story: Story) -> None:
    before = story.lakehouse.metadata_files()
    story.lakehouse.round()
    assert {"marts.device_daily_metrics", "quality.reading_corrections"} <= before.keys()
    assert story.lakehouse.metadata_files() == before


def contents(lakehouse: Lakehouse) -> dict[str, list[list[Any]]]:
    """Rows of marts, slots and days of energy by their keys, but for the runs that wrote them."""
    marts = {mart: table_rows(lakehouse, "marts", mart, keys) for mart, keys in MARTS.items()}
    return marts | {
        name: table_rows(lakehouse, "intermediate", name, keys) for name, keys in SLOTS.items()
    }


def table_rows(lakehouse: Lakehouse, schema: str, name: str, keys: str) -> list[list[Any]]:
    """Rows of a table of the models in the order of its keys, without their load_id."""
    described = lakehouse.sql(f"describe iceberg.{schema}.{name}")
    columns = ", ".join(column for column, *_ in described if column != "load_id")
    return lakehouse.sql(f"select {columns} from iceberg.{schema}.{name} order by {keys}")


def test_a_rebuild_gives_the_rows_of_the_increments(story: Story) -> None:
    incremental = contents(story.lakehouse)

    story.lakehouse.round(is_full_refresh=True)

    assert contents(story.lakehouse) == incremental
    assert expected_energy(story.week) == {device: story.energy(device) for device in story.weekly}


def expected_energy(messages: list[Reading]) -> dict[str, dict[str, Decimal]]:
    """Daily sums by plain Python: the last message of each device and time counts.

    messages: of half-hours of meters in UTC.
    """
    newest = {(m["device_id"], m["timestamp"]): m["metrics"]["energy_kwh"] for m in messages}
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for (device, timestamp), energy in newest.items():
        sums[device][day_of(datetime.fromisoformat(timestamp))] += Decimal(str(energy))
    return {device: dict(days) for device, days in sums.items()}


def test_what_landed_was_accepted_or_quarantined(story: Story) -> None:
    lakehouse = story.lakehouse
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
