"""What the explorer's pages show is what plain rows, counted in Python, give."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

import explorer.lakehouse
from explorer import customer_queries, pipeline, quality_queries, queries
from explorer.lakehouse import Answer
from explorer.overview import energy_of, newest_of
from explorer.queries import Query
from explorer.sql_run import SqlRun
from stack.books.by_hand import reconcile_by_hand
from stack.rounds.books import plan_of
from stack.rounds.project import Project
from tests.integration.lakehouse import Lakehouse, no_word, reading

pytestmark = pytest.mark.same_in_both_modes

# Before what models accept: ten years.
LONG_AGO = date(2010, 1, 1)
LONG_AGO_AT = datetime(2010, 1, 1, tzinfo=UTC)
FAR_AHEAD_AT = datetime(2100, 1, 1, tzinfo=UTC)
NOON_READINGS = 5


@dataclass(frozen=True)
class Seen:
    """A stack with data: asked as the pages do, and as its operator with plain statements."""

    pages: explorer.lakehouse.Lakehouse
    lakehouse: Lakehouse
    device: str
    customer: str

    def frame(self, query: Query) -> pd.DataFrame:
        """What a page gets. Fails where it gets a problem."""
        answer = self.pages.ask({"it": query})["it"]
        assert isinstance(answer, Answer), answer
        return answer.frame

    def rows(self, sql: str) -> list[list[Any]]:
        """Plain rows."""
        return self.lakehouse.sql(sql)


@pytest.fixture(scope="module")
def seen(lakehouse: Lakehouse) -> Seen:
    """Readings of our own on two weekdays a week apart, one of them broken, through the models."""
    device, other = lakehouse.new_devices(2, time_zone="UTC")
    now = datetime.now(UTC)
    for days_ago in (0, 7):
        start = (now - timedelta(days=days_ago)).replace(hour=0, minute=0, second=0)
        times = [start + timedelta(seconds=each) for each in range(1, NOON_READINGS + 1)]
        stamps = [f"{each:%Y-%m-%dT%H:%M:%SZ}" for each in times]
        # Of a second each: they are of their day at whatever time this runs.
        # The register counts what a message lost between the days would have said.
        registers = enumerate(stamps, start=100 - 10 * days_ago)
        lakehouse.send(
            *(
                reading(device, e, status="WARN", interval_s=1, register_kwh=register)
                for register, e in registers
            )
        )
        lakehouse.send(reading(other, stamps[0], voltage=99999, interval_s=1))
    lakehouse.send_raw([(device.encode(), b'{"broken": <b>')])
    line = f"WARN {device}/CUST-8000: clock invalid (battery 45 %, 227.7 V)"
    lakehouse.send_raw([(device.encode(), line.encode())], topic="meter_logs")
    lakehouse.land("meter_logs")
    lakehouse.land_and_round()
    reconcile_by_hand(lakehouse.settings, plan_of(Project()), no_word, is_full=False)
    return Seen(explorer.lakehouse.Lakehouse(lakehouse.settings), lakehouse, device, "CUST-8000")


def total(values: pd.Series[Any]) -> Decimal:
    """A column's sum, to the sixth decimal that energy is stored with."""
    return Decimal(str(values.astype(float).sum())).quantize(Decimal("0.000001"))


