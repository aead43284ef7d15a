"""The page's topics and consumer groups, each a card that follows the broker."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from explorer import view
from explorer.format import NOTHING, Writer, plain
from explorer.kafka_cluster import cluster
from explorer.kafka_topics import ClusterLook, Group, KafkaTopic, Rate, is_internal, rate
from stack.base.errors import MeterhouseError

REFRESH_SECONDS = 5
SHOWN_CARDS = 20
STATE_COLOURS = {"STABLE": "green", "EMPTY": "gray"}
UNITS = ("B", "kB", "MB", "GB")


def size_text(count: float, writer: Writer) -> str:
    """A number of bytes with a unit, in steps of a thousand."""
    value, step = count, 0
    while value >= 1000 and step < len(UNITS) - 1:
        value, step = value / 1000, step + 1
    return writer.unit(value, UNITS[step], 1 if step else 0)


def rate_text(measured: Rate | None, writer: Writer) -> str:
    """A rate with its unit; two looks are needed for one."""
    return writer.unit(measured.messages_per_second, "/s", 1) if measured else "measuring"


def show_problem(error: MeterhouseError) -> None:
    """What is missing and what helps."""
    st.error(
        f"**Wanted:** {plain(error.wanted)}  \n**Found:** {plain(error.found)}  \n"
        f"**Next:** {plain(error.next_step)}",
        icon=":material/cloud_off:",
    )
    st.button("Try again", key="kafka_retry")


def show_topics() -> None:
    """Every topic with its figures; they follow the broker."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        part = st.text_input("Topic name contains", key="find", bind="query-params", width=300)
        with_internal = internal_switch()
    topic_cards(part or "", with_internal)


def internal_switch() -> bool:
    """Whether to show what serves Kafka or the stack itself, beside people's own."""
    return st.toggle(
        "Internal ones",
        key="internal",
        bind="query-params",
        help="Names that begin with an underscore: Kafka's own, and those of the stack's probes.",
    )


@st.fragment(run_every=REFRESH_SECONDS)
def topic_cards(part: str, with_internal: bool) -> None:
    """The cards of the topics that are looked for."""
    try:
        earlier, look = cluster().look()
        found = [
            topic
            for topic in in_order(look)
            if part.casefold() in topic.name.casefold() and (with_internal or not topic.is_internal)
        ]
        shown = found[:SHOWN_CARDS]
        mean_bytes = cluster().message_bytes(shown)
        for topic in shown:
            topic_card(topic, rate(earlier, look, topic.name), mean_bytes[topic.name])
    except MeterhouseError as error:
        show_problem(error)
        return
    say_what_is_left_out(len(found), "topic")


def say_what_is_left_out(count: int, word: str) -> None:
    """Name what the page does not show, so that nobody takes it for all."""
    if not count:
        st.info(f"No {word} to show.")
    if count > SHOWN_CARDS:
        st.caption(f"{count - SHOWN_CARDS} more: search by name.")


