"""The charts' data: wall clocks, days, periods."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pandas as pd

from explorer import charts

BERLIN = ZoneInfo("Europe/Berlin")
# The half-hours around the change to winter time in Berlin, 01:00 UTC on 25 October 2026.
SLOTS = pd.DataFrame(
    {
        "slot_at": pd.to_datetime(
            ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T23:00:00Z"]
        ),
        "energy_kwh": pd.Series([0.5, 0.25, 1.0], dtype="Float64"),
        "min_voltage": pd.Series([229.0, 200.0, 230.0], dtype="Float64"),
        "avg_voltage": pd.Series([230.0, 210.0, 231.0], dtype="Float64"),
        "max_voltage": pd.Series([231.0, 220.0, 232.0], dtype="Float64"),
        "warning_count": pd.Series([0, 1, 0], dtype="Int64"),
        "reading_count": pd.Series([1, 1, 1], dtype="Int64"),
    }
)
DAYS = pd.DataFrame(
    {
        "reading_date": pd.to_datetime(["2026-11-13", "2026-11-20", "2026-11-21"]),
        "total_energy_kwh": pd.Series([1.0, 2.0, 3.0], dtype="Float64"),
        "avg_battery_pct": pd.Series([31.0, 30.5, None], dtype="Float64"),
    }
)


def test_slots_stand_at_the_wall_clock_of_the_meter() -> None:
    frame = charts.slots_frame(SLOTS, BERLIN)
    # Half past two by summer time, half past two again by winter time, then midnight.
    assert list(frame["time"]) == ["02:00", "02:00", "00:00"]
    assert [at.day for at in frame["at"]] == [25, 25, 26]


def test_every_chart_of_a_meter_can_be_drawn() -> None:
    for chart in (
        charts.load_curve(SLOTS, BERLIN),
        charts.load_map(SLOTS, BERLIN),
        charts.voltage(SLOTS, BERLIN, 230),
        charts.battery(DAYS, date(2027, 1, 7)),
        charts.battery(DAYS, None),
    ):
        assert chart.to_dict()["$schema"]


def test_a_chart_is_drawn_of_slots_without_any_voltage() -> None:
    none = pd.Series([None, None, None], dtype="Float64")
    slots = SLOTS.assign(min_voltage=none, avg_voltage=none, max_voltage=none)
    assert charts.voltage(slots, BERLIN, 230).to_dict()["$schema"]


def test_the_day_that_is_not_over_is_told_apart() -> None:
    chart = charts.energy_days(DAYS, "total_energy_kwh", date(2026, 11, 21))
    assert list(chart.data["state"]) == ["whole day", "whole day", "so far"]


def test_days_before_stand_beside_the_days_they_are_compared_with() -> None:
    chart = charts.compared(DAYS, date(2026, 11, 15), date(2026, 11, 21))
    assert list(chart.data["period"]) == ["before", "this period", "this period"]
    # 13 November is seven days before the 20th.
    assert [day.day for day in chart.data["at"]] == [20, 20, 21]


def test_late_messages_are_counted_by_day() -> None:
    arrivals = pd.DataFrame(
        {
            "landed_at": pd.to_datetime(["2026-11-20T10:00Z", "2026-11-20T11:00Z"]),
            "message_count": pd.Series([10, 5], dtype="Int64"),
            "late_count": pd.Series([2, 1], dtype="Int64"),
        }
    )
    data = charts.late_days(arrivals).data
    assert dict(zip(data["what"], data["n"], strict=True)) == {"on time": 12.0, "late": 3.0}
