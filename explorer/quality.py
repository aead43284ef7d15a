"""Page Data quality: what came, what was accepted, what was not and why, and how late."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import streamlit as st

from explorer import charts, columns, overview, pipeline, quality_queries, queries, view
from explorer.format import plain
from explorer.kafka_messages import StartAt
from explorer.queries import Query

PERIODS = (1, 7, 30, 365)
LIMIT = 200
HOURLY_UP_TO_DAYS = 7


def show() -> None:
    """Draw the page."""
    st.title("Data quality")
    length = view.days_choice("Landed in the last", PERIODS)
    chosen = chosen_message()
    asked = questions(view.today(), length)
    if chosen:
        asked["message"] = quality_queries.quarantined_message(*chosen)
    answers = view.ask(asked)
    if answers.frame("flow") is not None:
        flow = pipeline.flow_of(answers.row("flow"))
        overview.show_balance(flow)
        show_funnel(flow)
    show_quarantine(answers, first_landed_at(view.today(), length), chosen)
    show_flagged(answers.frame("flagged"))
    show_rule_hits(answers.frame("rule_hits"))
    show_incomplete(answers.frame("incomplete"))
    show_registers(answers.frame("registers"))
    left, right = st.columns(2, gap="large")
    with left:
        show_repeats(answers.frame("repeats"))
    with right:
        show_late(answers.frame("arrivals"))
    show_lag(answers.frame("arrivals"))


def first_landed_at(today: date, days: int) -> datetime:
    """Since when messages landed that count for so many days."""
    return queries.utc_midnight(today - timedelta(days=days - 1))


def questions(today: date, days: int = view.DEFAULT_DAYS) -> dict[str, Query]:
    """All that the page asks where no message and no filter is chosen."""
    since = first_landed_at(today, days)
    return {
        "flow": quality_queries.flow(),
        "reasons": quality_queries.quarantine_reasons(since),
        "messages": quality_queries.quarantined(since, "", "", LIMIT),
        "flagged": quality_queries.flagged_fields(since),
        "rule_hits": quality_queries.rule_hits(since.date()),
        "registers": quality_queries.register_differences(since, LIMIT),
        "arrivals": quality_queries.arrivals(since, "hour" if days <= HOURLY_UP_TO_DAYS else "day"),
        "incomplete": quality_queries.incomplete(since.date(), LIMIT),
        "repeats": quality_queries.repeats(since.date()),
    }


def show_funnel(flow: pipeline.PipelineCounts | None) -> None:
    """From sent to accepted and quarantined."""
    if flow is None:
        return
    st.subheader("From the topic to the tables, since the topic was made")
    ends = overview.topic_ends()
    steps = {} if ends is None else {"sent, as Kafka counts": sum(ends.values())}
    steps |= {
        "landed": flow.landed,
        "accepted": flow.accepted,
        "quarantined": flow.quarantined,
        "waiting for the next round": flow.waiting,
    }
    frame = pd.DataFrame({"step": list(steps), "messages": list(steps.values())})
    chart = charts.bars(frame, "step", "messages", "Messages")
    view.chart(chart, alt="Messages sent, landed, accepted, quarantined, waiting")
    if ends is None:
        st.caption("Kafka does not answer: what was sent is not known.")
        st.code("./initial-setup.sh status", language="bash")


def show_quarantine(answers: view.Answers, since: datetime, chosen: tuple[int, int] | None) -> None:
    """Quarantined messages by reason, then one by one."""
    st.subheader("Quarantined messages")
    reasons, messages = answers.frame("reasons"), answers.frame("messages")
    if reasons is None:
        return
    if reasons.empty and not chosen:
        st.caption("No message landed in this period was quarantined.")
        return
    chart = charts.bars(reasons, "reason", "message_count", "Messages", charts.MEDIUM)
    view.chart(chart, alt="Quarantined messages by reason")
    reason, text = filters(list(reasons["reason"]))
    if reason or text:
        messages = view.asked(quality_queries.quarantined(since, reason, text, LIMIT))
    if chosen:
        show_message(answers.frame("message"), *chosen)
    show_messages(messages)


def filters(reasons: list[str]) -> tuple[str, str]:
    """Reason and text to narrow the list with, carried by the address."""
    with st.container(horizontal=True, gap="small"):
        reason = st.selectbox(
            "Reason",
            reasons,
            index=None,
            placeholder="All",
            key="reason",
            bind="query-params",
            width=260,
        )
        text = view.search("meter, or text in the message")
    return reason or "", text


def chosen_message() -> tuple[int, int] | None:
    """Partition and offset that the address names, as 3-1234."""
    partition, _, offset = st.query_params.get("message", "").partition("-")
    if partition.isdecimal() and offset.isdecimal():
        return int(partition), int(offset)
    return None


def show_message(frame: pd.DataFrame | None, partition: int, offset: int) -> None:
    """One message whole, with what it takes to see it in Kafka."""
    if frame is None:
        return
    if frame.empty:
        st.info(f"No quarantined message at partition {partition}, offset {offset}.")
        return
    row, writer = frame.iloc[0], view.writer()
    with st.container(border=True):
        st.markdown(
            f"**{plain(row['reason'])}**, partition {partition}, offset {offset}, received "
            f"{plain(writer.moment(row['kafka_at']))}, landed "
            f"{plain(writer.moment(row['landed_at']))}"
        )
        st.code(str(row["message"]), language=None, wrap_lines=True)
        if row["message_encoding"] != "utf8":
            st.caption(plain(f"The bytes are no UTF-8; shown as {row['message_encoding']}."))
        topic = view.settings().topic_name
        view.link(
            "kafka",
            "See it in Kafka",
            ":material/forum:",
            view="Messages",
            topic=topic,
            partition=str(partition),
            start=StartAt.OFFSET.value,
            offset=str(offset),
        )
        st.code(
            f"bin/kafka-console-consumer --topic {topic} --partition {partition} "
            f"--offset {offset} --max-messages 1",
            language="bash",
        )


def show_messages(frame: pd.DataFrame | None) -> None:
    """The newest messages that fit; a click on one shows it whole."""
    if frame is None:
        return
    if frame.empty:
        st.info("No quarantined message fits these filters.", icon=":material/filter_alt_off:")
        return
    most = f"the newest {LIMIT}" if len(frame) == LIMIT else f"{len(frame)}"
    st.caption(f"Shown: {most}. Click a row to see the whole message.")
    chosen = st.dataframe(
        frame,
        hide_index=True,
        key="messages",
        on_select="rerun",
        selection_mode="single-cell",
        height=min(430, 38 + 35 * len(frame)),
        column_order=[
            "reason",
            "message",
            "device_id",
            "kafka_partition",
            "kafka_offset",
            "kafka_at",
            "landed_at",
        ],
        column_config={
            "reason": st.column_config.TextColumn("Reason", pinned=True, width=190),
            "message": st.column_config.TextColumn("Raw text", width="large"),
            "device_id": "Meter or key",
            "kafka_partition": "Partition",
            "kafka_offset": "Offset",
            "kafka_at": columns.moment("Received, UTC"),
            "landed_at": columns.moment("Landed, UTC"),
        },
        alt="Quarantined messages",
    )
    cells = getattr(getattr(chosen, "selection", None), "cells", [])
    if cells:
        row = frame.iloc[int(cells[0][0])]
        wanted = f"{row['kafka_partition']}-{row['kafka_offset']}"
        if st.query_params.get("message") != wanted:
            st.query_params["message"] = wanted
            st.rerun()


def show_flagged(frame: pd.DataFrame | None) -> None:
    """Fields that accepted messages lacked, or whose value was none."""
    st.subheader("Fields that could not be used")
    if frame is None:
        return
    if frame.empty:
        st.caption("Every field of the messages accepted in this period could be used.")
        return
    st.caption("The energy of these messages counts; quality.flagged_fields names each.")
    st.dataframe(
        frame,
        hide_index=True,
        key="flagged",
        column_config={
            "field": st.column_config.TextColumn("Field", pinned=True),
            "reason": "Reason",
            "message_count": columns.number("Messages"),
            "meter_count": columns.number("Meters"),
            "device_id": "Most from",
            "newest_at": columns.moment("Newest landed, UTC"),
        },
        alt="Fields that could not be used",
    )


def show_rule_hits(frame: pd.DataFrame | None) -> None:
    """What the rules of validation found, by rule and cause."""
    st.subheader("Rules of validation")
    if frame is None:
        return
    if frame.empty:
        st.caption("No rule found fault with a day of this period.")
        return
    st.caption("hard: the value is not used; soft: used and flagged; info: counted.")
    st.dataframe(
        frame,
        hide_index=True,
        key="rule_hits",
        column_config=columns.RULE
        | {
            "hit_count": columns.number("Hits"),
            "meter_count": columns.number("Meters"),
            "device_id": "Most of",
            "newest_date": columns.day("Newest day"),
        },
        alt="Hits of the rules of validation",
    )


def show_incomplete(frame: pd.DataFrame | None) -> None:
    """Meters of which readings are missing."""
    st.subheader("Missing readings")
    if frame is None:
        return
    if frame.empty:
        st.caption("Of every meter each slot that is due has its reading.")
        return
    st.caption("A slot is due 6 hours after its end. marts.interval_reads names each.")
    st.dataframe(
        frame,
        hide_index=True,
        key="incomplete",
        column_config={
            "device_id": st.column_config.TextColumn("Meter", pinned=True),
            "missing": columns.number("Slots missing"),
            "expected_slots": columns.number("Slots"),
            "missing_days": columns.number("Days with one missing"),
            "completeness_pct": columns.number("Complete, %", 1),
            "last_slot_at": columns.moment("Last slot with a value, UTC"),
        },
        alt="Missing readings",
    )


def show_registers(frame: pd.DataFrame | None) -> None:
    """Spans between two register reads in which the readings are not what the register counted."""
    st.subheader("Registers that differ from readings")
    if frame is None:
        return
    if frame.empty:
        st.caption("Every span that ended in this period agrees, or could not be compared.")
        return
    st.caption("Spans that ended in this period; marts.register_reconciliation has all of them.")
    st.dataframe(
        frame,
        hide_index=True,
        key="registers",
        column_config={
            "device_id": st.column_config.TextColumn("Meter", pinned=True),
            "status": "Status",
            "cause": "Likely cause",
            "delta_kwh": columns.number("Register, kWh", 3),
            "slots_kwh": columns.number("Readings, kWh", 3),
            "difference_kwh": columns.number("Difference, kWh", 3),
            "ratio": columns.number("Readings / register", 4),
            "from_at": columns.moment("From, UTC"),
            "to_at": columns.moment("To, UTC"),
        },
        alt="Registers that differ from readings",
    )


def show_repeats(repeats: pd.DataFrame | None) -> None:
    """Duplicates, corrections and superseded messages by day of the reading."""
    st.subheader("Duplicates and corrections")
    if repeats is None or repeats.empty:
        st.caption("No readings in this period.")
        return
    data = charts.days_frame(repeats, "reading_date")
    names = {
        "duplicate_count": "duplicates",
        "correction_count": "corrections",
        "superseded_count": "superseded",
    }
    chart = charts.lines(data, names, charts.day_axis("Day of the reading"), "Messages")
    view.chart(chart, alt="Duplicates and corrections by day")
    duplicates = int(repeats["duplicate_count"].sum())
    readings = int(repeats["reading_count"].sum())
    number = view.writer().number
    st.caption(f"{number(duplicates)} duplicates beside {number(readings)} readings, counted once.")


def show_late(arrivals: pd.DataFrame | None) -> None:
    """Messages that Kafka received more than an hour after their reading, by day of landing."""
    st.subheader("Late arrivals")
    if arrivals is None or arrivals.empty:
        st.caption("Nothing was accepted in this period.")
        return
    chart = charts.late_days(arrivals)
    view.chart(chart, alt="Late and other accepted messages by day of landing")
    late, whole = int(arrivals["late_count"].sum()), int(arrivals["message_count"].sum())
    number = view.writer().number
    st.caption(
        f"{number(late)} of {number(whole)} came to Kafka more than an hour after their reading. "
        "They changed their own old day."
    )


def show_lag(arrivals: pd.DataFrame | None) -> None:
    """How long a message took to landing and from there to staging."""
    st.subheader("Lag over time")
    if arrivals is None or arrivals.empty:
        st.caption("Nothing was accepted in this period.")
        return
    data = arrivals.assign(at=arrivals["landed_at"])
    names = {"land_s": "Kafka to landing", "model_s": "landing to staging"}
    axis = charts.time_axis("Landed, UTC")
    chart = charts.lines(data, names, axis, "Median, seconds", is_log=True)
    view.chart(chart, alt="Median seconds from Kafka to landing and to staging")
