"""The charts: tables in, Altair charts out.

Times on an axis are wall-clock times of the zone that the page names. They are written as if they
were UTC and drawn on UTC scales, so that the browser's own zone does not move them.
"""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import altair as alt
import pandas as pd

from explorer.battery import LOW_PCT

MEDIUM, BAD = "#e0912f", "#d5483f"
MAIN, QUIET = "#2b8fa8", "#9db4bf"
Layers = alt.LayerChart | alt.FacetChart
Chart = alt.Chart | Layers

HEIGHT = 240
POWERS = [0, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]
DAY = "%a %d %b %Y"
UTC_SCALE = alt.Scale(type="utc")
# EN 50160: 95 % of a week's ten-minute means lie within a tenth of the nominal voltage.
VOLTAGE_LOW, VOLTAGE_HIGH = 0.9, 1.1


def wall_clock(times: pd.Series[pd.Timestamp], zone: ZoneInfo) -> pd.Series[pd.Timestamp]:
    """Times in UTC as what a clock of the zone shows, labelled UTC."""
    return times.dt.tz_convert(zone).dt.tz_localize(None).dt.tz_localize("UTC")


# Midnights are named by their day, other times by the hour; utc... reads the wall clock.
TIME_LABEL = (
    "utchours(datum.value) + utcminutes(datum.value) == 0"
    " ? utcFormat(datum.value, '%a %d %b') : utcFormat(datum.value, '%H:%M')"
)


def time_axis(title: str) -> alt.X:
    """A horizontal axis of wall-clock time over field `at`."""
    axis = alt.Axis(labelExpr=TIME_LABEL, labelOverlap=True)
    return alt.X("at:T", title=title, scale=UTC_SCALE, axis=axis)


def day_axis(title: str | None = None) -> alt.X:
    """A horizontal axis of days over field `at`."""
    axis = alt.Axis(format="%d %b", labelOverlap=True, tickMinStep=86_400_000)
    return alt.X("at:T", title=title, scale=UTC_SCALE, axis=axis)


def days_frame(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The frame with its days as `at`, for a day axis, and as `day`, for its tooltip."""
    days = pd.to_datetime(frame[column]).dt.tz_localize("UTC")
    return frame.assign(at=days, day=days)


def day_tip(field: str = "day", title: str = "Day") -> alt.Tooltip:
    """A day in a tooltip, in the reader's language."""
    return alt.Tooltip(f"{field}:T", timeUnit="utcyearmonthdate", format=DAY, title=title)


def time_tip(title: str) -> alt.Tooltip:
    """The wall-clock time of field `at` in a tooltip."""
    return alt.Tooltip(
        "at:T", timeUnit="utcyearmonthdatehoursminutes", format=f"{DAY} %H:%M", title=title
    )


def energy_days(frame: pd.DataFrame, energy: str, today: date) -> alt.Chart:
    """Bars of energy by day; the day that is not over is pale."""
    data = days_frame(frame, "reading_date")
    data["kwh"] = data[energy].astype(float)
    data["state"] = ["so far" if day.date() == today else "whole day" for day in data["at"]]
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X(
                "at:O",
                timeUnit="utcyearmonthdate",
                title=None,
                axis=alt.Axis(format="%d %b", labelOverlap=True, labelAngle=0),
            ),
            y=alt.Y("kwh:Q", title="Energy, kWh"),
            color=alt.Color(
                "state:N",
                legend=None,
                scale=alt.Scale(domain=["whole day", "so far"], range=[MAIN, QUIET]),
            ),
            tooltip=[
                day_tip(),
                alt.Tooltip("kwh:Q", title="Energy, kWh", format=",.3f"),
                alt.Tooltip("state:N", title="State"),
            ],
        )
        .properties(height=HEIGHT)
    )
    return chart


