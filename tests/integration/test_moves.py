"""Meters change customer, zone and place: each reading counts by its own time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.browser.master_data import insertion
from tests.faults.marts import differences
from tests.faults.meters import Meters
from tests.integration.lakehouse import Lakehouse, reading
from tests.postgres import admin_connection

pytestmark = pytest.mark.same_in_both_modes

SYDNEY = ZoneInfo("Australia/Sydney")
MASTER_DATA = ["source:master_data"]
READINGS, DAYS = "intermediate.int_meter_readings", "marts.device_daily_metrics"
LONG_AGO = date(2020, 1, 1)
AGREEMENT = (
    "insert into agreement (service_point_id, customer_id, tariff_code, start_date, end_date) "
    "values (%s, %s, 'T', %s, %s)"
)
SEED, MOVES = 20260601, 3


def day(number: int) -> date:
    """One of the days of the story: 0 to 4, all of them over in every zone."""
    return (datetime.now(UTC) - timedelta(days=8 - number)).date()


def at(number: int, hour: int) -> datetime:
    """A moment of a day in Sydney."""
    return datetime.combine(day(number), time(hour), SYDNEY).astimezone(UTC)


@dataclass(frozen=True)
class State:
    """What marts say after a round. days: customer and kWh; written: days that the round wrote."""

    days: dict[str, dict[int, tuple[str | None, float]]]
    usage: dict[str, dict[int, float]]
    written: dict[str, list[int]]


class Story:
    """A meter of customer A beside one of customer B, in Sydney; what is said of it later."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        number = 900_000_000 + uuid.uuid4().int % 80_000_000
        self.a, self.b = (f"CUST-{number + each}" for each in range(2))
        for customer in (self.a, self.b):
            lakehouse.change_master_data(*insertion("customer_master", customer_id=customer))
        zone: dict[str, Any] = {"time_zone": "Australia/Sydney", "interval_minutes": 30}
        self.moved, self.left, self.deleted = lakehouse.new_devices(3, customer_id=self.a, **zone)
        (self.other,) = lakehouse.new_devices(customer_id=self.b, **zone)
        self.meters = [self.moved, self.left, self.deleted, self.other]
        lakehouse.send(
            *(self._said(self.moved, number, 12, 2.0**number) for number in range(5)),
            *(self._said(self.other, number, 12, 32.0) for number in range(5)),
            self._said(self.moved, 2, 6, 0.5),
            self._said(self.left, 2, 10, 100.0),
            self._said(self.left, 2, 14, 200.0),
            self._said(self.deleted, 1, 12, 1000.0),
        )
        lakehouse.land_and_round()

    @staticmethod
    def _said(device: str, number: int, hour: int, kwh: float) -> Any:
        return reading(device, f"{at(number, hour):%Y-%m-%dT%H:%M:%SZ}", energy_kwh=kwh)

    def write(self, *statements: tuple[str, list[Any]]) -> None:
        """Change master data in one transaction."""
        connection = admin_connection(self.lakehouse.settings, "meterhouse")
        with closing(connection), connection, connection.cursor() as cursor:
            for statement, values in statements:
                cursor.execute(statement, values)

    def agreements(self, *spans: tuple[str, date, date | None]) -> None:
        """Who has the place of the moved meter, instead of who had it before."""
        self.write(
            ("delete from agreement where service_point_id = %s", [self.moved]),
            *((AGREEMENT, [self.moved, *span]) for span in spans),
        )

    def round(self, changed: list[str] | None = None, **options: Any) -> State:
        """Run the models; what the marts say then."""
        before = {table: self._newest_load(table) for table in (READINGS, DAYS)}
        self.lakehouse.round(changed=changed or [], **options)
        return State(self.days(), self.usage(), {t: self._written(t, n) for t, n in before.items()})

    def _newest_load(self, table: str) -> int:
        return int(self.lakehouse.value(f"select max(load_id) from iceberg.{table}"))

    def _written(self, table: str, load: int) -> list[int]:
        """The story's days of the moved and the other meter that a round wrote to a table."""
        rows = self.lakehouse.sql(
            f"select distinct reading_date from iceberg.{table} "
            f"where load_id > {load} and device_id in ('{self.moved}', '{self.other}') order by 1"
        )
        return [number_of(found) for (found,) in rows]

    def days(
        self, mart: str = "device_daily_metrics"
    ) -> dict[str, dict[int, tuple[str | None, float]]]:
        """Customer and kWh of each day of each meter."""
        names = ", ".join(f"'{meter}'" for meter in self.meters)
        rows = self.lakehouse.sql(
            "select device_id, reading_date, customer_id, cast(total_energy_kwh as double) "
            f"from iceberg.marts.{mart} where device_id in ({names})"
        )
        found: dict[str, dict[int, tuple[str | None, float]]] = {meter: {} for meter in self.meters}
        for meter, reading_date, customer, kwh in rows:
            found[meter][number_of(reading_date)] = (customer, kwh)
        return found

    def usage(self) -> dict[str, dict[int, float]]:
        """The kWh of each day of both customers."""
        rows = self.lakehouse.sql(
            "select customer_id, reading_date, cast(total_energy_kwh as double) "
            "from iceberg.marts.customer_usage_summary "
            f"where customer_id in ('{self.a}', '{self.b}')"
        )
        found: dict[str, dict[int, float]] = {self.a: {}, self.b: {}}
        for customer, reading_date, kwh in rows:
            found[customer][number_of(reading_date)] = kwh
        return found


