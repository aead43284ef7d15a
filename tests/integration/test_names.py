"""Meters and customers of any name: text everywhere, the whole way, each with its own figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

import explorer.lakehouse
from explorer import customer_queries, quality_queries, queries
from explorer.lakehouse import Answer
from explorer.queries import Query
from stack.base.patterns import Pattern
from stack.rounds.catalog import count_returning
from tests.integration.lakehouse import Lakehouse, Reading, reading
from tests.names import each_of, odd_names, pattern_of

pytestmark = pytest.mark.same_in_both_modes

NAMES = odd_names()
READINGS = 2
# Hours of yesterday in UTC, the zone of the first meter's copies.
YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
LONG_AGO = date(2020, 1, 1)
LONG_AGO_AT = datetime(2020, 1, 1, tzinfo=UTC)


def kwh_of(odd: str) -> Decimal:
    """The energy of one reading of a meter, which no other meter has."""
    return Decimal(list(NAMES).index(odd) + 1) / 10


def customer_of(odd: str) -> str:
    """The customer of a meter, of a name as odd."""
    return NAMES[odd][::-1]


def stamp(hour: int) -> str:
    return f"{YESTERDAY}T{hour:02}:00:00Z"


def readings_of(odd: str) -> list[Reading]:
    """Two readings of a meter, one of them sent twice."""
    told: dict[str, Any] = {"energy_kwh": float(kwh_of(odd)), "customer_id": customer_of(odd)}
    found = [reading(NAMES[odd], stamp(hour), **told) for hour in (10, 11)]
    return [*found, found[0]]


# Texts that no meter in master data has, each for what is wrong with it.
STRANGERS = {
    "trailing blank": f"{NAMES['lower']} ",
    "leading blank": f" {NAMES['lower']}",
    "another case": NAMES["wide"].replace("\uff11", "1"),
    "too long": f"{NAMES['longest']}x",
    "very long": "x" * 9_000_000,
    "zero byte": f"{NAMES['lower']}\0",
    "control": "a\r\nb\x1b[31m",
    "no name": "",
}


def any_of(names: Iterable[str]) -> Pattern:
    """A pattern that finds each of these names."""
    return Pattern("|".join(map(pattern_of, names)))


@dataclass(frozen=True)
class World:
    """A stack that has read messages and log lines of every name."""

    lakehouse: Lakehouse
    pages: explorer.lakehouse.Lakehouse

    def frame(self, query: Query) -> pd.DataFrame:
        """What a page gets. Fails where it gets a problem."""
        answer = self.pages.ask({"it": query})["it"]
        assert isinstance(answer, Answer), answer
        return answer.frame

    def texts(self, statement: str) -> dict[str, list[Any]]:
        """Rows of a statement by their first column, which is a name."""
        return {name: row for name, *row in self.lakehouse.sql(statement)}


@pytest.fixture(scope="module")
def world(lakehouse: Lakehouse) -> Iterator[World]:
    """The odd names, after a round with patterns that know them; then tables without, as before."""
    add = (
        "insert into customer_master select (jsonb_populate_record(customer_master, "
        "jsonb_build_object('customer_id', %s::text))).* from customer_master order by 1 limit 1"
    )
    for odd, name in NAMES.items():
        lakehouse.change_master_data(add, customer_of(odd))
        lakehouse.add_device(name, customer_id=customer_of(odd), time_zone="UTC")
    lakehouse.send(*(each for odd in NAMES for each in readings_of(odd)))
    strangers = [reading(name, stamp(12)) for name in STRANGERS.values()]
    lakehouse.send_raw([(b"stranger", json.dumps(each).encode()) for each in strangers])
    lakehouse.send_raw([(b"half", json.dumps(reading("\ud800", stamp(12))).encode())])
    lines = [f"ERROR {name}: POWER_FAILURE of {customer_of(odd)}" for odd, name in NAMES.items()]
    lakehouse.send_raw([(None, line.encode()) for line in lines], topic="meter_logs")
    lakehouse.land("meter_logs")
    lakehouse.land()
    settings = replace(
        lakehouse.settings,
        log_meter_pattern=any_of(NAMES.values()),
        log_customer_pattern=any_of(map(customer_of, NAMES)),
    )
    Lakehouse(settings).round()
    yield World(lakehouse, explorer.lakehouse.Lakehouse(lakehouse.settings))
    lakehouse.dbt("run", "--full-refresh", "--select", "stg_meter_health_logs+")


@pytest.mark.parametrize(
    ("mart", "name_of"),
    [
        ("device_daily_metrics", NAMES.__getitem__),
        ("device_daily_metrics_live", NAMES.__getitem__),
        ("customer_usage_summary", customer_of),
        ("customer_usage_live", customer_of),
    ],
)
def test_each_name_has_its_own_figures(world: World, mart: str, name_of: Any) -> None:
    key = "device_id" if mart.startswith("device") else "customer_id"
    found = world.texts(
        f"select {key}, reading_count, total_energy_kwh from iceberg.marts.{mart} "
        f"where reading_date = date '{YESTERDAY}'"
    )
    wanted = {name_of(odd): [READINGS, READINGS * kwh_of(odd)] for odd in NAMES}
    assert {name: found.get(name) for name in wanted} == wanted


def test_each_meter_belongs_to_its_customer_and_its_log_line_names_both(world: World) -> None:
    wanted = {NAMES[odd]: customer_of(odd) for odd in NAMES}
    health = world.texts(
        "select device_id, customer_id, open_faults from iceberg.marts.device_health_status"
    )
    assert {name: health[name] for name in wanted} == {
        name: [customer, "POWER_FAILURE"] for name, customer in wanted.items()
    }
    lines = world.texts(
        "select device_id, customer_id from iceberg.staging.stg_meter_health_logs "
        "where device_id is not null"
    )
    assert {name: lines[name] for name in wanted} == {
        name: [customer] for name, customer in wanted.items()
    }


@each_of(NAMES)
def test_the_explorers_page_of_a_meter_finds_it_alone(world: World, odd: str) -> None:
    name = NAMES[odd]
    (customer,) = world.frame(queries.meter(name))["customer_id"]
    assert customer == customer_of(odd)
    (day,) = world.frame(queries.meter_days(name, LONG_AGO)).to_dict("records")
    assert (day["reading_count"], day["duplicate_count"]) == (READINGS, 1)
    slots = world.frame(queries.meter_slots(name, LONG_AGO_AT, datetime.now(UTC)))
    assert round(Decimal(str(slots["energy_kwh"].sum())), 6) == READINGS * kwh_of(odd)
    (line,) = world.frame(queries.meter_logs(name))["raw_text"]
    assert line.startswith(f"ERROR {name}: ")


@each_of(NAMES)
def test_the_explorers_page_of_a_customer_finds_it_alone(world: World, odd: str) -> None:
    name = customer_of(odd)
    assert list(world.frame(customer_queries.customer(name))["customer_id"]) == [name]
    (day,) = world.frame(customer_queries.customer_days(name, LONG_AGO)).to_dict("records")
    assert round(Decimal(str(day["total_energy_kwh"])), 6) == READINGS * kwh_of(odd)
    meters = world.frame(customer_queries.customer_meters(name, LONG_AGO))
    assert list(meters["device_id"]) == [NAMES[odd]]


def test_the_explorers_lists_have_each_name_once(world: World) -> None:
    meters = list(world.frame(queries.meters())["device_id"])
    assert [meters.count(name) for name in NAMES.values()] == [1] * len(NAMES)
    found = world.frame(customer_queries.customers(YESTERDAY, YESTERDAY))
    customers = list(found["customer_id"])
    assert [customers.count(customer_of(odd)) for odd in NAMES] == [1] * len(NAMES)


def test_a_text_that_is_nobodys_name_is_quarantined_as_an_unknown_meter(world: World) -> None:
    rows = world.lakehouse.sql(
        "select reason, device_id, length(device_id) "
        "from iceberg.quality.quarantine_telemetry_raw "
        f"where reading_at = timestamp '{YESTERDAY} 12:00:00 UTC' and message_key = 'stranger'"
    )
    found = {(reason, name if length < 1000 else length) for reason, name, length in rows}
    wanted = {name if len(name) < 1000 else len(name) for name in STRANGERS.values()}
    assert found >= {("unknown_device", name) for name in wanted}
    assert {reason for reason, _ in found} == {"unknown_device"}


def test_half_a_character_is_a_field_of_the_wrong_type(world: World) -> None:
    reasons = world.lakehouse.sql(
        "select distinct reason from iceberg.quality.quarantine_telemetry_raw "
        "where message_key = 'half'"
    )
    assert reasons == [["type:device_id"]]


def test_quarantined_names_can_be_searched_for_and_counted(world: World) -> None:
    for name in (STRANGERS["trailing blank"], STRANGERS["too long"]):
        frame = world.frame(quality_queries.quarantined(LONG_AGO_AT, "", name, 10))
        assert name in set(frame["device_id"])
    # Asked when meters were added: the names go from Trino to PostgreSQL and back.
    assert count_returning(world.lakehouse.settings) >= 0


@pytest.mark.parametrize("name", ["zero byte", "control", "no name"])
def test_the_explorer_says_that_nobody_has_a_name(world: World, name: str) -> None:
    assert world.frame(queries.meter(STRANGERS[name])).empty
    assert world.frame(customer_queries.customer(STRANGERS[name])).empty
