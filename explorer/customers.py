"""Page Customers: who used how much; with ?customer=CUST-8000, that customer's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from explorer import charts, columns, customer_queries, view
from explorer.format import NOTHING, plain, status_word

PERIODS = (1, 7, 30, 90, 365)
ALERTS = ("ACTION_REQUIRED", "MONITOR", "NORMAL")
MONTHS = 13


def show() -> None:
    """Draw the list, or the customer that the address names."""
    customer_id = st.query_params.get("customer")
    if customer_id:
        show_customer(customer_id)
        return
    st.title("Customers")
    first, today = period()
    frame = view.ask({"customers": customer_queries.customers(first, today)}).frame("customers")
    if frame is None:
        return
    if frame.empty:
        view.nothing("Master data holds no customer.", "./initial-setup.sh")
        return
    show_list(filtered(frame))


def period() -> tuple[date, date]:
    """The days looked at, today the last of them."""
    today = view.today()
    days = view.days_choice("Period up to today", PERIODS)
    return today - timedelta(days=days - 1), today


def filtered(frame: pd.DataFrame) -> pd.DataFrame:
    """What is left of the customers after the filters, which the address carries."""
    with st.container(horizontal=True, gap="small"):
        text = view.search("customer, name, town")
        alert = st.selectbox(
            "Alert",
            ALERTS,
            index=None,
            placeholder="All",
            key="alert",
            bind="query-params",
            width=190,
            format_func=status_word,
        )
    if alert:
        frame = frame[frame["customer_alert_status"] == alert]
    return view.matching(frame, text, ("customer_id", "customer_name", "city", "customer_class"))


def show_list(frame: pd.DataFrame) -> None:
    """The customers; a click on a row leads to its page."""
    number = view.writer().number(len(frame))
    st.caption(f"{number} customers. Click a row to open the customer.")
    if frame.empty:
        st.info("No customer fits these filters.", icon=":material/filter_alt_off:")
        return
    rows = frame.assign(
        change_pct=change_pct(frame),
        alert=frame["customer_alert_status"].map(view.marked),
    )
    chosen = st.dataframe(
        rows,
        hide_index=True,
        key="list",
        placeholder=NOTHING,
        on_select="rerun",
        selection_mode="single-cell",
        height=min(720, 38 + 35 * len(rows)),
        column_order=[
            "customer_id",
            "alert",
            "energy_kwh",
            "change_pct",
            "meter_count",
            "warning_count",
            *view.name_columns(rows),
            "customer_class",
            "city",
            "last_date",
        ],
        column_config=LIST_COLUMNS,
        alt="Customers with their energy and alert",
    )
    cells = getattr(getattr(chosen, "selection", None), "cells", [])
    if cells:
        customer_id = str(rows.iloc[int(cells[0][0])]["customer_id"])
        st.switch_page(
            st.session_state["pages"]["customers"], query_params={"customer": customer_id}
        )


def change_pct(frame: pd.DataFrame) -> pd.Series[float]:
    """Change against the days before, where these have as many days with readings."""
    change = 100 * (frame["energy_kwh"] - frame["earlier_kwh"]) / frame["earlier_kwh"]
    is_fair = (frame["day_count"] == frame["earlier_day_count"]) & (frame["earlier_kwh"] > 0)
    return change.where(is_fair.fillna(False)).astype("Float64")


LIST_COLUMNS = {
    "customer_id": st.column_config.TextColumn("Customer", pinned=True, width=95),
    "alert": st.column_config.TextColumn("Alert, newest day", width=140),
    "energy_kwh": columns.number("Energy, kWh", 1),
    "change_pct": columns.number(
        "Change, %", 1, help="Against as many days before, where all have readings"
    ),
    "meter_count": columns.number("Meters"),
    "warning_count": columns.number("Warnings"),
    "customer_name": st.column_config.TextColumn("Name"),
    "customer_class": st.column_config.TextColumn("Class"),
    "city": st.column_config.TextColumn("Town"),
    "last_date": columns.day("Newest day"),
}


def show_customer(customer_id: str) -> None:
    """One customer: energy by day and month, the earlier period, meters, and the alert."""
    view.back("All customers")
    st.title(plain(customer_id), anchor=False)
    first, today = period()
    earlier = first - (today - first) - timedelta(days=1)
    answers = view.ask(
        {
            "customer": customer_queries.customer(customer_id),
            "days": customer_queries.customer_days(
                customer_id, min(earlier, today - timedelta(days=14))
            ),
            "months": customer_queries.customer_months(
                customer_id, months_before(today, MONTHS - 1)
            ),
            "meters": customer_queries.customer_meters(customer_id, today - timedelta(days=30)),
        }
    )
    row = answers.row("customer")
    if answers.frame("customer") is not None and not row:
        view.nothing(
            f"Master data knows no customer {customer_id}.",
            "bin/psql -c 'select customer_id from customer_master'",
        )
        return
    if row:
        show_master(row)
    days = answers.frame("days")
    if days is not None:
        show_usage(days, first, today, earlier)
    show_months(answers.frame("months"))
    show_meters(answers.frame("meters"))


def months_before(day: date, count: int) -> date:
    """The first day of the month so many months before a day's."""
    months = day.year * 12 + day.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)