def number_of(found: date) -> int:
    """Which day of the story a date is."""
    return (found - day(0)).days


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Iterator[Story]:
    yield Story(lakehouse)


@pytest.fixture(scope="module")
def states(story: Story) -> dict[str, State]:
    """The marts after each thing that was said."""
    found = {"first": State(story.days(), story.usage(), {})}
    story.write(
        (
            "update agreement set end_date = %s where service_point_id = %s",
            [day(2), story.moved],
        ),
        (AGREEMENT, [story.moved, story.b, day(2), None]),
    )
    found["moved"] = story.round(MASTER_DATA)
    story.agreements((story.a, LONG_AGO, day(1)), (story.b, day(1), None))
    found["backdated"] = story.round(MASTER_DATA)
    story.agreements((story.a, LONG_AGO, None))
    found["undone"] = story.round(MASTER_DATA)
    found["still"] = story.round(MASTER_DATA)
    new_york = (
        "insert into service_point select (jsonb_populate_record(service_point, "
        "jsonb_build_object('time_zone', 'America/New_York', 'valid_from', %s::timestamptz, "
        "'valid_to', null))).* "
        "from service_point where service_point_id = %s"
    )
    story.write(
        (
            "update service_point set valid_to = %s where service_point_id = %s",
            [at(3, 0), story.moved],
        ),
        (new_york, [at(3, 0), story.moved]),
        (
            "update meter_installation set removed_at = %s where device_id = %s",
            [at(2, 12), story.left],
        ),
        (
            "insert into meter_installation (device_id, installed_at, service_point_id) "
            "values (%s, %s, %s)",
            [story.left, at(2, 13), story.other],
        ),
        ("delete from device_master where device_id = %s", [story.deleted]),
    )
    found["elsewhere"] = story.round(MASTER_DATA)
    return found


def test_old_days_stay_with_the_old_customer(story: Story, states: dict[str, State]) -> None:
    """Day 2 has a reading at six in the morning and one at noon; UTC's day begins at eleven."""
    a, b = story.a, story.b
    assert states["first"].days[story.moved] == {
        0: (a, 1.0), 1: (a, 2.0), 2: (a, 4.5), 3: (a, 8.0), 4: (a, 16.0)
    }  # fmt: skip
    assert states["moved"].days[story.moved] == {
        0: (a, 1.0), 1: (a, 2.0), 2: (b, 4.5), 3: (b, 8.0), 4: (b, 16.0)
    }  # fmt: skip


