"""The broker as all visitors of the page see it: one client, and the looks of the last minute."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

import streamlit as st

from explorer import view
from explorer.cache import Cache
from explorer.kafka_messages import FoundMessages, Question, read, sample_size
from explorer.kafka_topics import (
    ClusterLook,
    Group,
    KafkaTopic,
    offsets_at,
    take_groups,
    take_look,
)
from stack.base.settings import Settings
from stack.clients.kafka import EXPLORER, Administrator, answering, client_options

KEPT_LOOKS_SECONDS = 60.0
SIZE_SECONDS = 300.0
MOST_SIZES = 1000
AT_ONCE = 4


@dataclass
class Cluster:
    """Questions to one broker; each raises RetriableError if it does not answer."""

    settings: Settings
    looks: deque[ClusterLook] = field(default_factory=deque)
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.options = client_options(self.settings, EXPLORER)
        self.address = self.settings.kafka_bootstrap_servers
        self.admin = Administrator(self.options)
        self.pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sizes")
        self.sizes: Cache[float | None] = Cache(SIZE_SECONDS, MOST_SIZES, time.monotonic)

    def look(self) -> tuple[ClusterLook | None, ClusterLook]:
        """The oldest look of the last minute, None if there is none, and a new one."""
        with self.admin.asked() as admin:
            look = take_look(admin, time.monotonic())
        with self.lock:
            while self.looks and look.at_seconds - self.looks[0].at_seconds > KEPT_LOOKS_SECONDS:
                self.looks.popleft()
            earlier = self.looks[0] if self.looks else None
            self.looks.append(look)
        return earlier, look

    def groups(self, look: ClusterLook) -> tuple[Group, ...]:
        """Every consumer group."""
        with self.admin.asked() as admin:
            return take_groups(admin, look)

    def offsets_at(self, topic: KafkaTopic, milliseconds: int) -> dict[int, int]:
        """Where reading from a time on starts, by partition."""
        with self.admin.asked() as admin:
            return offsets_at(admin, topic, milliseconds)

    def read(self, question: Question, topic: KafkaTopic, starts: dict[int, int]) -> FoundMessages:
        """Messages of a topic."""
        with answering(self.address):
            return read(self.options, question, topic, starts)

    def message_bytes(self, topics: Sequence[KafkaTopic]) -> dict[str, float | None]:
        """The mean size of each topic's newest messages, asked at once, kept for five minutes."""
        return {
            topic.name: size
            for topic, size in zip(topics, self.pool.map(self._message_bytes, topics), strict=True)
        }

    def _message_bytes(self, topic: KafkaTopic) -> float | None:
        if not topic.messages:
            return 0.0
        with answering(self.address):
            return self.sizes.get(topic.name, lambda: sample_size(self.options, topic)).item


@st.cache_resource
def cluster() -> Cluster:
    """The broker of the settings, shared by all visitors."""
    return Cluster(view.settings())