def slots_frame(slots: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    """Half-hour slots with wall-clock times, and the time of day as a label."""
    at = wall_clock(slots["slot_at"], zone)
    data = slots.astype({"energy_kwh": float, "min_voltage": float, "max_voltage": float})
    return data.assign(at=at, time=at.dt.strftime("%H:%M"))


def load_curve(slots: pd.DataFrame, zone: ZoneInfo) -> alt.Chart:
    """Energy of each half-hour slot over time."""
    chart: alt.Chart = (
        alt.Chart(slots_frame(slots, zone))
        .mark_area(
            interpolate="step-after",
            line={"color": MAIN, "strokeWidth": 1.5},
            color=MAIN,
            fillOpacity=0.25,
        )
        .encode(
            x=time_axis(f"Start of the half-hour, {zone.key}"),
            y=alt.Y("energy_kwh:Q", title="kWh per half-hour"),
            tooltip=[
                time_tip("From"),
                alt.Tooltip("energy_kwh:Q", title="Energy, kWh", format=",.3f"),
                alt.Tooltip("reading_count:Q", title="Readings"),
            ],
        )
        .properties(height=HEIGHT)
    )
    return chart


def load_map(slots: pd.DataFrame, zone: ZoneInfo) -> alt.Chart:
    """Energy by day and half-hour as a map of colour: habits and gaps show at once."""
    data = slots_frame(slots, zone)
    days = data["at"].dt.date.nunique()
    hours = [f"{hour:02d}:00" for hour in range(0, 24, 3)]
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X(
                "time:O",
                title=f"Start of the half-hour, {zone.key}",
                scale=alt.Scale(domain=[f"{n // 2:02d}:{n % 2 * 30:02d}" for n in range(48)]),
                axis=alt.Axis(values=hours, labelAngle=0),
            ),
            y=alt.Y(
                "at:O",
                timeUnit="utcyearmonthdate",
                title=None,
                sort="descending",
                axis=alt.Axis(format="%a %d %b", labelOverlap=False),
            ),
            color=alt.Color(
                "energy_kwh:Q", title="kWh", scale=alt.Scale(scheme="tealblues", zero=True)
            ),
            tooltip=[
                time_tip("From"),
                alt.Tooltip("energy_kwh:Q", title="Energy, kWh", format=",.3f"),
            ],
        )
        .properties(height=80 + 22 * days)
    )
    return chart


def limit_lines(values: dict[str, float], colour: str) -> Layers:
    """Dashed lines across a chart, each with its name."""
    data = pd.DataFrame({"name": list(values), "value": list(values.values())})
    base = alt.Chart(data)
    lines = base.mark_rule(color=colour, strokeDash=[5, 4]).encode(y="value:Q")
    names = base.mark_text(align="left", baseline="bottom", dx=4, dy=-2, color=colour).encode(
        x=alt.value(0), y="value:Q", text="name:N"
    )
    return alt.layer(lines, names)


def voltage(slots: pd.DataFrame, zone: ZoneInfo, nominal_v: float) -> Layers:
    """Lowest to highest voltage of each slot and its mean, against the limits of EN 50160."""
    data = slots_frame(slots, zone).astype({"avg_voltage": float})
    low, high = VOLTAGE_LOW * nominal_v, VOLTAGE_HIGH * nominal_v
    scale = alt.Scale(
        domain=[min(low, data["min_voltage"].min()) - 5, max(high, data["max_voltage"].max()) + 8],
        zero=False,
        nice=False,
    )
    base = alt.Chart(data).encode(x=time_axis(f"Start of the half-hour, {zone.key}"))
    tooltip = [
        time_tip("From"),
        alt.Tooltip("min_voltage:Q", title="Lowest, V", format=".1f"),
        alt.Tooltip("avg_voltage:Q", title="Mean, V", format=".1f"),
        alt.Tooltip("max_voltage:Q", title="Highest, V", format=".1f"),
    ]
    band = base.mark_area(color=MAIN, opacity=0.3).encode(
        y=alt.Y("min_voltage:Q", title="Voltage, V", scale=scale), y2="max_voltage:Q"
    )
    mean = base.mark_line(color=MAIN, strokeWidth=1.5).encode(y="avg_voltage:Q", tooltip=tooltip)
    outside = (
        base.transform_filter(f"datum.min_voltage < {low} || datum.max_voltage > {high}")
        .mark_point(color=BAD, filled=True, size=50, shape="triangle-up")
        .encode(y="avg_voltage:Q", tooltip=tooltip)
    )
    limits = limit_lines({f"+10 %: {high:.0f} V": high, f"-10 %: {low:.0f} V": low}, BAD)
    return alt.layer(band, mean, outside, limits).properties(height=HEIGHT)