def readings_of(seen: Seen) -> list[dict[str, Any]]:
    """Every reading of the meter, as plain rows."""
    names = ("reading_at", "reading_date", "energy_kwh", "voltage", "status")
    rows = seen.rows(
        f"select {', '.join(names)} from iceberg.intermediate.int_meter_readings "
        f"where device_id = '{seen.device}'"
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_slots_hold_the_readings_that_end_in_them(seen: Seen) -> None:
    expected: dict[datetime, Decimal] = defaultdict(Decimal)
    for each in readings_of(seen):
        # A reading that ends on the half-hour belongs to the slot before it.
        seconds = each["reading_at"].timestamp()
        start = (seconds - 0.001) // 1800 * 1800
        expected[datetime.fromtimestamp(start, UTC)] += each["energy_kwh"]
    frame = seen.frame(queries.meter_slots(seen.device, LONG_AGO_AT, FAR_AHEAD_AT))
    found = dict(zip(frame["slot_at"], frame["energy_kwh"], strict=True))
    assert {at.to_pydatetime(): round(kwh, 6) for at, kwh in found.items()} == {
        at: float(kwh) for at, kwh in expected.items()
    }


def test_days_of_a_meter_add_up_to_its_readings(seen: Seen) -> None:
    frame = seen.frame(queries.meter_days(seen.device, LONG_AGO))
    plain = readings_of(seen)
    assert total(frame["total_energy_kwh"]) == sum(each["energy_kwh"] for each in plain)
    assert int(frame["reading_count"].sum()) == len(plain)
    assert set(frame["reading_date"].dt.date) == {each["reading_date"] for each in plain}


def test_warnings_are_the_readings_that_are_not_ok(seen: Seen) -> None:
    frame = seen.frame(queries.meter_warnings(seen.device, LONG_AGO_AT))
    expected = [each["reading_at"] for each in readings_of(seen) if each["status"] != "OK"]
    newest = sorted(expected, reverse=True)[: queries.LOG_LIMIT]
    assert [each.to_pydatetime() for each in frame["reading_at"]] == newest


def test_a_meters_page_knows_its_master_data_health_and_log_lines(seen: Seen) -> None:
    row = seen.frame(queries.meter(seen.device)).iloc[0]
    ((status, reasons),) = seen.rows(
        "select device_health_status, reasons from iceberg.marts.device_health_status "
        f"where device_id = '{seen.device}'"
    )
    assert (row["device_health_status"], row["reasons"]) == (status, reasons)
    assert row["customer_id"] == seen.customer
    logs = seen.frame(queries.meter_logs(seen.device))
    assert any("clock invalid" in line for line in logs["raw_text"])


def test_energy_today_is_compared_in_the_hours_of_both_days(seen: Seen) -> None:
    today = datetime.now(UTC).date()
    earlier = today - timedelta(days=7)
    by_meter: dict[str, dict[date, list[tuple[Any, Decimal]]]] = defaultdict(dict)
    for device, day, at, kwh in seen.rows(
        "select device_id, reading_date, "
        "cast(at_timezone(reading_at - interval '0.001' second, time_zone) as time(6)), "
        "energy_kwh from iceberg.intermediate.int_meter_readings "
        f"where reading_date in (date '{today}', date '{earlier}')"
    ):
        by_meter[device].setdefault(day, []).append((at, kwh))
    whole = then = Decimal(0)
    for days in by_meter.values():
        whole += sum((kwh for _, kwh in days.get(today, [])), Decimal(0))
        if len(days) == 2:
            start = max(min(at for at, _ in each) for each in days.values())
            end = min(max(at for at, _ in each) for each in days.values())
            then += sum((kwh for at, kwh in days[earlier] if start <= at <= end), Decimal(0))
    row = Answer(seen.frame(queries.energy_today(today))).row
    assert energy_of(seen.frame(queries.fleet_days(today)), today) == pytest.approx(float(whole))
    assert round(row["earlier_kwh"], 6) == float(then)


def test_meters_and_customers_are_counted_by_status(seen: Seen) -> None:
    health = seen.frame(queries.health_counts()).groupby("device_health_status")
    plain = seen.rows("select device_health_status from iceberg.marts.device_health_status")
    assert health["status_count"].first().to_dict() == Counter(status for (status,) in plain)

    alerts = seen.frame(queries.alert_counts(LONG_AGO))
    newest: dict[str, tuple[date, str]] = {}
    for customer, day, status in seen.rows(
        "select customer_id, reading_date, customer_alert_status "
        "from iceberg.marts.customer_usage_summary"
    ):
        newest[customer] = max(newest.get(customer, (LONG_AGO, "")), (day, status))
    found = dict(zip(alerts["customer_alert_status"], alerts["customer_count"], strict=True))
    assert found == Counter(status for _, status in newest.values())


def test_the_list_of_meters_is_whole(seen: Seen) -> None:
    frame = seen.frame(queries.meters())
    plain = seen.rows("select device_id from iceberg.marts.device_health_status")
    assert sorted(frame["device_id"]) == sorted(device for (device,) in plain)


def test_a_customer_is_the_sum_of_its_meters(seen: Seen) -> None:
    ((expected,),) = seen.rows(
        "select sum(energy_kwh) from iceberg.intermediate.int_meter_readings "
        f"where customer_id = '{seen.customer}'"
    )
    days = seen.frame(customer_queries.customer_days(seen.customer, LONG_AGO))
    months = seen.frame(customer_queries.customer_months(seen.customer, LONG_AGO))
    assert total(days["total_energy_kwh"]) == expected
    assert total(months["energy_kwh"]) == expected
    meters = seen.frame(customer_queries.customer_meters(seen.customer, LONG_AGO))
    assert seen.device in set(meters["device_id"])
    assert len(seen.frame(customer_queries.customer(seen.customer))) == 1


def test_a_period_of_all_customers_is_compared_with_the_days_before(seen: Seen) -> None:
    today = datetime.now(UTC).date()
    first = today - timedelta(days=6)
    frame = seen.frame(customer_queries.customers(first, today))
    for column, start, end in (
        ("energy_kwh", first, today),
        ("earlier_kwh", first - timedelta(days=7), first - timedelta(days=1)),
    ):
        ((expected,),) = seen.rows(
            "select sum(total_energy_kwh) from iceberg.marts.device_daily_metrics "
            f"where reading_date between date '{start}' and date '{end}'"
        )
        assert total(frame[column]) == expected


def test_the_balance_is_what_landing_really_holds(seen: Seen) -> None:
    flow = pipeline.flow_of(Answer(seen.frame(quality_queries.flow())).row)
    assert flow is not None
    ((progress,),) = seen.rows(
        'select value from iceberg.quality."quarantine_telemetry_raw$properties" '
        "where key = 'meterhouse.progress'"
    )
    batch = json.loads(progress)["batch_id"]
    ((landed,),) = seen.rows(
        f"select count(*) from iceberg.landing.telemetry_raw where batch_id <= {batch}"
    )
    assert flow.landed_through == landed
    assert flow.is_balanced
    assert pipeline.lag(flow.offsets, flow.offsets) == 0


def test_quarantined_messages_are_found_with_raw_text_and_coordinates(seen: Seen) -> None:
    reasons = seen.frame(quality_queries.quarantine_reasons(LONG_AGO_AT))
    plain = Counter(
        reason
        for (reason,) in seen.rows("select reason from iceberg.quality.quarantine_telemetry_raw")
    )
    assert dict(zip(reasons["reason"], reasons["message_count"], strict=True)) == plain
    found = seen.frame(quality_queries.quarantined(LONG_AGO_AT, "not_json", seen.device, 10))
    assert list(found["message"]) == ['{"broken": <b>']
    place = (int(found["kafka_partition"].iloc[0]), int(found["kafka_offset"].iloc[0]))
    one = seen.frame(quality_queries.quarantined_message(*place))
    assert list(one["message"]) == ['{"broken": <b>']


def test_flagged_fields_are_counted_by_field_and_reason(seen: Seen) -> None:
    frame = seen.frame(quality_queries.flagged_fields(LONG_AGO_AT))
    wanted: dict[tuple[str, str], tuple[int, set[str]]] = {}
    for device, flags in seen.rows(
        "select device_id, field_flags from iceberg.staging.stg_telemetry_raw "
        "where field_flags is not null"
    ):
        for flag in flags.split(", "):
            field, reason = flag.split(":")
            count, meters = wanted.get((field, reason), (0, set()))
            wanted[field, reason] = count + 1, meters | {device}
    found = {
        (row["field"], row["reason"]): (int(row["message_count"]), int(row["meter_count"]))
        for _, row in frame.iterrows()
    }
    assert found == {key: (count, len(meters)) for key, (count, meters) in wanted.items()}
    assert ("voltage", "out_of_range") in found


def test_registers_that_differ_are_those_of_the_mart_with_a_cause_or_a_reset(seen: Seen) -> None:
    frame = seen.frame(quality_queries.register_differences(LONG_AGO_AT, 10_000))
    plain = seen.rows(
        "select device_id, to_at, cause, status from iceberg.marts.register_reconciliation"
    )
    wanted = {
        (device, to_at, cause)
        for device, to_at, cause, status in plain
        if cause or status == "RESET"
    }
    found = {
        (row["device_id"], row["to_at"].to_pydatetime(), row["cause"])
        for _, row in frame.iterrows()
    }
    assert found == wanted
    assert (seen.device, "ENERGY_LOST") in {(device, cause) for device, _, cause in found}


@pytest.mark.parametrize("unit", ["hour", "day"])
def test_arrivals_count_every_accepted_message_once(seen: Seen, unit: str) -> None:
    frame = seen.frame(quality_queries.arrivals(LONG_AGO_AT, unit))
    plain = seen.rows("select reading_at, kafka_at from iceberg.staging.stg_telemetry_raw")
    late = sum(kafka_at - reading_at > timedelta(hours=1) for reading_at, kafka_at in plain)
    assert int(frame["message_count"].sum()) == len(plain)
    assert int(frame["late_count"].sum()) == late


def test_missing_readings_are_those_that_no_slot_has(seen: Seen) -> None:
    since = datetime.now(UTC).date() - timedelta(days=3)
    frame = seen.frame(quality_queries.incomplete(since, 100_000))
    plain = seen.rows(
        "select device_id, count(*) from iceberg.marts.interval_reads "
        f"where quality_code = 'MISSING' and local_date >= date '{since}' group by device_id"
    )
    assert dict(zip(frame["device_id"], frame["missing"], strict=True)) == dict(plain)
    assert seen.device in set(frame["device_id"])


def test_repeats_are_the_accepted_messages_beyond_the_readings(seen: Seen) -> None:
    frame = seen.frame(quality_queries.repeats(LONG_AGO))
    ((accepted,),) = seen.rows("select count(*) from iceberg.staging.stg_telemetry_raw")
    counts = ("reading", "duplicate", "correction", "superseded")
    counted = frame[[f"{name}_count" for name in counts]].sum().sum()
    assert int(counted) == accepted


def test_energy_of_the_fleet_by_day_is_all_energy(seen: Seen) -> None:
    frame = seen.frame(queries.fleet_days(LONG_AGO))
    ((expected,),) = seen.rows(
        "select sum(energy_kwh) from iceberg.intermediate.int_meter_readings"
    )
    assert total(frame["energy_kwh"]) == expected


def test_the_schema_browser_shows_every_table_and_column(seen: Seen) -> None:
    for schema in ("marts", "staging", "quality", "intermediate"):
        names = seen.frame(queries.tables())["name"]
        plain = seen.rows(f"show tables from iceberg.{schema}")
        found = {name for name in names if name.startswith(f"{schema}.")}
        assert found == {f"{schema}.{name}" for (name,) in plain}
    columns = seen.frame(queries.columns("marts", "device_daily_metrics"))
    described = seen.rows("show columns from iceberg.marts.device_daily_metrics")
    assert list(columns["column_name"]) == [row[0] for row in described]
    assert all(columns["comment"].astype(bool))


def test_the_newest_reading_is_the_newest_of_all(seen: Seen) -> None:
    frame = seen.frame(queries.fleet_days(LONG_AGO))
    ((newest,),) = seen.rows("select max(reading_at) from iceberg.intermediate.int_meter_readings")
    assert newest_of(frame) == newest


def test_a_statement_is_cut_at_its_row_limit_and_can_be_cancelled(seen: Seen) -> None:
    cut = SqlRun(seen.pages, "select * from unnest(sequence(1, 5000))", 100).start()
    cut.wait(30)
    assert cut.result is not None, cut.problem
    assert (len(cut.result.rows), cut.result.is_cut) == (100, True)

    endless = "select count(*) from {0} a, {0} b, {0} c, {0} d".format("unnest(sequence(1, 10000))")
    run = SqlRun(seen.pages, endless, 100).start()
    seen.lakehouse.wait_until(lambda: run.query_id is not None, 30)
    run.cancel()
    run.wait(30)
    assert run.problem is not None
    assert not run.is_running
    ((state, code),) = seen.rows(
        f"select state, error_code from system.runtime.queries where query_id = '{run.query_id}'"
    )
    assert (state, code) == ("FAILED", "USER_CANCELED")