def test_both_customers_usage_follows(story: Story, states: dict[str, State]) -> None:
    """A has two more meters, of 300 kWh on day 2 and of 1,000 on day 1."""
    assert states["first"].usage == {
        story.a: {0: 1.0, 1: 1002.0, 2: 304.5, 3: 8.0, 4: 16.0},
        story.b: {0: 32.0, 1: 32.0, 2: 32.0, 3: 32.0, 4: 32.0},
    }
    assert states["moved"].usage == {
        story.a: {0: 1.0, 1: 1002.0, 2: 300.0},
        story.b: {0: 32.0, 1: 32.0, 2: 36.5, 3: 40.0, 4: 48.0},
    }


def test_a_round_writes_the_days_from_the_move_on_alone(states: dict[str, State]) -> None:
    assert states["moved"].written == {READINGS: [2, 3, 4], DAYS: [2, 3, 4]}


def test_an_earlier_date_of_the_move_adds_its_day(story: Story, states: dict[str, State]) -> None:
    assert states["backdated"].usage == {
        story.a: {0: 1.0, 1: 1000.0, 2: 300.0},
        story.b: {0: 32.0, 1: 34.0, 2: 36.5, 3: 40.0, 4: 48.0},
    }
    assert states["backdated"].written == {READINGS: [1], DAYS: [1]}


def test_a_move_that_is_taken_back_leaves_nothing(states: dict[str, State]) -> None:
    assert (states["undone"].days, states["undone"].usage) == (
        states["first"].days,
        states["first"].usage,
    )
    assert states["undone"].written == {READINGS: [1, 2, 3, 4], DAYS: [1, 2, 3, 4]}


def test_a_round_without_a_change_writes_nothing(states: dict[str, State]) -> None:
    assert states["still"].written == {READINGS: [], DAYS: []}
    assert states["still"].days == states["undone"].days


def test_another_zone_moves_readings_from_then_on(story: Story, states: dict[str, State]) -> None:
    """Noon of day 3 in Sydney is the evening of day 2 in New York; day 4 has no reading left."""
    a = story.a
    assert states["elsewhere"].days[story.moved] == {
        0: (a, 1.0), 1: (a, 2.0), 2: (a, 12.5), 3: (a, 16.0)
    }  # fmt: skip


def test_a_meter_that_changes_place_within_a_day(story: Story, states: dict[str, State]) -> None:
    """Its readings are of one customer each; the day is of the last."""
    rows = story.lakehouse.sql(
        f"select customer_id, cast(energy_kwh as double) from iceberg.{READINGS} "
        f"where device_id = '{story.left}' order by reading_at"
    )
    assert rows == [[story.a, 100.0], [story.b, 200.0]]
    assert states["elsewhere"].days[story.left] == {2: (story.b, 300.0)}
    assert states["elsewhere"].usage == {
        story.a: {0: 1.0, 1: 1002.0, 2: 12.5, 3: 16.0},
        story.b: {0: 32.0, 1: 32.0, 2: 332.0, 3: 32.0, 4: 32.0},
    }


def test_a_meter_that_is_deleted_keeps_its_days(story: Story, states: dict[str, State]) -> None:
    assert states["elsewhere"].days[story.deleted] == {1: (story.a, 1000.0)}


def test_the_live_mart_is_the_mart(story: Story, states: dict[str, State]) -> None:
    assert story.days("device_daily_metrics_live") == states["elsewhere"].days


def test_moves_at_random_leave_the_marts_of_a_rebuild(lakehouse: Lakehouse) -> None:
    """DuckDB makes the marts from the messages and the dated tables, by rules of its own."""
    meters = Meters(lakehouse.settings, SEED)
    meters.speak(80)
    lakehouse.land_and_round()
    troubles = differences(lakehouse, meters)
    for number in range(MOVES):
        what = meters.move()
        if number % 2:
            meters.speak(10)
            lakehouse.land()
        lakehouse.round()
        troubles += [f"move {number}, {what}: {each}" for each in differences(lakehouse, meters)]
    assert troubles == []


def test_a_rebuild_gives_the_same_rows(story: Story, states: dict[str, State]) -> None:
    rebuilt = story.round(is_full_refresh=True)
    assert (rebuilt.days, rebuilt.usage) == (states["elsewhere"].days, states["elsewhere"].usage)
