"""One meter: load, voltage, battery, warnings, rules, log lines, master data, its health."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from explorer import battery, charts, columns, queries, view
from explorer.format import NOTHING, Writer, plain, span
from explorer.queries import Query

HISTORY_DAYS = 90
PERIODS = (1, 7, 14, 31)
MASTER_FIELDS = {
    "manufacturer": "Maker",
    "model": "Model",
    "firmware_version": "Firmware",
    "transformer_id": "Transformer",
    "nominal_voltage_v": "Nominal voltage, V",
    "service_size_kw": "Service size, kW",
    "interval_minutes": "Interval, minutes",
    "meter_multiplier": "Multiplier",
    "time_zone": "Time zone",
    "is_active": "In service",
    "latitude": "Latitude, degrees",
    "longitude": "Longitude, degrees",
}


def show(device_id: str) -> None:
    """Draw the page of one meter."""
    view.back("All meters")
    st.title(plain(device_id), anchor=False)
    today = view.today()
    first, last = period(today)
    zone = ZoneInfo(view.settings().meter_time_zone)
    answers = view.ask(questions(device_id, zone, today, first, last))
    row = answers.row("meter")
    if answers.frame("meter") is not None and not row:
        view.nothing(
            f"Master data knows no meter {device_id}.",
            "bin/psql -c 'select device_id from device_master'",
        )
        return
    if row:
        show_state(row)
    writer = view.writer()
    show_load(answers.frame("slots"), row, f"{writer.day(first)} to {writer.day(last)}")
    left, right = st.columns(2, gap="large")
    with left:
        show_voltage(answers.frame("slots"), row)
    with right:
        show_battery(answers.frame("days"), row)
    show_warnings(answers.frame("warnings"))
    show_rule_hits(answers.frame("rule_hits"))
    show_logs(answers.frame("logs"))
    show_master(row)


def questions(
    device_id: str, zone: ZoneInfo, today: date, first: date, last: date
) -> dict[str, Query]:
    """All that the page asks; first, last: the days of load and voltage, by the zone's clock."""
    since = today - timedelta(days=HISTORY_DAYS)
    return {
        "meter": queries.meter(device_id),
        "days": queries.meter_days(device_id, since),
        "slots": queries.meter_slots(device_id, *day_bounds(first, last, zone)),
        "warnings": queries.meter_warnings(device_id, queries.utc_midnight(since)),
        "rule_hits": queries.meter_rule_hits(device_id, since),
        "logs": queries.meter_logs(device_id),
    }