def battery(days: pd.DataFrame, replace_on: date | None) -> Layers:
    """Daily mean charge, and the straight line to the day on which it gets low."""
    data = days_frame(days.dropna(subset=["avg_battery_pct"]), "reading_date")
    data["pct"] = data["avg_battery_pct"].astype(float)
    base = alt.Chart(data).encode(
        x=day_axis(),
        y=alt.Y("pct:Q", title="Charge, %", scale=alt.Scale(domain=[0, 105], nice=False)),
        tooltip=[
            day_tip(),
            alt.Tooltip("pct:Q", title="Charge, %", format=".1f"),
        ],
    )
    layers: list[alt.Chart | Layers] = [
        base.mark_line(color=MAIN, strokeWidth=2, point={"color": MAIN, "size": 18}),
        limit_lines({f"low: {LOW_PCT:.0f} %": LOW_PCT}, BAD),
    ]
    last = None if data.empty else data.iloc[-1]
    if last is not None and replace_on and pd.Timestamp(replace_on, tz="UTC") > last["at"]:
        ahead = pd.DataFrame(
            {"at": [last["at"], pd.Timestamp(replace_on, tz="UTC")], "pct": [last["pct"], LOW_PCT]}
        )
        line = alt.Chart(ahead).mark_line(color=MEDIUM, strokeDash=[4, 4])
        layers.append(line.encode(x=day_axis(), y="pct:Q"))
    return alt.layer(*layers).properties(height=HEIGHT)


def compared(days: pd.DataFrame, first: date, today: date) -> alt.Chart:
    """Energy by day of a period, beside the same number of days before it."""
    start, length = pd.Timestamp(first), (today - first).days + 1
    data = days_frame(days, "reading_date")
    data["kwh"] = data["total_energy_kwh"].astype(float)
    number = (pd.to_datetime(data["reading_date"]) - start).dt.days
    data["period"] = ["this period" if each >= 0 else "before" for each in number]
    data["at"] = [
        at if each >= 0 else at + pd.Timedelta(days=length)
        for at, each in zip(data["at"], number, strict=True)
    ]
    domain = ["before", "this period"]
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_bar(cornerRadiusTopLeft=2, cornerRadiusTopRight=2)
        .encode(
            x=alt.X(
                "at:O",
                timeUnit="utcyearmonthdate",
                title=None,
                axis=alt.Axis(format="%d %b", labelOverlap=True, labelAngle=0),
            ),
            xOffset=alt.XOffset("period:N", sort=domain),
            y=alt.Y("kwh:Q", title="Energy, kWh"),
            color=alt.Color(
                "period:N",
                title=None,
                sort=domain,
                scale=alt.Scale(domain=domain, range=[QUIET, MAIN]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=[
                day_tip(),
                alt.Tooltip("kwh:Q", title="Energy, kWh", format=",.3f"),
            ],
        )
        .properties(height=HEIGHT)
    )
    return chart


def bars(frame: pd.DataFrame, name: str, value: str, title: str, colour: str = MAIN) -> Layers:
    """Horizontal bars with their numbers, in the frame's order."""
    data = pd.DataFrame({"name": frame[name].astype(str), "value": frame[value].astype(float)})
    base = alt.Chart(data).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=220, labelOverlap=False)),
        x=alt.X(
            "value:Q",
            title=title,
            axis=alt.Axis(format=",d", tickCount=5),
            scale=alt.Scale(domainMax=1.12 * max(1.0, data["value"].max())),
        ),
        tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("value:Q", title=title, format=",")],
    )
    numbers = base.mark_text(align="left", dx=4, color=QUIET).encode(
        text=alt.Text("value:Q", format=",d")
    )
    layers = alt.layer(base.mark_bar(color=colour, cornerRadiusEnd=2), numbers)
    return layers.properties(height=alt.Step(26))


