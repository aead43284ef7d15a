"""The page's messages: what to look for, the messages found, and one of them unfolded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

import streamlit as st

from explorer import view
from explorer.kafka_cluster import Cluster, cluster
from explorer.kafka_messages import (
    SCAN_SECONDS,
    SCANNED_MESSAGES,
    SHOWN_MESSAGES,
    FoundMessages,
    Question,
    Record,
    StartAt,
)
from explorer.kafka_text import (
    SHOWN_BYTES,
    Content,
    Kind,
    base64_of,
    content_of,
    json_line,
    preview,
)
from explorer.kafka_topics import ClusterLook, KafkaTopic
from explorer.kafka_views import in_order, show_problem, size_text
from stack.base.errors import MeterhouseError

COUNTS = (20, 50, 100, SHOWN_MESSAGES)
ALL = "all"
DEFAULT_TOPIC = "telemetry_raw"
EARLIEST_TIME = datetime(1970, 1, 1)
TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


def show_messages() -> None:
    """The messages that the fields above ask for."""
    try:
        broker = cluster()
        _, look = broker.look()
        if not look.topics:
            st.info("There is no topic yet: ./initial-setup.sh creates them.")
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            topic = chosen_topic(look)
            question, starts = chosen_question(broker, topic)
        answer = broker.read(question, topic, starts)
    except MeterhouseError as error:
        show_problem(error)
        return
    show_answer(topic.name, answer, question)


def chosen_topic(look: ClusterLook) -> KafkaTopic:
    """The topic of the page's address, else the first one."""
    names = [topic.name for topic in in_order(look)]
    first = names.index(DEFAULT_TOPIC) if DEFAULT_TOPIC in names else 0
    name = st.selectbox("Topic", names, index=first, key="topic", bind="query-params", width=220)
    return look.topic(name) or look.topics[0]


def chosen_question(broker: Cluster, topic: KafkaTopic) -> tuple[Question, dict[int, int]]:
    """What to look for, and where reading starts."""
    start = StartAt(
        st.selectbox(
            "From",
            [start.value for start in StartAt],
            key="start",
            bind="query-params",
            width=120,
        )
    )
    starts = chosen_starts(broker, topic, start)
    partition = chosen_partition(topic)
    count = st.selectbox("Show", COUNTS, key="count", bind="query-params", width=100)
    key_part = st.text_input("Key contains", key="key_part", bind="query-params", width=150)
    text_part = st.text_input("Text contains", key="text_part", bind="query-params", width=170)
    return Question(partition, start, count, key_part or "", text_part or ""), starts


def chosen_partition(topic: KafkaTopic) -> int | None:
    """One partition, None for all."""
    numbers = [str(partition.number) for partition in topic.partitions]
    chosen = st.selectbox(
        "Partition", [ALL, *numbers], key="partition", bind="query-params", width=100
    )
    return None if chosen == ALL else int(chosen)


def chosen_starts(broker: Cluster, topic: KafkaTopic, start: StartAt) -> dict[int, int]:
    """The offset at which each partition starts, where that is a person's choice."""
    if start is StartAt.OFFSET:
        offset = st.number_input(
            "Offset", min_value=0, value=0, step=1, key="offset", bind="query-params", width=135
        )
        return {partition.number: int(offset) for partition in topic.partitions}
    if start is StartAt.TIME:
        moment = st.datetime_input(
            "Time (UTC)",
            value=None,
            min_value=EARLIEST_TIME,
            step=60,
            key="since",
            bind="query-params",
            width=220,
        )
        return broker.offsets_at(topic, milliseconds(moment)) if moment else {}
    return {}


def milliseconds(moment: datetime) -> int:
    """A time of the field, which knows no zone and is meant in UTC, as Kafka counts it."""
    return round(moment.replace(tzinfo=UTC).timestamp() * 1000)


@st.fragment
def show_answer(topic: str, answer: FoundMessages, question: Question) -> None:
    """The messages found; choosing one does not ask Kafka again."""
    say_what_was_looked_at(answer, question)
    if not answer.records:
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        number = chosen_row(answer)
        st.download_button(
            "Download as JSON lines",
            "".join(f"{json_line(topic, record)}\n" for record in answer.records),
            file_name=f"{topic}.jsonl",
            mime="application/x-ndjson",
            icon=":material/download:",
            on_click="ignore",
        )
    with right, st.container(border=True, key="message"):
        show_record(topic, answer.records[number])


