"""Page Meters: find a meter; with ?meter=MTR-10000 in the address, that meter's page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from explorer import columns, meter, queries, view
from explorer.format import NOTHING, status_word

SEARCHED = ("device_id", "customer_id", "customer_name", "transformer_id", "model", "reasons")
STATUSES = ("UNHEALTHY", "DEGRADED", "HEALTHY")


def show() -> None:
    """Draw the list, or the meter that the address names."""
    device_id = st.query_params.get("meter")
    if device_id:
        meter.show(device_id)
        return
    st.title("Meters")
    frame = view.ask({"meters": queries.meters()}).frame("meters")
    if frame is None:
        return
    if frame.empty:
        view.nothing("No meter has been assessed yet.")
        return
    show_list(filtered(frame))


def filtered(frame: pd.DataFrame) -> pd.DataFrame:
    """What is left of the meters after the filters, which the address carries."""
    with st.container(horizontal=True, gap="small"):
        text = view.search("meter, customer, model, reason")
        status = st.selectbox(
            "Status",
            STATUSES,
            index=None,
            placeholder="All",
            key="status",
            bind="query-params",
            width=170,
            format_func=status_word,
        )
        customer = st.selectbox(
            "Customer",
            choices(frame, "customer_id"),
            index=None,
            placeholder="All",
            key="customer",
            bind="query-params",
            width=170,
        )
        transformer = st.selectbox(
            "Transformer",
            choices(frame, "transformer_id"),
            index=None,
            placeholder="All",
            key="transformer",
            bind="query-params",
            width=170,
        )
    wanted = {
        "device_health_status": status,
        "customer_id": customer,
        "transformer_id": transformer,
    }
    for name, value in wanted.items():
        if value:
            frame = frame[frame[name] == value]
    return view.matching(frame, text, SEARCHED)


def choices(frame: pd.DataFrame, name: str) -> list[str]:
    """The values of a column, sorted."""
    return sorted(frame[name].dropna().unique())


def show_list(frame: pd.DataFrame) -> None:
    """The meters, the worst first; a click on a row leads to its page."""
    st.caption(f"{view.writer().number(len(frame))} meters. Click a row to open the meter.")
    if frame.empty:
        st.info("No meter fits these filters.", icon=":material/filter_alt_off:")
        return
    order = {status: place for place, status in enumerate(STATUSES)}
    rows = frame.assign(
        order=frame["device_health_status"].map(order),
        status=frame["device_health_status"].map(view.marked),
    ).sort_values(["order", "device_id"])
    chosen = st.dataframe(
        rows,
        hide_index=True,
        key="list",
        placeholder=NOTHING,
        on_select="rerun",
        selection_mode="single-cell",
        height=min(720, 38 + 35 * len(rows)),
        column_order=[
            "device_id",
            "status",
            "reasons",
            "customer_id",
            *view.name_columns(rows),
            "transformer_id",
            "battery_pct",
            "health_score_pct",
            "week_warning_count",
            "last_seen_at",
            "model",
        ],
        column_config=LIST_COLUMNS,
        alt="Meters with status and reasons",
    )
    open_chosen(rows, chosen)


LIST_COLUMNS = {
    "device_id": st.column_config.TextColumn("Meter", pinned=True, width=95),
    "status": st.column_config.TextColumn("Status", width=105),
    "reasons": st.column_config.TextColumn("Reasons", width=260),
    "customer_id": st.column_config.TextColumn("Customer", width=95),
    "customer_name": st.column_config.TextColumn("Name"),
    "transformer_id": st.column_config.TextColumn("Transformer"),
    "battery_pct": st.column_config.ProgressColumn(
        "Battery, %", min_value=0, max_value=100, format="%.0f"
    ),
    "health_score_pct": columns.number(
        "OK on last day, %", 1, help="Readings with status OK on the last day"
    ),
    "week_warning_count": columns.number("Warnings, 7 days"),
    "last_seen_at": columns.moment("Last reading, UTC"),
    "model": st.column_config.TextColumn("Model"),
}


def open_chosen(rows: pd.DataFrame, chosen: object) -> None:
    """Go to the page of the row that was clicked."""
    cells = getattr(getattr(chosen, "selection", None), "cells", [])
    if cells:
        device_id = str(rows.iloc[int(cells[0][0])]["device_id"])
        st.switch_page(st.session_state["pages"]["meters"], query_params={"meter": device_id})
