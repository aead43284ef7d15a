"""The texts of all queries."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from explorer import customer_queries, quality_queries, queries
from explorer.queries import Query

DAY = date(2026, 11, 21)
TIME = datetime(2026, 11, 21, tzinfo=UTC)
ALL = {
    "energy_today": queries.energy_today(DAY),
    "health_counts": queries.health_counts(),
    "alert_counts": queries.alert_counts(DAY),
    "fleet_days": queries.fleet_days(DAY),
    "meters": queries.meters(),
    "meter": queries.meter("MTR-1"),
    "meter_slots": queries.meter_slots("MTR-1", TIME, TIME),
    "meter_days": queries.meter_days("MTR-1", DAY),
    "meter_warnings": queries.meter_warnings("MTR-1", TIME),
    "meter_rule_hits": queries.meter_rule_hits("MTR-1", DAY),
    "meter_logs": queries.meter_logs("MTR-1"),
    "tables": queries.tables(),
    "columns": queries.columns("marts", "x"),
    "customers": customer_queries.customers(DAY, DAY),
    "customer": customer_queries.customer("CUST-1"),
    "customer_days": customer_queries.customer_days("CUST-1", DAY),
    "customer_months": customer_queries.customer_months("CUST-1", DAY),
    "customer_meters": customer_queries.customer_meters("CUST-1", DAY),
    "flow": quality_queries.flow(),
    "quarantine_reasons": quality_queries.quarantine_reasons(TIME),
    "quarantined": quality_queries.quarantined(TIME, "", "", 10),
    "quarantined_message": quality_queries.quarantined_message(0, 1),
    "flagged_fields": quality_queries.flagged_fields(TIME),
    "rule_hits": quality_queries.rule_hits(DAY),
    "arrivals": quality_queries.arrivals(TIME, "hour"),
    "incomplete": quality_queries.incomplete(DAY, 10),
    "repeats": quality_queries.repeats(DAY),
}


@pytest.mark.parametrize("query", ALL.values(), ids=ALL.keys())
def test_every_question_mark_has_its_value(query: Query) -> None:
    assert query.sql.count("?") == len(query.values)


@pytest.mark.parametrize("query", ALL.values(), ids=ALL.keys())
def test_no_query_reads_rows_of_landing_or_kafka(query: Query) -> None:
    # Only the landing tables' own facts ($properties, $snapshots) are open to the explorer.
    words = query.sql.replace('landing."telemetry_raw$', "")
    assert "landing." not in words
    assert "kafka." not in words


def test_a_value_never_becomes_part_of_the_text() -> None:
    assert "Robert" not in queries.meter("Robert'); drop table x").sql


def test_the_days_asked_for_are_whole_in_every_time_zone() -> None:
    start, end = queries.around(DAY, DAY)
    # Kiritimati is 14 hours ahead of UTC, Baker Island 12 behind.
    assert start <= datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert end >= datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_only_known_units_of_time_are_put_into_sql() -> None:
    with pytest.raises(ValueError, match="minute"):
        quality_queries.arrivals(TIME, "minute")