def say_what_was_looked_at(answer: FoundMessages, question: Question) -> None:
    """How much was found and how much was not looked at."""
    found = len(answer.records)
    number = view.writer().number
    words = f"{number(found)} message{'' if found == 1 else 's'} shown"
    words += f", {number(answer.scanned)} looked at"
    if answer.skipped:
        side = "older" if question.start is StartAt.END else "later"
        words += f", {number(answer.skipped)} {side} ones not"
    st.caption(f"{words}. Click a row to see that message. Times are UTC.")
    if answer.is_out_of_time:
        st.warning(f"Reading ended after {SCAN_SECONDS:.0f} s: there may be more to find.")
    elif not found:
        st.info("No message fits." if answer.scanned else "There is no message here.")
    if answer.skipped and question.has_filter and found < question.shown:
        st.caption(limits_text(answer.went_on_to, question))


def limits_text(went_on_to: Mapping[int, int], question: Question) -> str:
    """Where a search that hit its limit goes on."""
    text = f"A search looks at {view.writer().number(SCANNED_MESSAGES)} messages at most."
    if question.start is StartAt.END:
        return f"{text} Choose one partition, an offset or a time to look at older ones."
    places = ", ".join(f"{number}: {offset}" for number, offset in sorted(went_on_to.items()))
    return f"{text} It goes on at these offsets (partition: offset): {places}."


def chosen_row(answer: FoundMessages) -> int:
    """The table of messages; the number of the row that was chosen, else the first."""
    rows = [
        {
            "Time": record.written_at,
            "Part.": record.partition,
            "Offset": record.offset,
            "Key": preview(record.key),
            "Value": preview(record.value),
        }
        for record in answer.records
    ]
    event = st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Time": st.column_config.DatetimeColumn(
                format="YYYY-MM-DD HH:mm:ss.SSS", timezone="UTC"
            ),
            "Key": st.column_config.TextColumn(width="small"),
            "Value": st.column_config.TextColumn(width="large"),
        },
        on_select="rerun",
        selection_mode="single-cell",
        key="found",
        alt="Messages found",
    )
    cells = event["selection"]["cells"]
    row = int(cells[0][0]) if cells else 0
    return row if row < len(answer.records) else 0


def show_record(topic: str, record: Record) -> None:
    """One message, whole."""
    writer = view.writer()
    moment = f"{record.written_at:{TIME_FORMAT}}"[:-3] + " UTC" if record.written_at else "no time"
    st.markdown(f"**Partition {record.partition} · offset {writer.number(record.offset)}**")
    st.caption(
        f"{moment} · {size_text(record.value_bytes, writer)} · [Link]({link(topic, record)})"
    )
    st.caption("Key")
    show_text(content_of(record.key), record.key)
    value = content_of(record.value)
    st.caption(f"Value, {value.kind}")
    if record.is_cut:
        st.caption(f"Only the first {size_text(len(record.value or b''), writer)} are shown.")
    show_value(value, record.value)
    if record.headers:
        st.caption("Headers")
        rows = [{"Name": name, "Value": preview(content)} for name, content in record.headers]
        st.dataframe(rows, hide_index=True, alt="Headers")


def show_value(content: Content, raw: bytes | None) -> None:
    """JSON unfolded with its raw text below, anything else as it is."""
    if content.document is None:
        show_text(content, raw)
        return
    st.json(content.document)
    with st.expander("As it was sent"):
        st.code(content.text, language=None, wrap_lines=True)


def show_text(content: Content, raw: bytes | None) -> None:
    """Text as it is; bytes that are none as hex and base64."""
    if content.kind is Kind.NONE:
        st.caption("none (null)")
        return
    st.code(content.text or "(empty)", language=None, wrap_lines=content.kind is not Kind.BINARY)
    if content.kind is Kind.BINARY and raw is not None:
        st.caption(f"No text: shown as hex, {SHOWN_BYTES} bytes at most.")
        with st.expander("As base64, like the quarantine tables"):
            st.code(base64_of(raw), language=None, wrap_lines=True)


def link(topic: str, record: Record) -> str:
    """The page's address that shows this message first."""
    return "?" + urlencode(
        {
            "view": "Messages",
            "topic": topic,
            "partition": record.partition,
            "start": StartAt.OFFSET.value,
            "offset": record.offset,
        }
    )
