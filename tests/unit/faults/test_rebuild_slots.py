"""DuckDB's slots and days of energy on a few messages, with results worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.faults.marts import Row, rebuilt
from tests.faults.meters import Ledger, Rows
from tests.integration.lakehouse import Reading, reading
from tests.integration.test_days import CLOCK_CHANGES, case_c1, half_hours, stamp

METER = "MTR-1"
DAYS, SLOTS, COMPLETENESS = "int_energy_days", "int_interval_reads", "read_completeness"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def every_table(
    readings: Sequence[Reading],
    zone: str = "UTC",
    minutes: int = 30,
    stay: list[tuple[Any, ...]] | None = None,
    place: list[tuple[Any, ...]] | None = None,
) -> dict[str, list[Row]]:
    """What DuckDB makes of the readings and master data."""
    ms = int(NOW.timestamp() * 1000)
    ledger = Ledger(readings=[(0, at, ms + at, json.dumps(m)) for at, m in enumerate(readings)])
    since = datetime(2020, 1, 1, tzinfo=UTC)
    master_data: Rows = {
        "meter": [(METER, "CUST-1", 230, Decimal("10.00"), minutes, 1, 6, zone, NOW)],
        "stay": stay or [(METER, METER, minutes, since, None)],
        "place": place or [(METER, zone, since)],
        "contract": [(METER, "CUST-1", since.date(), None)],
    }
    return rebuilt(ledger, master_data, NOW)


def made(readings: Sequence[Reading], *facts: Any, **more: Any) -> tuple[list[Row], list[Row]]:
    """Slots and days, in order."""
    found = every_table(readings, *facts, **more)
    return (
        sorted(found[SLOTS], key=lambda row: row["slot_start_at"]),
        sorted(found[DAYS], key=lambda row: row["local_date"]),
    )


def judged(readings: Sequence[Reading]) -> list[str]:
    """Codes on the first of June, with missing only where the first slot has none."""
    names = ("valid", "suspect", "derived", "estimated", "edited")
    rows = every_table(readings)[COMPLETENESS]
    day = next(row for row in rows if row["local_date"] == date(2026, 6, 1))
    return [name for name in names for _ in range(day[name])] or ["missing"]


def at(clock: str, kwh: float, **changes: Any) -> Reading:
    """A reading that ends at a time of the first of June."""
    return reading(METER, f"2026-06-01T{clock}:00Z", energy_kwh=kwh, **changes)


def told(slots: Sequence[Row]) -> list[tuple[str, str | None, str]]:
    """Start, code and energy of slots."""
    return [
        (f"{row['slot_start_at']:%H:%M}", row["quality_code"], f"{row['energy_kwh']:f}")
        for row in slots
    ]


def test_case_c1_is_a_whole_day() -> None:
    slots, (day,) = made(case_c1(METER))
    assert {row["quality_code"] for row in slots} == {"VALID"}
    assert day["local_date"] == date(2026, 6, 1)
    assert (day["energy_kwh"], day["valid_count"]) == (Decimal("25.5"), 48)
    first = datetime(2026, 6, 1, tzinfo=UTC).timestamp()
    starts = [1_000_000 * (first + 1800 * number) for number in range(48)]
    assert day["slot_starts_us"] == starts
    # The last half-hour of the day used 2 kWh.
    assert (day["peak_kw"], day["peak_at"]) == (4, datetime(2026, 6, 1, 23, 30, tzinfo=UTC))


@pytest.mark.parametrize(("zone", "day", "count"), CLOCK_CHANGES)
def test_a_day_of_the_changing_clock_has_all_its_slots(zone: str, day: date, count: int) -> None:
    readings = [reading(METER, stamp(end), energy_kwh=0.25) for end in half_hours(zone, day)]
    slots, (found,) = made(readings, zone)
    assert len(slots) == count
    assert (found["local_date"], found["valid_count"]) == (day, count)
    assert found["energy_kwh"] == count * Decimal("0.25")


def test_a_longer_reading_is_spread_and_its_parts_add_up() -> None:
    # 1 kWh in three slots: 0.333333 each, and the millionth that is left to the first.
    slots, (day,) = made([at("01:30", 1.0, interval_s=5400)])
    assert told(slots) == [
        ("00:00", "DERIVED", "0.333334"),
        ("00:30", "DERIVED", "0.333333"),
        ("01:00", "DERIVED", "0.333333"),
    ]
    assert (day["energy_kwh"], day["derived_count"]) == (1, 3)


def test_the_rest_goes_to_the_largest_remainder() -> None:
    # 20 of 80 minutes, then 30, then 30: 0.25, 0.375, 0.375 of 0.000010 kWh are 2.5, 3.75, 3.75.
    slots, _ = made([at("01:30", 0.00001, interval_s=4800)])
    assert told(slots) == [
        ("00:00", None, "0.000002"),
        ("00:30", "DERIVED", "0.000004"),
        ("01:00", "DERIVED", "0.000004"),
    ]


def test_a_negative_energy_is_spread_alike() -> None:
    slots, _ = made([at("01:30", -1.0, interval_s=5400)])
    assert [row["energy_kwh"] for row in slots] == [
        Decimal(value) for value in ("-0.333334", "-0.333333", "-0.333333")
    ]


def test_shorter_readings_that_cover_a_longer_one_count() -> None:
    # From 00:15 to 01:15; from 00:10 to 00:40, and on to 01:20.
    hour = at("01:15", 9.0, interval_s=3600)
    shorter = [at("00:40", 3.0, interval_s=1800), at("01:20", 4.0, interval_s=2400)]
    slots, _ = made([hour, *shorter])
    # 20 and 10 minutes of 3 kWh in 30; 20 and 20 of 4 kWh in 40.
    assert told(slots) == [
        ("00:00", None, "2.000000"),
        ("00:30", "DERIVED", "3.000000"),
        ("01:00", None, "2.000000"),
    ]
    slots, _ = made([hour, shorter[0]])
    # 15, 30 and 15 minutes of the hour, which the shorter one does not cover.
    assert [row["energy_kwh"] for row in slots] == [
        Decimal(value) for value in ("2.25", "4.5", "2.25")
    ]


def test_of_two_lengths_with_one_end_the_later_message_counts() -> None:
    quarters = [at(f"00:{minute}", 0.1, interval_s=900) for minute in (15, 30)]
    slots, _ = made([at("00:30", 0.9), *quarters])
    assert told(slots) == [("00:00", "VALID", "0.200000")]


def test_the_longer_one_counts_where_the_shorter_does_not_cover_it() -> None:
    slots, _ = made([at("00:30", 0.8), at("00:15", 0.4, interval_s=900)])
    assert told(slots) == [("00:00", "VALID", "0.800000")]


def test_a_better_reading_counts_however_short_it_is() -> None:
    slots, _ = made([at("01:30", 3.0, interval_s=5400, quality="E"), at("01:00", 0.4)])
    assert told(slots) == [("00:30", "VALID", "0.400000")]


def test_what_is_on_the_grid_counts_before_what_is_beside_it() -> None:
    on, beside = [at("00:30", 1.0), at("01:00", 2.0)], [at("00:40", 5.0), at("01:10", 5.0)]
    for readings in ([*on, *beside], [*beside, *on]):
        slots, _ = made(readings)
        assert told(slots) == [("00:00", "VALID", "1.000000"), ("00:30", "VALID", "2.000000")]


def test_a_part_of_a_slot_is_no_slot() -> None:
    slots, (day,) = made([at("00:20", 0.5, interval_s=1200)])
    assert told(slots) == [("00:00", None, "0.500000")]
    assert slots[0]["covered_s"] == 1200
    assert (day["energy_kwh"], day["partial_count"], day["slot_starts_us"]) == (None, 1, [])


def test_two_odd_lengths_that_fill_a_slot_are_suspect() -> None:
    readings = [at("00:20", 0.5, interval_s=1200), at("00:30", 0.25, interval_s=600)]
    (slot,), (day,) = made(readings)
    assert (slot["quality_code"], slot["energy_kwh"]) == ("VALID", Decimal("0.75"))
    # Ten minutes divide half an hour, twenty do not.
    assert (slot["odd_length_s"], day["odd_count"]) == (1200, 1)
    assert judged(readings) == ["suspect"]


@pytest.mark.parametrize(
    ("kwh", "changes", "code"),
    [
        # A service of 10 kW carries 5 kWh in half an hour.
        (5.5, {}, "valid"),
        (5.51, {}, "suspect"),
        (15.0, {}, "suspect"),
        (15.01, {}, "missing"),
        (-0.01, {}, "missing"),
        (-0.01, {"quality": "EDITED"}, "edited"),
        (5.51, {"quality": "E"}, "estimated"),
        (0.5, {"interval_s": 1782}, "missing"),
        (6.0, {"interval_s": 1819}, "derived"),
    ],
)
def test_a_value_is_judged_by_the_rules(kwh: float, changes: dict[str, Any], code: str) -> None:
    assert judged([at("00:30", kwh, **changes)]) == [code]


def test_meters_of_five_minutes_have_slots_of_thirty() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    readings = [
        reading(METER, stamp(start + timedelta(minutes=5 * number)), energy_kwh=0.01)
        for number in range(1, 7)
    ]
    slots, _ = made(readings, minutes=5)
    assert told(slots) == [("00:00", "VALID", "0.060000")]
    slots, _ = made([at("00:15", 0.1), at("00:30", 0.2)], minutes=15)
    assert told(slots) == [("00:00", "VALID", "0.100000"), ("00:15", "VALID", "0.200000")]


@pytest.mark.parametrize(
    ("word", "code"), [("E", "ESTIMATED"), ("F", "ESTIMATED"), ("edited", "EDITED"), ("x", "VALID")]
)
def test_the_source_says_how_a_value_came_about(word: str, code: str) -> None:
    slots, _ = made([at("00:30", 0.5, quality=word)])
    assert told(slots) == [("00:00", code, "0.500000")]


def test_what_says_that_it_is_no_value_fills_no_slot() -> None:
    slots, days = made([at("00:30", 0.0, quality="N"), at("01:00", 0.5)])
    assert told(slots) == [("00:30", "VALID", "0.500000")]
    assert [day["valid_count"] for day in days] == [1]


def test_a_reading_of_a_moment_fills_no_time() -> None:
    slots, _ = made([at("00:30", 0.5, interval_s=0)])
    assert told(slots) == [("00:00", None, "0.500000")]
    assert slots[0]["covered_s"] == 0


def test_an_hour_of_lord_howes_short_day_is_half_an_hour() -> None:
    day = date(2026, 10, 4)
    ends = half_hours("Australia/Lord_Howe", day)[1::2]
    readings = [reading(METER, stamp(end), energy_kwh=1.0, interval_s=3600) for end in ends]
    # 23.5 hours: 23 whole ones and a last half that no reading of an hour fills.
    slots, (found,) = made(readings, "Australia/Lord_Howe", 60)
    assert (len(slots), found["valid_count"]) == (23, 23)


def counts(rows: list[Row], *days: date) -> list[tuple[int, ...]]:
    """Expected, valid, missing and pending slots of days."""
    found = {row["local_date"]: row for row in rows}
    names = ("expected_slots", "valid", "missing", "pending")
    return [tuple(found[day][name] for name in names) for day in days if day in found]


def test_what_did_not_come_is_missing_or_awaited() -> None:
    rows = every_table([at("00:30", 0.5)])[COMPLETENESS]
    first, last, today = date(2026, 6, 1), date(2026, 11, 29), date(2026, 11, 30)
    # What ended in the last six hours is awaited; of a day that begins now nothing is.
    assert counts(rows, first, last, today) == [(48, 1, 47, 0), (48, 0, 36, 12)]
    assert next(row for row in rows if row["local_date"] == first)["completeness_pct"] == Decimal(
        "2.08"
    )


def test_nothing_is_wanted_of_a_meter_that_is_nowhere() -> None:
    day, noon = date(2026, 6, 1), datetime(2026, 6, 1, 12, tzinfo=UTC)
    stay = [
        (METER, METER, 30, datetime(2026, 6, 1, 9, 45, tzinfo=UTC), noon),
        (METER, "MTR-2", 30, noon + timedelta(hours=2), noon + timedelta(hours=4)),
    ]
    place = [(METER, "UTC", noon), ("MTR-2", "Europe/Paris", noon)]
    rows = every_table([at("00:30", 0.5), at("10:30", 0.5)], stay=stay, place=place)[COMPLETENESS]
    # From 10:00 to 12:00 and from 14:00 to 16:00, and the one that came all the same.
    assert counts(rows, day) == [(9, 2, 7, 0)]
    assert len(rows) == 1


def test_days_of_the_changing_clock_want_46_and_50() -> None:
    rows = every_table([at("00:30", 0.5)], "Europe/London")[COMPLETENESS]
    assert counts(rows, date(2026, 3, 29), date(2026, 10, 25)) == [(46, 0, 46, 0), (50, 0, 50, 0)]
    for month, slots in (("2026-03", 1486), ("2026-10", 1490)):
        of_month = [row for row in rows if f"{row['local_date']:%Y-%m}" == month]
        assert sum(row["expected_slots"] for row in of_month) == slots