def topic_card(topic: KafkaTopic, measured: Rate | None, mean_bytes: float | None) -> None:
    """One topic. mean_bytes: of a message."""
    writer = view.writer()
    with st.container(border=True, key=f"topic-{topic.name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.subheader(plain(topic.name), anchor=False, width="content")
            is_opened = st.button(
                "Messages",
                key=f"open-{topic.name}",
                icon=":material/search:",
                on_click=open_messages,
                args=(topic.name,),
            )
        if is_opened:
            # The button redraws its card only; the view has changed.
            st.rerun()
        with st.container(horizontal=True, gap="medium"):
            st.metric("Messages held", writer.number(topic.messages), width="content")
            st.metric(
                "Rate", rate_text(measured, writer), help=rate_help(measured), width="content"
            )
            st.metric(
                "Size, estimated",
                estimate(topic, mean_bytes, writer),
                help=SIZE_HELP,
                width="content",
            )
            st.metric("Partitions", len(topic.partitions), width="content")
        with st.expander("Offsets by partition"):
            partition_table(topic)


SIZE_HELP = (
    "Messages held times the mean size of key and value of the newest ones, before compression. "
    "The client library cannot ask the broker for the size of its log files."
)


def rate_help(measured: Rate | None) -> str:
    """Over which time a rate was measured."""
    if measured is None:
        return "Two looks at the end offsets make a rate; the next one comes within seconds."
    return f"Messages that came in the last {measured.seconds:.0f} s, by the end offsets."


def estimate(topic: KafkaTopic, mean: float | None, writer: Writer) -> str:
    """A topic's size as far as it can be known."""
    return NOTHING if mean is None else f"~ {size_text(mean * topic.messages, writer)}"


def partition_table(topic: KafkaTopic) -> None:
    """The offsets of each partition."""
    rows = [
        {
            "Partition": each.number,
            "Oldest offset": each.begin,
            "Next offset": each.end,
            "Messages": each.messages,
        }
        for each in topic.partitions
    ]
    st.dataframe(rows, hide_index=True, alt=f"Offsets of {topic.name}")


def open_messages(name: str) -> None:
    """Go to the messages of a topic."""
    st.session_state["view"] = "Messages"
    # The list of topics is not drawn yet: it takes its value from the address.
    st.session_state.pop("topic", None)
    st.query_params["topic"] = name


def show_groups() -> None:
    """Every consumer group with its lag; they follow the broker."""
    group_cards(internal_switch())


@st.fragment(run_every=REFRESH_SECONDS)
def group_cards(with_internal: bool) -> None:
    """The cards of the groups."""
    try:
        _, look = cluster().look()
        groups = [
            group
            for group in cluster().groups(look)
            if with_internal or not is_internal(group.name)
        ]
    except MeterhouseError as error:
        show_problem(error)
        return
    # Groups that nobody is a member of any more must not push out those at work.
    in_order = sorted(groups, key=lambda group: (not group.members, by_name(group.name)))
    for group in in_order[:SHOWN_CARDS]:
        group_card(group)
    say_what_is_left_out(len(groups), "group")


def group_card(group: Group) -> None:
    """One consumer group."""
    with st.container(border=True, key=f"group-{group.name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.subheader(plain(group.name), anchor=False, width="content")
            colour = STATE_COLOURS.get(group.state, "orange")
            st.badge(group.state.replace("_", " ").lower(), color=colour)  # type: ignore[arg-type]  # wants literals
        if group.problem:
            st.warning(f"The broker says: {plain(group.problem)}")
            return
        with st.container(horizontal=True, gap="medium"):
            st.metric("Lag", view.writer().number(group.lag), help=LAG_HELP, width="content")
            st.metric("Members", len(group.members), width="content")
            st.metric("Partitions", len(group.progress), width="content")
        if group.members:
            st.caption("Members: " + plain(", ".join(members_text(group))))
        if group.progress:
            progress_table(group)


LAG_HELP = (
    "Offsets between the group's committed one and how far readers of committed messages get, over "
    "all partitions."
)


def members_text(group: Group) -> Iterable[str]:
    """Each member with its place and what it reads."""
    for member in group.members:
        yield f"{member.client_id} at {member.host} ({len(member.partitions)} partitions)"


def progress_table(group: Group) -> None:
    """How far the group is in each partition."""
    rows = [
        {
            "Topic": each.topic,
            "Part.": each.partition.number,
            "Lag": each.lag,
            "Committed": each.committed,
            "End": each.partition.end,
            "Read by": each.client_id,
        }
        for each in group.progress
    ]
    st.dataframe(rows, hide_index=True, placeholder=NOTHING, alt=f"Lag of {group.name}")


def in_order(look: ClusterLook) -> list[KafkaTopic]:
    """Topics as people look for them."""
    return sorted(look.topics, key=lambda topic: by_name(topic.name))


def by_name(name: str) -> tuple[int, str]:
    """Order of names: those of helpers (_) and of Kafka itself (__) last."""
    return len(name) - len(name.lstrip("_")), name
