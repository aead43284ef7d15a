"""A reading counts on the local day on which its interval starts, whichever way it came there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.browser.master_data import insertion
from tests.integration.access import Access
from tests.integration.lakehouse import Lakehouse, Reading, reading
from tests.integration.test_live_marts import live, marts
from tests.integration.test_marts import contents, table_rows
from tests.integration.test_what_models_see import progress, set_progress

pytestmark = pytest.mark.same_in_both_modes

HALF_HOUR = timedelta(minutes=30)
DAY_S, FORTY_DAYS_S = 86_400, 40 * 86_400
READINGS = "intermediate.int_meter_readings"
# Local days on which the clock changes, with their half-hours: Lord Howe moves it by one of them.
CLOCK_CHANGES = [
    ("Europe/London", date(2026, 3, 29), 46),
    ("Europe/London", date(2026, 10, 25), 50),
    ("Australia/Lord_Howe", date(2026, 10, 4), 47),
    ("Australia/Lord_Howe", date(2026, 4, 5), 49),
    ("Asia/Kathmandu", date(2026, 6, 1), 48),
    # Midnight comes twice; midnight does not come.
    ("Atlantic/Azores", date(2026, 10, 25), 50),
    ("America/Santiago", date(2026, 9, 6), 46),
]
Days = dict[str, tuple[int, Decimal]]


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def half_hours(zone: str, day: date) -> list[datetime]:
    """The ends, in UTC, of all half-hours of a local day."""
    starts = [
        datetime.combine(day + timedelta(days=each), time(), ZoneInfo(zone)).astimezone(UTC)
        for each in range(2)
    ]
    count = (starts[1] - starts[0]) // HALF_HOUR
    return [starts[0] + number * HALF_HOUR for number in range(1, count + 1)]


def case_c1(device: str) -> list[Reading]:
    """47 half-hours of 0.5 kWh, and the last one of the day with 2.0."""
    ends = half_hours("UTC", date(2026, 6, 1))
    return [
        reading(device, stamp(end), energy_kwh=0.5 if end < ends[-1] else 2.0, interval_s=1800)
        for end in ends
    ]


class Story:
    """Meters of a customer of their own, corrected in two more rounds.

    moved: from a day that keeps other readings; alone: from a day that keeps none; long: from
    forty days before. live, mart: the live views before the second round, and the marts after it.
    """

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        number = 900_000_000 + uuid.uuid4().int % 90_000_000
        self.customer = f"CUST-{number}"
        lakehouse.change_master_data(*insertion("customer_master", customer_id=self.customer))
        zones = [zone for zone, _, _ in CLOCK_CHANGES]
        self.changing = [self._meter(zone) for zone in zones]
        self.c1, self.c1_silent, self.moved, self.alone, self.long = (
            self._meter("UTC") for _ in range(5)
        )
        self._send(*self._first())
        self.before = {name: self.days(name) for name in (self.moved, self.alone, self.long)}
        self.customers_before = self.customer_days()
        lakehouse.send(
            reading(self.moved, "2026-06-05T00:30:00Z", energy_kwh=1.0, interval_s=1800),
            reading(self.alone, "2026-07-05T00:30:00Z", energy_kwh=1.5, interval_s=1800),
        )
        lakehouse.land()
        self.live = live(lakehouse)
        lakehouse.round()
        self.mart = marts(lakehouse)
        self._send(reading(self.long, "2026-08-20T00:30:00Z", energy_kwh=2.5, interval_s=1800))

    def _meter(self, zone: str) -> str:
        (device,) = self.lakehouse.new_devices(customer_id=self.customer, time_zone=zone)
        return device

    def _first(self) -> list[Reading]:
        silent = case_c1(self.c1_silent)
        for each in silent:
            each["metrics"].pop("interval_s")
        changes = [
            reading(device, stamp(end), energy_kwh=0.25)
            for device, (zone, day, _) in zip(self.changing, CLOCK_CHANGES, strict=True)
            for end in half_hours(zone, day)
        ]
        return [
            *case_c1(self.c1),
            *silent,
            *changes,
            reading(self.moved, "2026-06-04T12:00:00Z", energy_kwh=0.5),
            reading(self.moved, "2026-06-05T00:30:00Z", energy_kwh=1.0, interval_s=DAY_S),
            reading(self.alone, "2026-07-05T00:30:00Z", energy_kwh=1.5, interval_s=DAY_S),
            reading(self.long, "2026-08-20T00:30:00Z", energy_kwh=2.5, interval_s=FORTY_DAYS_S),
        ]

    def _send(self, *messages: Reading) -> None:
        self.lakehouse.send(*messages)
        self.lakehouse.land_and_round()

    def days(self, device: str) -> Days:
        """Readings and energy of a meter by day."""
        return self._by_day(f"device_daily_metrics where device_id = '{device}'")

    def customer_days(self) -> Days:
        """The same of the customer."""
        return self._by_day(f"customer_usage_summary where customer_id = '{self.customer}'")

    def _by_day(self, rows: str) -> Days:
        found = self.lakehouse.sql(
            "select cast(reading_date as varchar), reading_count, total_energy_kwh "
            f"from iceberg.marts.{rows}"
        )
        return {day: (count, Decimal(energy)) for day, count, energy in found}


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Story:
    return Story(lakehouse)


def whole_state(lakehouse: Lakehouse) -> dict[str, list[list[Any]]]:
    """Rows of readings and marts, but for the runs that wrote them."""
    schema, name = READINGS.split(".")
    readings = table_rows(lakehouse, schema, name, "device_id, reading_at")
    return {READINGS: readings, **contents(lakehouse)}


def test_the_half_hour_before_midnight_is_of_the_day_that_ends(story: Story) -> None:
    assert story.days(story.c1) == {"2026-06-01": (48, Decimal("25.5"))}
    # The meter's interval of 30 minutes counts where a message says none.
    assert story.days(story.c1_silent) == {"2026-06-01": (48, Decimal("25.5"))}


@pytest.mark.parametrize("place", range(len(CLOCK_CHANGES)), ids=[str(c) for c in CLOCK_CHANGES])
def test_a_day_on_which_the_clock_changes_holds_all_its_half_hours(
    story: Story, place: int
) -> None:
    _, day, count = CLOCK_CHANGES[place]
    assert story.days(story.changing[place]) == {day.isoformat(): (count, count * Decimal("0.25"))}


def test_the_half_hours_of_london_end_when_they_should() -> None:
    spring, autumn = (half_hours(zone, day) for zone, day, _ in CLOCK_CHANGES[:2])
    assert (stamp(spring[0]), stamp(spring[-1])) == ("2026-03-29T00:30:00Z", "2026-03-29T23:00:00Z")
    assert (stamp(autumn[0]), stamp(autumn[-1])) == ("2026-10-24T23:30:00Z", "2026-10-26T00:00:00Z")


def one(day: str, energy: str) -> Days:
    return {day: (1, Decimal(energy))}


def test_a_corrected_length_moves_a_reading_to_its_day(story: Story) -> None:
    assert story.before[story.moved] == {"2026-06-04": (2, Decimal("1.5"))}
    assert story.days(story.moved) == one("2026-06-04", "0.5") | one("2026-06-05", "1.0")
    assert story.lakehouse.value(
        f"select version_dates from iceberg.{READINGS} "
        f"where device_id = '{story.moved}' and reading_at = timestamp '2026-06-05 00:30:00 UTC'"
    ) == [date(2026, 6, 4), date(2026, 6, 5)]


def test_a_day_that_its_only_reading_leaves_has_no_row(story: Story) -> None:
    assert story.before[story.alone] == one("2026-07-04", "1.5")
    assert story.days(story.alone) == one("2026-07-05", "1.5")
    assert "2026-07-04" in story.customers_before
    assert "2026-07-04" not in story.customer_days()
    assert story.customer_days()["2026-07-05"] == (1, Decimal("1.5"))


def test_a_reading_longer_than_a_day_moves_too(story: Story) -> None:
    assert story.before[story.long] == one("2026-07-11", "2.5")
    assert story.days(story.long) == one("2026-08-20", "2.5")
    assert "2026-07-11" not in story.customer_days()


@pytest.mark.parametrize("mart", ["device_daily_metrics", "customer_usage_summary"])
def test_live_knows_the_day_left_and_the_day_reached(story: Story, mart: str) -> None:
    assert story.live[mart] == story.mart[mart]


def test_days_are_the_same_after_a_rebuild(story: Story) -> None:
    incremental = whole_state(story.lakehouse)

    story.lakehouse.round(is_full_refresh=True)

    assert whole_state(story.lakehouse) == incremental


def test_tables_by_an_older_rule_are_rebuilt_by_the_next_run(story: Story) -> None:
    """As before this rule: the day was that of the end, and progress named no rule."""
    lakehouse = story.lakehouse
    right = whole_state(lakehouse)
    older(lakehouse, [story.c1])

    lakehouse.round(changed=["source:landing.telemetry_raw"])

    assert whole_state(lakehouse) == right


def older(lakehouse: Lakehouse, devices: Sequence[str]) -> None:
    """Make the readings of some meters, and their table's progress, those of an older version."""
    for device in devices:
        Access(lakehouse.settings, "").ask(
            "dbt",
            f"update iceberg.{READINGS} set reading_date = cast(reading_at as date) "
            f"where device_id = '{device}'",
        )
    said = json.loads(progress(lakehouse, READINGS))
    assert said.pop("rule") == 4
    del said["longest_s"]
    set_progress(lakehouse, READINGS, json.dumps(said))
