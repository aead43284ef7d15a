"""Page Overview: is everybody supplied, are the meters well, and is the data whole and fresh."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta

import pandas as pd
import streamlit as st

from explorer import charts, pipeline, quality_queries, queries, view
from explorer.cache import Cache
from explorer.format import NOTHING, plain, span, status_word
from explorer.queries import Query

STATUSES = ("UNHEALTHY", "DEGRADED", "HEALTHY")
ALERTS = ("ACTION_REQUIRED", "MONITOR", "NORMAL")
HEALTH = ("device_health_status", "status_count")
ALERT = ("customer_alert_status", "customer_count")
DAYS_SHOWN = 28
TOPIC_SECONDS = 15


def show() -> None:
    """Draw the page."""
    st.title("Overview")
    answers = view.ask(questions(view.today()))
    flow = pipeline.flow_of(answers.row("flow"))
    if answers.frame("flow") is not None:
        show_balance(flow)
    show_figures(answers, flow)
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_days(answers.frame("days"))
    with right:
        show_attention(answers.frame("health"))
    show_round()


def questions(today: date) -> dict[str, Query]:
    """All that the page asks."""
    since = today - timedelta(days=DAYS_SHOWN)
    return {
        "today": queries.energy_today(today),
        "health": queries.health_counts(),
        "alerts": queries.alert_counts(today - timedelta(days=7)),
        "days": queries.fleet_days(since),
        "flow": quality_queries.flow(),
    }


def show_balance(flow: pipeline.PipelineCounts | None) -> None:
    """The line that is green only when the balance is true."""
    if flow is None:
        view.nothing("Nothing has been landed and modelled yet.")
        return
    number = view.writer().number
    text = (
        f"landed {number(flow.landed_through)} = accepted {number(flow.accepted)} + "
        f"quarantined {number(flow.quarantined)}"
    )
    if not flow.is_balanced:
        found = flow.differences[0] if flow.differences else f"{text} is not true"
        st.error(f"The balance does not hold: {plain(found)}", icon=":material/error:")
        st.code("bin/stack reconcile", language="bash")
        return
    waiting = f"; {number(flow.waiting)} landed since wait for the next round"
    tail = waiting if flow.waiting else ""
    st.success(f"The balance holds: {plain(text + tail)}", icon=":material/balance:")


def show_figures(answers: view.Answers, flow: pipeline.PipelineCounts | None) -> None:
    """The row of figures."""
    writer = view.writer()
    energy, days = answers.row("today"), answers.frame("days")
    with st.container(horizontal=True, gap="small"):
        change = writer.change(energy.get("compared_kwh"), energy.get("earlier_kwh"))
        view.figure(
            "Energy today",
            writer.energy(energy_of(days, view.today())),
            change,
            text="on last week" if change else None,
            delta_color="off",
            help="Against the same weekday a week ago: the same meters in the same hours. "
            f"{writer.energy(energy.get('compared_kwh'))} now, "
            f"{writer.energy(energy.get('earlier_kwh'))} then.",
        )
        show_counts("Meters", answers.frame("health"), HEALTH, "all healthy")
        show_counts("Customers", answers.frame("alerts"), ALERT, "no alert")
        show_freshness(newest_of(days))
        show_lag(flow)


def energy_of(days: pd.DataFrame | None, day: date) -> float | None:
    """Energy of one day of the fleet; None where nobody reported on it."""
    if days is None or days.empty:
        return None
    found = days.loc[days["reading_date"].dt.date == day, "energy_kwh"]
    return None if found.empty else float(found.iloc[0])


def newest_of(days: pd.DataFrame | None) -> datetime | None:
    """When the newest reading of all days was measured."""
    if days is None or days.empty:
        return None
    newest: datetime = days["newest_reading_at"].max()
    return newest


def show_counts(
    label: str, frame: pd.DataFrame | None, names: tuple[str, str], when_well: str
) -> None:
    """How many there are and how many are unhealthy; names: columns of status and count."""
    if frame is None or frame.empty:
        view.figure(label, NOTHING)
        return
    counts = frame.groupby(names[0])[names[1]].first()
    unhealthy = [status for status in (*STATUSES, *ALERTS) if view.COLOURS[status] != "green"]
    parts = [f"{counts[each]} {status_word(each).lower()}" for each in unhealthy if each in counts]
    view.figure(label, view.writer().number(int(counts.sum())), text=", ".join(parts) or when_well)


def show_freshness(newest: datetime | None) -> None:
    """How long ago the newest reading was measured, of those that have landed."""
    if newest is None:
        view.figure("Newest reading", NOTHING)
        return
    age = (view.now() - newest).total_seconds()
    seen = view.writer().clock(newest)
    view.figure("Newest reading", f"{span(age)} ago", text=f"measured {seen}")


def show_lag(flow: pipeline.PipelineCounts | None) -> None:
    """Messages on their way: in Kafka but not landed, landed but not modelled."""
    writer = view.writer()
    ends = topic_ends()
    if flow is None or ends is None:
        view.figure(
            "Not landed yet", NOTHING, text="Kafka does not answer" if ends is None else None
        )
        return
    lag = pipeline.lag(ends, flow.offsets)
    text = f"{writer.number(flow.waiting)} wait for a round"
    view.figure("Not landed yet", writer.unit(lag, "messages"), text=text)


ENDS: Cache[dict[int, int] | None] = Cache(TOPIC_SECONDS, 1, time.monotonic)


def topic_ends() -> dict[int, int] | None:
    """The ends of the telemetry topic; None where Kafka is away."""
    settings = view.settings()
    topic = settings.topic_name
    return ENDS.get(topic, lambda: pipeline.end_offsets(settings, topic)).item


def show_days(days: pd.DataFrame | None) -> None:
    """Energy of the fleet by day."""
    st.subheader("Energy by day")
    if days is None:
        return
    if days.empty:
        view.nothing(f"No readings in the last {DAYS_SHOWN} days.")
        return
    chart = charts.energy_days(days, "energy_kwh", view.today())
    view.chart(chart, alt="Energy of all meters by day in kWh")
    st.caption("Today's bar is pale: the day is not over.")


def show_attention(health: pd.DataFrame | None) -> None:
    """The unhealthy meters, with the reasons."""
    st.subheader("Meters that need a look")
    if health is None:
        return
    if health.empty:
        view.nothing("No meter has been assessed yet.")
        return
    unhealthy = health[health["device_health_status"] != "HEALTHY"]
    if unhealthy.empty:
        st.markdown("Every meter is healthy.")
    for status in STATUSES[:2]:
        rows = unhealthy[unhealthy["device_health_status"] == status]
        for row in rows.to_dict("records"):
            view.meter_line({str(key): value for key, value in row.items()})
        more = 0 if rows.empty else int(rows["status_count"].iloc[0]) - len(rows)
        if more:
            word = status_word(status)
            view.link("meters", f"{more} more {word.lower()}", status=word)


def show_round() -> None:
    """The last round of the models."""
    st.subheader("Last round of the models")
    told, writer = pipeline.last_round(view.settings()), view.writer()
    if not told.is_known:
        st.caption("The runner's health file cannot be seen from here.")
        st.code("bin/stack status", language="bash")
        return
    if told.started_at is None:
        st.caption(plain(f"None has run on the schedule, which is {told.state}."))
        return
    is_bad = told.failures > 0 or told.state in {"failed", "stopped"}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(
            plain(told.result or told.state),
            icon=view.SIGNS["red" if is_bad else "green"],
            color="red" if is_bad else "green",
        )
        parts = [f"started {writer.moment(told.started_at)}"]
        if told.seconds is not None:
            parts.append(f"took {writer.unit(told.seconds, 's', 1)}")
        if told.next_at:
            parts.append(f"next {writer.moment(told.next_at)}")
        st.markdown(plain(", ".join(parts)), width="content")
    if is_bad:
        st.code("docker logs dbt-transformations   # natively: tail .stack/logs/dbt.log")
