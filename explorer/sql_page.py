"""Page SQL: write a statement, run it as the read-only user, look at the rows, take them along."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd
import streamlit as st

from explorer import charts, queries, view
from explorer.format import plain
from explorer.lakehouse import USER
from explorer.sql_run import LIMIT_SECONDS, SqlResult, SqlRun, csv_of, parquet_of

ROW_LIMITS = (100, 1000, 10_000, 100_000)
POLL_SECONDS = 0.5
# Vega draws this many points well.
MOST_POINTS = 5000
KINDS = ("bar", "line", "point")
EXAMPLES: Mapping[str, str] = {
    "Which meters are unhealthy, and why": (
        "select device_id, device_health_status, reasons, battery_pct, last_seen_at\n"
        "from marts.device_health_status\n"
        "where device_health_status != 'HEALTHY'\n"
        "order by device_health_status desc, device_id"
    ),
    "Energy of each customer, last 7 days": (
        "select customer_id, reading_date, total_energy_kwh, customer_alert_status\n"
        "from marts.customer_usage_summary\n"
        "where reading_date > current_date - interval '7' day\n"
        "order by reading_date, customer_id"
    ),
    "Load of one meter by hour": (
        "select date_trunc('hour', reading_at - interval '1' second) as hour_at,\n"
        "    sum(energy_kwh) as energy_kwh, avg(voltage) as avg_voltage\n"
        "from intermediate.int_meter_readings\n"
        "where device_id = 'MTR-10000' and reading_at > current_timestamp - interval '3' day\n"
        "group by 1\n"
        "order by 1"
    ),
    "Quarantined messages by reason": (
        "select reason, count(*) as message_count, max(landed_at) as newest_at\n"
        "from quality.quarantine_telemetry_raw\n"
        "group by reason\n"
        "order by message_count desc"
    ),
    "Log events of the fleet": (
        "select event_type, log_level, count(*) as line_count,\n"
        "    count(distinct device_id) as meter_count\n"
        "from staging.stg_meter_health_logs\n"
        "group by 1, 2\n"
        "order by line_count desc"
    ),
}


def show() -> None:
    """Draw the page."""
    st.title("SQL")
    st.caption(
        f"User {USER}, read only, ended after {LIMIT_SECONDS} s. Tables are named schema.table; "
        "times with time zone are in UTC."
    )
    st.session_state.setdefault("sql", next(iter(EXAMPLES.values())))
    editor, browser = st.columns([3, 2], gap="large")
    with editor:
        show_controls(show_editor())
    with browser:
        show_schema()
    run: SqlRun | None = st.session_state.get("run")
    if run is None:
        return
    if run.is_running:
        show_running()
    elif run.problem:
        view.show_problem(run.problem)
    elif run.result:
        show_result(run.result)


def take_example() -> None:
    """Put the chosen example into the editor."""
    chosen = st.session_state.get("example")
    if chosen:
        st.session_state["sql"] = EXAMPLES[chosen]


def show_editor() -> int:
    """Examples, editor and row limit; returns the limit."""
    st.selectbox(
        "Examples",
        [None, *EXAMPLES],
        key="example",
        on_change=take_example,
        format_func=lambda each: each or "Choose an example",
    )
    st.text_area("Statement", key="sql", bind="query-params", height=220)
    limit = st.segmented_control(
        "Rows at most",
        list(ROW_LIMITS),
        default=1000,
        required=True,
        key="limit",
        bind="query-params",
        format_func=str,
    )
    return int(limit or 1000)


def show_controls(row_limit: int) -> None:
    """Run, and while something runs, cancel."""
    run: SqlRun | None = st.session_state.get("run")
    is_running = run is not None and run.is_running
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if st.button("Run", type="primary", icon=":material/play_arrow:", disabled=is_running):
            st.session_state["run"] = SqlRun(
                view.lakehouse(), str(st.session_state["sql"]), row_limit
            ).start()
            st.session_state["run"].wait(POLL_SECONDS)
            st.rerun()
        if st.button("Cancel", icon=":material/stop:", disabled=not is_running) and run:
            run.cancel()
            run.wait(5)
            st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def show_running() -> None:
    """The seconds so far; ends itself with the statement."""
    run: SqlRun = st.session_state["run"]
    if not run.is_running:
        st.rerun()
    st.info(
        f"Running for {run.seconds:.0f} s, statement {plain(run.query_id or 'not yet numbered')}.",
        icon=":material/hourglass_top:",
    )


def show_schema() -> None:
    """Tables, and the columns of one with their comments."""
    names = view.asked(queries.tables())
    if names is None:
        return
    if names.empty:
        view.nothing("There are no tables yet.")
        return
    tables = sorted(names["name"], key=lambda name: (not name.startswith("marts."), name))
    table = st.selectbox("Tables and columns", tables, key="table", bind="query-params")
    columns = view.asked(queries.columns(*str(table).split(".", 1)))
    if columns is not None:
        st.dataframe(
            columns,
            hide_index=True,
            height=262,
            column_config={"column_name": "Column", "data_type": "Type", "comment": "What it is"},
            alt="Columns of the table",
        )


def show_result(result: SqlResult) -> None:
    """The rows as a table and as a chart, and to take along."""
    frame = result.frame
    number = view.writer().number
    cut = (
        f"The first {number(len(frame))} rows; there are more."
        if result.is_cut
        else (f"{number(len(frame))} rows.")
    )
    st.caption(f"{cut} {number(result.seconds, 2)} s.")
    table, chart = st.tabs(["Table", "Chart"], key="show", bind="query-params")
    with chart:
        show_chart(frame, is_open=bool(chart.open))
    with table:
        st.dataframe(
            frame,
            hide_index=True,
            height=min(560, 38 + 35 * max(1, len(frame))),
            alt="Rows of the statement",
        )
        with st.container(horizontal=True, gap="small"):
            st.download_button(
                "CSV",
                lambda: csv_of(result),
                "meterhouse.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
            )
            st.download_button(
                "Parquet",
                lambda: parquet_of(result),
                "meterhouse.parquet",
                "application/vnd.apache.parquet",
                icon=":material/download:",
                on_click="ignore",
            )


def show_chart(frame: pd.DataFrame, *, is_open: bool) -> None:
    """A chart of two columns, chosen by the reader; drawn only where somebody looks."""
    numbers = [name for name in frame if pd.api.types.is_numeric_dtype(frame[name])]
    if not numbers or frame.empty:
        st.caption("A chart needs rows and a column of numbers.")
        return
    with st.container(horizontal=True, gap="small"):
        across = st.selectbox(
            "Across", list(frame.columns), key="x", bind="query-params", width=220
        )
        up = st.selectbox("Up", numbers, key="y", bind="query-params", width=220)
        kind = st.segmented_control(
            "Kind", KINDS, default="bar", required=True, key="kind", bind="query-params"
        )
    if across is None or up is None or not is_open:
        return
    view.chart(chart_of(frame, str(across), str(up), str(kind or "bar")), alt=f"{up} by {across}")
    if len(frame) > MOST_POINTS:
        st.caption(f"Drawn: the first {view.writer().number(MOST_POINTS)} rows.")


def chart_of(frame: pd.DataFrame, across: str, up: str, kind: str) -> alt.Chart:
    """Two columns as a chart; names with any character in them do."""
    data = pd.DataFrame({"x": frame[across], "y": frame[up].astype(float)}).head(MOST_POINTS)
    if pd.api.types.is_datetime64_any_dtype(data["x"]):
        utc = pd.to_datetime(data["x"], utc=True)
        x = alt.X("x:T", title=across, scale=charts.UTC_SCALE)
        data["x"] = utc
    elif pd.api.types.is_numeric_dtype(data["x"]):
        data["x"] = data["x"].astype(float)
        x = alt.X("x:Q", title=across)
    else:
        data["x"] = data["x"].astype(str)
        x = alt.X("x:N", title=across, sort=None)
    base = alt.Chart(data).encode(
        x=x,
        y=alt.Y("y:Q", title=up),
        tooltip=[alt.Tooltip("x", title=across), alt.Tooltip("y:Q", title=up)],
    )
    mark = {"bar": base.mark_bar, "line": base.mark_line, "point": base.mark_point}[kind]
    chart: alt.Chart = mark(color=charts.MAIN).properties(height=360)
    return chart