def show_master(row: Mapping[str, Any]) -> None:
    """Who it is, as far as the reader may know."""
    parts = [
        view.shown_name(row["customer_name"]),
        row["customer_class"],
        f"tariff {row['tariff_code']}",
    ]
    parts += [f"{row['postcode'] or ''} {row['city'] or ''}".strip(), row["country_code"]]
    words = [str(part) for part in parts if part]
    st.markdown(plain(", ".join(words)) + ("" if row["is_active"] else " · **not supplied**"))


def show_usage(days: pd.DataFrame, first: date, today: date, earlier: date) -> None:
    """Energy of the period beside the earlier one, with the newest alert."""
    if days.empty:
        view.nothing("No meter of this customer reported in these days.")
        return
    shown = days[days["reading_date"] >= pd.Timestamp(earlier)]
    is_now = shown["reading_date"] >= pd.Timestamp(first)
    show_figures(shown[is_now], shown[~is_now], days.iloc[-1].to_dict())
    st.subheader("Energy by day, beside the days before")
    chart = charts.compared(shown, first, today)
    view.chart(chart, alt="Energy by day of this period and the one before, in kWh")
    writer = view.writer()
    period = f"{writer.day(first)} to {writer.day(today)}, today so far"
    st.caption(plain(f"{period}; before: from {writer.day(earlier)}."))


def show_figures(now: pd.DataFrame, past: pd.DataFrame, newest: Mapping[Any, Any]) -> None:
    """The row of figures; energy is compared where both periods have as many days."""
    writer = view.writer()
    used, used_before = (
        float(each["total_energy_kwh"].sum()) if len(each) else None for each in (now, past)
    )
    is_fair = len(past) == len(now)
    with st.container(horizontal=True, gap="small"):
        view.figure(
            "Energy",
            writer.energy(used),
            writer.change(used, used_before) if is_fair else None,
            delta_color="off",
            text="on the days before" if is_fair else f"before: {len(past)} days of readings",
        )
        warnings = int(now["total_warnings"].sum()) if len(now) else 0
        view.figure("Readings that warned", writer.number(warnings))
        view.figure("Meters, newest day", writer.number(int(newest["active_device_count"])))
        view.figure(
            "Alert",
            status_word(newest["customer_alert_status"]),
            text=writer.day(newest["reading_date"].date()),
        )


def show_months(months: pd.DataFrame | None) -> None:
    """Energy by calendar month."""
    if months is None or months.empty:
        return
    st.subheader("Energy by month")
    if len(months) > 1:
        view.chart(charts.months(months), alt="Energy by month in kWh")
    last = months.iloc[-1]
    energy = view.writer().energy(float(last["energy_kwh"]))
    month = view.writer().month(last["month_date"])
    st.caption(plain(f"{month}: {energy} on {last['day_count']} days with readings."))


def show_meters(meters: pd.DataFrame | None) -> None:
    """The customer's meters, and which of them make the alert."""
    st.subheader("Meters and the reasons of the alert")
    if meters is None:
        return
    if meters.empty:
        st.caption("No meter in service belongs to this customer.")
        return
    writer = view.writer()
    for row in meters.to_dict("records"):
        view.meter_line({str(key): value for key, value in row.items()})
        if isinstance(row["day_status"], str) and row["day_status"] != "HEALTHY":
            st.caption(
                plain(
                    f"{writer.day(row['last_date'].date())}: {row['day_warning_count']} of "
                    f"{row['day_reading_count']} readings warned, the day counts as "
                    f"{status_word(row['day_status']).lower()}."
                )
            )
    st.caption(
        "Action required where any meter was unhealthy on the newest day, Monitor where any was "
        "degraded. The sign beside a meter is its state now, log lines included."
    )