def months(frame: pd.DataFrame) -> alt.Chart:
    """Energy by calendar month."""
    data = frame.assign(
        month=frame["month_date"].dt.tz_localize("UTC"), kwh=frame["energy_kwh"].astype(float)
    )
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_bar(color=MAIN, cornerRadiusTopLeft=2, cornerRadiusTopRight=2, size=38)
        .encode(
            x=alt.X(
                "month:O",
                timeUnit="utcyearmonth",
                title=None,
                axis=alt.Axis(format="%b %Y", labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y("kwh:Q", title="Energy, kWh"),
            tooltip=[
                alt.Tooltip("month:T", timeUnit="utcyearmonth", format="%B %Y", title="Month"),
                alt.Tooltip("kwh:Q", title="Energy, kWh", format=",.3f"),
                alt.Tooltip("day_count:Q", title="Days with readings"),
            ],
        )
        .properties(height=HEIGHT)
    )
    return chart


def lines(
    frame: pd.DataFrame, names: dict[str, str], axis: alt.X, title: str, *, is_log: bool = False
) -> alt.Chart:
    """One line for each column of `names` (column to its words) over field `at`."""
    long = frame.melt(["at"], list(names), "column", "value")
    long["what"] = long["column"].map(names)
    long["value"] = long["value"].astype(float)
    scale = alt.Scale(type="symlog") if is_log else alt.Scale(zero=True)
    axis_y = (
        alt.Axis(values=POWERS, format=",d", labelOverlap=False)
        if is_log
        else alt.Axis(tickCount=5)
    )
    chart: alt.Chart = (
        alt.Chart(long)
        .mark_line(point=True)
        .encode(
            x=axis,
            y=alt.Y("value:Q", title=title, scale=scale, axis=axis_y),
            color=alt.Color(
                "what:N",
                title=None,
                legend=alt.Legend(orient="top"),
                scale=alt.Scale(domain=list(names.values()), range=[MAIN, MEDIUM, QUIET]),
            ),
            tooltip=[
                time_tip("When"),
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("value:Q", title=title, format=",.1f"),
            ],
        )
        .properties(height=HEIGHT)
    )
    return chart


def late_days(arrivals: pd.DataFrame) -> alt.Chart:
    """Accepted messages by day of landing in UTC, late ones apart."""
    days = arrivals["landed_at"].dt.floor("D")
    sums = arrivals.groupby(days)[["message_count", "late_count"]].sum().astype(float)
    words = {"on time": sums["message_count"] - sums["late_count"], "late": sums["late_count"]}
    data = pd.concat(
        [pd.DataFrame({"at": sums.index, "n": each, "what": name}) for name, each in words.items()]
    )
    colours = alt.Scale(domain=list(words), range=[MAIN, MEDIUM])
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_bar(size=24)
        .encode(
            x=alt.X(
                "at:O",
                timeUnit="utcyearmonthdate",
                title="Landed on, UTC",
                axis=alt.Axis(format="%d %b", labelOverlap=True, labelAngle=0),
            ),
            y=alt.Y("n:Q", title="Messages", axis=alt.Axis(format=",d", tickCount=5)),
            color=alt.Color("what:N", title=None, scale=colours, legend=alt.Legend(orient="top")),
            tooltip=[
                day_tip("at"),
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("n:Q", title="Messages", format=",d"),
            ],
        )
        .properties(height=HEIGHT)
    )
    return chart
