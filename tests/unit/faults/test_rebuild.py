"""DuckDB's rebuild of the marts on a few messages, with results worked out by hand."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.faults.marts import Row, compared, keyed, rebuilt
from tests.faults.meters import Event, Ledger, Rows
from tests.integration.lakehouse import reading

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
# So new that no reading is missed yet: six hours of slots would have to be due.
NEW = NOW - timedelta(hours=11)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ZONES = {"MTR-1": "Australia/Sydney", "MTR-2": "Europe/London"}
NEW_STAYS = [(meter, meter, 30, NEW, None) for meter in ZONES]
MASTER_DATA: Rows = {
    "meter": [
        (meter, "CUST-1", 230, Decimal("10.00"), 30, 1, 6, zone, NEW)
        for meter, zone in ZONES.items()
    ],
    "stay": [(meter, meter, 30, LONG_AGO, None) for meter in ZONES],
    "place": [(meter, zone, LONG_AGO) for meter, zone in ZONES.items()],
    "contract": [(meter, "CUST-1", LONG_AGO.date(), None) for meter in ZONES],
}
DAY = "device_daily_metrics"
HEALTH = "device_health_status"


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def marts(
    *texts: str | None, events: tuple[Event, ...] = (), **master_data: list[tuple[Any, ...]]
) -> dict[str, list[Row]]:
    ledger = Ledger(
        readings=[(0, pos, milliseconds(NOW) + pos, text) for pos, text in enumerate(texts)],
        events=[(event, milliseconds(NOW)) for event in events],
    )
    return rebuilt(ledger, MASTER_DATA | master_data, NOW)


def said(device: str, timestamp: str, **changes: Any) -> str:
    return json.dumps(reading(device, timestamp, **changes))


def test_a_late_evening_in_utc_is_the_next_day_in_sydney() -> None:
    (day,) = marts(said("MTR-1", "2026-03-09T20:00:00Z"))[DAY]
    assert day["reading_date"] == date(2026, 3, 10)


def test_a_reading_is_of_the_day_on_which_it_begins() -> None:
    midnight = "2026-03-10T00:00:00Z"
    for changes in ({}, {"interval_s": 1}, {"interval_s": 0}, {"interval_s": -5}):
        (day,) = marts(said("MTR-2", midnight, **changes))[DAY]
        assert day["reading_date"] == date(2026, 3, 9), changes
    (day,) = marts(said("MTR-2", midnight, interval_s=86_401))[DAY]
    assert day["reading_date"] == date(2026, 3, 8)
    (day,) = marts(said("MTR-2", "2026-03-10T00:30:00Z"))[DAY]
    assert day["reading_date"] == date(2026, 3, 10)


def days(found: dict[str, list[Row]]) -> list[tuple[Any, ...]]:
    """Meter, day, customer and energy of each row, in order."""
    return sorted(
        (row["device_id"], row["reading_date"], row["customer_id"], float(row["total_energy_kwh"]))
        for row in found[DAY]
    )


def test_a_day_is_of_the_customer_who_had_the_place_on_it() -> None:
    """In Sydney 9 March begins on 8 March at 13:00 UTC; nobody has the place on 10 March."""
    found = marts(
        said("MTR-1", "2026-03-08T13:00:00Z", energy_kwh=1),
        said("MTR-1", "2026-03-08T13:30:00Z", energy_kwh=2),
        said("MTR-1", "2026-03-09T13:30:00Z", energy_kwh=4),
        contract=[
            ("MTR-1", "CUST-1", date(2020, 1, 1), date(2026, 3, 9)),
            ("MTR-1", "CUST-2", date(2026, 3, 9), date(2026, 3, 10)),
        ],
    )
    assert days(found) == [
        ("MTR-1", date(2026, 3, 8), "CUST-1", 1.0),
        ("MTR-1", date(2026, 3, 9), "CUST-2", 2.0),
        ("MTR-1", date(2026, 3, 10), None, 4.0),
    ]
    usage = {row["customer_id"]: row["total_energy_kwh"] for row in found["customer_usage_summary"]}
    assert usage == {"CUST-1": 1, "CUST-2": 2}


def test_a_meter_that_moves_counts_where_it_was_when_the_reading_began() -> None:
    """In London until noon, in Sydney from 13:00, which is midnight there."""
    noon, one = datetime(2026, 3, 9, 12, tzinfo=UTC), datetime(2026, 3, 9, 13, tzinfo=UTC)
    found = marts(
        said("MTR-2", "2019-01-01T12:00:00Z", energy_kwh=8),
        said("MTR-2", "2026-03-09T12:29:00Z", energy_kwh=1),
        said("MTR-2", "2026-03-09T14:00:00Z", energy_kwh=2, interval_s=3600),
        stay=[("MTR-2", "MTR-2", 30, LONG_AGO, noon), ("MTR-2", "MTR-1", 30, one, None)],
        contract=[
            ("MTR-2", "CUST-1", date(2020, 1, 1), None),
            ("MTR-1", "CUST-2", date(2020, 1, 1), None),
        ],
    )
    assert days(found) == [
        ("MTR-2", date(2019, 1, 1), "CUST-1", 8.0),
        ("MTR-2", date(2026, 3, 9), "CUST-1", 1.0),
        ("MTR-2", date(2026, 3, 10), "CUST-2", 2.0),
    ]
    gone = marts(
        said("MTR-2", "2026-03-09T12:30:00Z"),
        stay=[("MTR-2", "MTR-2", 30, LONG_AGO, noon)],
    )
    assert [row[2] for row in days(gone)] == [None]


def test_another_zone_moves_what_began_since() -> None:
    found = marts(
        said("MTR-2", "2026-03-08T23:00:00Z", energy_kwh=1),
        said("MTR-2", "2026-03-09T23:00:00Z", energy_kwh=2),
        place=[
            ("MTR-2", "Europe/London", LONG_AGO),
            ("MTR-2", "Australia/Sydney", datetime(2026, 3, 9, 22, 30, tzinfo=UTC)),
        ],
    )
    assert [row[1] for row in days(found)] == [date(2026, 3, 8), date(2026, 3, 10)]


def test_a_length_that_is_corrected_moves_the_reading() -> None:
    moment = "2026-03-10T00:30:00Z"
    first, second = (said("MTR-2", moment, interval_s=each) for each in (7200, 1800))
    (day,) = marts(first, second)[DAY]
    assert (day["reading_date"], day["correction_count"]) == (date(2026, 3, 10), 1)


def test_the_newest_word_counts_and_the_words_before_it_are_told_apart() -> None:
    one = said("MTR-2", "2026-03-09T10:00:00Z", energy_kwh=1.0)
    other = said("MTR-2", "2026-03-09T10:00:00Z", energy_kwh=2.5)
    (day,) = marts(one, one, other, one, one)[DAY]
    # one, one (a duplicate), other (a correction), one (another correction), one (a duplicate)
    assert day["total_energy_kwh"] == Decimal("1.0")
    assert (day["duplicate_count"], day["correction_count"]) == (2, 2)


def test_an_estimate_does_not_replace_an_actual_value() -> None:
    """Case C4: estimate 0.60, actual 0.42, estimate 0.60 again."""
    moment = "2026-03-09T10:00:00Z"
    estimate = said("MTR-2", moment, energy_kwh=0.6, quality="E")
    actual = said("MTR-2", moment, energy_kwh=0.42, quality="A")
    (day,) = marts(estimate, actual, estimate)[DAY]
    assert day["total_energy_kwh"] == Decimal("0.42")
    assert [day[f"{name}_count"] for name in ("duplicate", "correction", "superseded")] == [0, 1, 1]


def test_an_original_does_not_undo_its_correction() -> None:
    moment = "2026-03-09T10:00:00Z"
    first = said("MTR-2", moment, energy_kwh=0.5, revision=1)
    second = said("MTR-2", moment, energy_kwh=0.7, revision=2)
    none = said("MTR-2", moment, energy_kwh=0.9)
    (day,) = marts(first, second, first, none, second)[DAY]
    assert day["total_energy_kwh"] == Decimal("0.7")
    assert [day[f"{name}_count"] for name in ("duplicate", "correction", "superseded")] == [1, 1, 2]


def test_a_better_word_counts_whatever_its_revision() -> None:
    moment = "2026-03-09T10:00:00Z"
    words = ["N", "estimated", "S", "final-substitute", None, "edited"]
    texts = [
        said("MTR-2", moment, energy_kwh=1.0 + number, quality=word, revision=9 - number)
        for number, word in enumerate(words)
    ]
    for count in range(1, len(texts) + 1):
        (day,) = marts(*texts[:count])[DAY]
        assert day["total_energy_kwh"] == Decimal(count)
        (day,) = marts(*reversed(texts[:count]))[DAY]
        assert (day["total_energy_kwh"], day["superseded_count"]) == (Decimal(count), count - 1)


def test_what_cannot_be_or_be_read_does_not_count() -> None:
    good = said("MTR-2", "2026-03-09T10:00:00Z", energy_kwh=1.0)
    later = "2026-03-09T13:00:00Z"
    bad = [
        None,
        good[:40],
        "[1, 2]",
        said("MTR-9", later),
        # Service size 10 kW for 24 hours, ten times over, is 2400 kWh.
        said("MTR-2", later, energy_kwh=2400.1),
        said("MTR-2", later, energy_kwh="0.5"),
        said("MTR-2", later, energy_kwh=None),
        json.dumps(reading("MTR-2", later) | {"timestamp": 1773061200}),
        said("MTR-2", "2026-03-10T12:06:00Z"),
        said("MTR-2", "2016-03-09T12:00:00Z"),
    ]
    (day,) = marts(good, *bad)[DAY]
    assert (day["reading_count"], day["total_energy_kwh"]) == (1, Decimal("1.0"))


def test_a_bad_side_field_costs_nothing_but_itself() -> None:
    usual: dict[str, Any] = {"energy_kwh": 1.0, "customer_id": "CUST-1"}
    odd: list[dict[str, Any]] = [
        {"voltage": 114.9},
        {"voltage": "230", "status": None},
        {"battery_pct": 100.1, "status": 7},
        {"battery_pct": [], "customer_id": None},
    ]
    texts = [
        said(
            "MTR-2",
            f"2026-03-09T1{hour}:00:00Z",
            **usual | {"battery_pct": 15 + hour} | each,
        )
        for hour, each in enumerate(odd)
    ]
    found = marts(*texts)
    (day,), (customer,) = found[DAY], found["customer_usage_summary"]
    assert (day["reading_count"], day["total_energy_kwh"]) == (4, Decimal("4.0"))
    # Two of 230 V; charges of 15 and 16 %; two of four say OK, none warns; one names nobody.
    assert (day["avg_voltage"], day["voltage_count"]) == (Decimal("230.0"), 2)
    assert customer["avg_voltage"] == Decimal("230.0")
    assert (day["avg_battery_pct"], day["last_battery_pct"]) == (Decimal("15.5"), Decimal(16))
    assert (day["ok_count"], day["warning_count"]) == (2, 0)
    assert (day["health_score_pct"], day["device_health_status"]) == (Decimal("50.0"), "HEALTHY")
    assert day["customer_mismatch_count"] == 1
    health = next(row for row in found[HEALTH] if row["device_id"] == "MTR-2")
    assert (health["battery_pct"], health["reasons"]) == (Decimal(16), "silent; low battery")


def test_more_than_one_warning_in_ten_makes_a_day_unhealthy() -> None:
    def of_day(count: int, warnings: int) -> Row:
        texts = [
            said(
                "MTR-2",
                f"2026-03-09T{number // 60:02}:{number % 60:02}:00Z",
                status="warn_x" if number < warnings else "OK",
            )
            for number in range(count)
        ]
        return marts(*texts)[DAY][0]

    assert of_day(10, 1)["device_health_status"] == "DEGRADED"
    assert of_day(3, 1)["device_health_status"] == "UNHEALTHY"
    # Two of three, in per cent of two digits.
    assert of_day(3, 1)["health_score_pct"] == Decimal("66.67")


def test_a_customer_weighs_its_readings_alike() -> None:
    texts = [
        said("MTR-2", "2026-03-09T10:00:00Z", voltage=240.0, energy_kwh=1.0),
        said("MTR-1", "2026-03-09T10:00:00Z", voltage=230.0, energy_kwh=2.0),
        said("MTR-1", "2026-03-09T11:00:00Z", voltage=231.0, energy_kwh=3.0),
    ]
    (day,) = marts(*texts)["customer_usage_summary"]
    # (240 + 230 + 231) / 3
    assert day["avg_voltage"] == Decimal("233.667")
    assert (day["total_energy_kwh"], day["active_device_count"]) == (Decimal("6.0"), 2)


def test_a_fault_is_open_until_it_is_cleared_or_forgotten() -> None:
    def health(*events: tuple[str, int]) -> Row:
        made = [
            Event("MTR-2", kind, datetime(2026, 3, 10 - days, 9, tzinfo=UTC))
            for kind, days in events
        ]
        found = marts(said("MTR-2", "2026-03-10T11:00:00Z"), events=tuple(made))[HEALTH]
        return next(row for row in found if row["device_id"] == "MTR-2")

    assert health(("POWER_FAILURE", 2))["open_faults"] == "POWER_FAILURE"
    assert health(("POWER_FAILURE", 2))["device_health_status"] == "UNHEALTHY"
    assert health(("POWER_FAILURE", 2), ("POWER_RETURNED", 1))["open_fault_count"] == 0
    assert health(("POWER_FAILURE", 2), ("POWER_RETURNED", 3))["open_fault_count"] == 1
    assert health(("COMMUNICATION_LOST", 2))["open_fault_count"] == 0


def test_a_meter_that_was_never_seen_says_so() -> None:
    said_once = said("MTR-2", "2026-03-10T11:00:00Z")
    found = {row["device_id"]: row for row in marts(said_once, stay=NEW_STAYS)[HEALTH]}
    assert found["MTR-1"]["reasons"] == "never seen"
    assert found["MTR-2"]["device_health_status"] == "HEALTHY"


@pytest.mark.parametrize(
    ("count", "state", "reasons"),
    [
        (2, "UNHEALTHY", "missing readings: 46 of 48"),
        (43, "DEGRADED", "missing readings: 5 of 48"),
        (44, "HEALTHY", ""),
        (48, "HEALTHY", ""),
    ],
)
def test_a_meter_of_which_readings_are_missing_is_not_healthy(
    count: int, state: str, reasons: str
) -> None:
    # Due at 06:00 are the 24 hours before; the newest reading of all is there, too.
    due = NOW - timedelta(hours=6)
    ends = [NOW, *(due - timedelta(minutes=30 * number) for number in range(count))]
    texts = [said("MTR-2", f"{end:%Y-%m-%dT%H:%M:%SZ}") for end in ends]
    one: Rows = {"meter": [row for row in MASTER_DATA["meter"] if row[0] == "MTR-2"]}
    ledger = Ledger(readings=[(0, at, milliseconds(NOW), text) for at, text in enumerate(texts)])
    (row,) = rebuilt(ledger, MASTER_DATA | one, NOW)[HEALTH]
    assert (row["device_health_status"], row["reasons"]) == (state, reasons)
    assert row["missing_count"] == 48 - count
    assert row["reasons_since"] == ([due - timedelta(days=1)] if reasons else [])


def test_reasons_stand_by_weight_each_with_its_time() -> None:
    usual: dict[str, Any] = {"status": "warn_x", "battery_pct": 15}
    texts = [said("MTR-2", f"2026-03-10T0{hour}:00:00Z", **usual) for hour in (3, 4)]
    event = Event("MTR-2", "BATTERY_VOLTAGE_LOW", datetime(2026, 3, 9, 9, tzinfo=UTC))
    found = marts(*texts, events=(event,))[HEALTH]
    row = next(row for row in found if row["device_id"] == "MTR-2")
    words = "silent; unhealthy day; low battery; open faults: BATTERY_VOLTAGE_LOW"
    assert row["reasons"] == words
    first, last = (datetime(2026, 3, 10, hour, tzinfo=UTC) for hour in (3, 4))
    assert row["reasons_since"] == [last, first, first, event.at]


def test_a_battery_that_falls_by_two_a_day_has_that_slope() -> None:
    texts = [
        said("MTR-2", f"2026-03-{day:02}T09:00:00Z", battery_pct=100 - 2 * day)
        for day in range(4, 11)
    ]
    found = marts(*texts)[HEALTH]
    slope = next(row for row in found if row["device_id"] == "MTR-2")["battery_trend_pct_per_day"]
    assert round(slope, 6) == -2.0


def test_differences_of_two_marts_are_told() -> None:
    row = {"device_id": "MTR-1", "reading_date": date(2026, 3, 9), "reading_count": 2}
    wanted = keyed(DAY, [row])
    wrong = keyed(DAY, [row | {"reading_count": 3}])
    assert compared(DAY, wanted, wanted) == []
    assert "reading_count: 3, by the rebuild 2" in compared(DAY, wrong, wanted)[0]
    assert "missing" in compared(DAY, {}, wanted)[0]
    assert "not in the rebuild" in compared(DAY, wrong, {})[0]
