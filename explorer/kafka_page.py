"""Kafka in the browser: topics, groups and messages. Alone: python -m explorer.kafka_alone."""

from __future__ import annotations

import streamlit as st

from explorer.format import plain
from explorer.kafka_cluster import cluster
from explorer.kafka_messages_view import show_messages
from explorer.kafka_views import show_groups, show_problem, show_topics
from stack.base.errors import MeterhouseError

TITLE = "Kafka"
VIEWS = {"Topics": show_topics, "Groups": show_groups, "Messages": show_messages}


def show() -> None:
    """The page; the explorer calls it, and so does this file when it runs alone."""
    st.title(TITLE, anchor=False)
    st.caption(f"Broker {plain(cluster().address)}. This page only looks: it commits no offset.")
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Topics",
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    try:
        cluster().look()
    except MeterhouseError as error:
        show_problem(error)
        return
    VIEWS[str(view or "Topics")]()


if __name__ == "__main__":
    st.set_page_config(page_title=f"{TITLE} · Meterhouse", layout="wide")
    show()