def day_bounds(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The start of the first local day and the end of the last."""
    return (
        datetime.combine(first, time(), zone),
        datetime.combine(last + timedelta(days=1), time(), zone),
    )


def period(today: date) -> tuple[date, date]:
    """The days that load and voltage are shown for, chosen here and carried by the address."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        days = view.days_choice("Days of load and voltage", PERIODS)
        last = st.date_input(
            "up to", value=today, max_value=today, key="day", bind="query-params", width=150
        )
    end = last if isinstance(last, date) else today
    return end - timedelta(days=days - 1), end


def show_state(row: Mapping[str, Any]) -> None:
    """Status, reasons, and the figures people ask for first."""
    writer = view.writer(row["time_zone"])
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        view.badge(row["device_health_status"])
        reasons = row["reasons"] or "no reason for concern"
        st.markdown(f"**{plain(reasons)}**", width="content")
        view.link(
            "customers",
            f"{row['customer_id']} {view.shown_name(row['customer_name'])}".strip(),
            ":material/person:",
            customer=row["customer_id"],
        )
    trend = row["battery_trend_pct_per_day"]
    outlook = battery_outlook(row)
    with st.container(horizontal=True, gap="small"):
        view.figure("Readings OK, last day", writer.unit(row["health_score_pct"], "%", 1))
        view.figure(
            "Readings there, 24 hours",
            writer.unit(row.get("completeness_pct"), "%", 1),
            text=f"{writer.number(row.get('missing_count'))} slots missing",
        )
        view.figure(
            "Warnings, 7 days",
            writer.number(row["week_warning_count"]),
            text=f"{writer.unit(row['week_health_score_pct'], '%', 1)} OK",
        )
        view.figure(
            "Battery",
            writer.unit(row["battery_pct"], "%"),
            text=None if trend is None else f"{writer.number(trend, 2)} points a day",
        )
        view.figure("Replace the battery", replace_words(row, outlook, writer))
        view.figure("Open faults", writer.number(row["open_fault_count"]))
        seen = row["last_seen_at"]
        age = f"{span((view.now() - seen).total_seconds())} ago" if seen else "never"
        view.figure("Last reading", age, text=writer.moment(seen) if seen else None)


def battery_outlook(row: Mapping[str, Any]) -> battery.Outlook:
    """When the battery gets low, from the last reading on."""
    seen = row.get("last_seen_at")
    day = seen.date() if seen else view.today()
    return battery.outlook(row.get("battery_pct"), row.get("battery_trend_pct_per_day"), day)


def replace_words(row: Mapping[str, Any], outlook: battery.Outlook, writer: Writer) -> str:
    """The day to replace the battery by."""
    if outlook.replace_on is None:
        return "no date" if row["battery_pct"] is not None else NOTHING
    return "now" if outlook.replace_on <= view.today() else f"by {writer.day(outlook.replace_on)}"


def show_load(slots: pd.DataFrame | None, row: Mapping[str, Any], days: str) -> None:
    """Load by half-hour, as a curve and as a map of days."""
    st.subheader("Load")
    if slots is None:
        return
    if slots.empty:
        st.info(f"No readings from {days}. Choose an earlier day.", icon=":material/event_busy:")
        return
    zone = ZoneInfo(row.get("time_zone") or view.settings().meter_time_zone)
    curve, by_day = st.tabs(["Curve", "Days and half-hours"], key="load", bind="query-params")
    # Only what is looked at is drawn.
    if by_day.open:
        with by_day:
            view.chart(charts.load_map(slots, zone), alt="Energy by day and half-hour")
    else:
        with curve:
            view.chart(charts.load_curve(slots, zone), alt="Energy of each half-hour in kWh")
    total = view.writer().energy(float(slots["energy_kwh"].sum()))
    st.caption(
        f"{plain(total)} in this period. A reading's time is the end of what it measured, so the "
        "one at midnight counts here for the half-hour before it; daily figures count it for the "
        "day that begins."
    )


def show_voltage(slots: pd.DataFrame | None, row: Mapping[str, Any]) -> None:
    """Voltage against its limits."""
    st.subheader("Voltage")
    if slots is None or slots.empty:
        st.caption("Nothing to show for these days.")
        return
    zone = ZoneInfo(row.get("time_zone") or view.settings().meter_time_zone)
    nominal = float(row.get("nominal_voltage_v") or 230)
    chart = charts.voltage(slots, zone, nominal)
    view.chart(chart, alt="Voltage of each half-hour against the limits")
    low, high = charts.VOLTAGE_LOW * nominal, charts.VOLTAGE_HIGH * nominal
    outside = int(((slots["min_voltage"] < low) | (slots["max_voltage"] > high)).sum())
    st.caption(
        f"{outside} of {len(slots)} half-hours leave {low:.0f} to {high:.0f} V (EN 50160, "
        f"nominal {nominal:.0f} V). The band is lowest to highest, the line the mean."
    )


def show_battery(days: pd.DataFrame | None, row: Mapping[str, Any]) -> None:
    """Charge of the battery and where it leads."""
    st.subheader("Battery")
    if days is None or days.empty:
        st.caption(f"No readings in the last {HISTORY_DAYS} days.")
        return
    outlook = battery_outlook(row)
    view.chart(charts.battery(days, outlook.replace_on), alt="Charge of the battery by day")
    st.caption(plain(f"Now: {outlook.text}. A straight line through the last 7 days, drawn on."))


def show_warnings(warnings: pd.DataFrame | None) -> None:
    """Readings whose status is not OK."""
    st.subheader("Warnings")
    if warnings is None:
        return
    if warnings.empty:
        st.caption(f"No reading warned in the last {HISTORY_DAYS} days.")
        return
    st.dataframe(
        warnings,
        hide_index=True,
        height=min(400, 38 + 35 * len(warnings)),
        column_config={
            "reading_at": columns.moment("Reading, UTC"),
            "status": "Status",
            "voltage": columns.number("Voltage, V", 1),
            "energy_kwh": columns.number("Energy, kWh", 3),
            "battery_pct": columns.number("Battery, %"),
            "kafka_partition": "Kafka partition",
            "kafka_offset": "Kafka offset",
        },
        alt="Readings that warned",
    )


def show_rule_hits(hits: pd.DataFrame | None) -> None:
    """What the rules of validation found."""
    st.subheader("Rules of validation")
    if hits is None:
        return
    if hits.empty:
        st.caption(f"No rule found fault with the last {HISTORY_DAYS} days.")
        return
    st.dataframe(
        hits,
        hide_index=True,
        height=min(400, 38 + 35 * len(hits)),
        column_config=columns.RULE
        | {
            "channel": "Channel",
            "measured": columns.number("Measured", 4),
            "limit_value": columns.number("Limit", 4),
            "from_at": columns.moment("From, UTC"),
            "to_at": columns.moment("To, UTC"),
        },
        alt="Hits of the rules of validation",
    )


def show_logs(logs: pd.DataFrame | None) -> None:
    """The newest fault-log lines."""
    st.subheader("Log lines")
    if logs is None:
        return
    if logs.empty:
        st.caption("No log line names this meter.")
        return
    st.dataframe(
        logs.drop(columns="is_kafka_time"),
        hide_index=True,
        height=min(400, 38 + 35 * len(logs)),
        column_config={
            "seen_at": columns.moment("Time, UTC", help="The line's own time, else Kafka's"),
            "log_level": "Level",
            "event_type": "Event",
            "raw_text": st.column_config.TextColumn("Line", width="large"),
            "kafka_partition": "Kafka partition",
            "kafka_offset": "Kafka offset",
        },
        alt="Log lines of the meter",
    )


def show_master(row: Mapping[str, Any]) -> None:
    """Master data, as PostgreSQL holds it now."""
    if not row:
        return
    st.subheader("Master data")
    writer = view.writer()
    values = {words: plain_value(row.get(name), writer) for name, words in MASTER_FIELDS.items()}
    values["Installed"] = writer.day(row["installed_at"])
    # Plain text is there at once and can be read aloud; a grid to scroll and sort is not needed.
    with st.container(width=420):
        st.table({words: plain(value) for words, value in values.items()})


def plain_value(value: Any, writer: Writer) -> str:
    """A value of master data as text."""
    if value is None:
        return NOTHING
    if isinstance(value, float):
        return writer.exact(value)
    return (
        {True: "yes", False: "no"}[bool(value)] if str(value) in {"True", "False"} else str(value)
    )
