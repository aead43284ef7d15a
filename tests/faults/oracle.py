"""Whether a landing table holds exactly what a consumer reads and its producers were told."""

from __future__ import annotations

import base64
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from lander.catalog import open_catalog
from lander.properties import watermark_of
from lander.table import NAMESPACE
from stack.base.settings import Settings
from stack.clients.kafka import client_options
from tests.faults.ledger import Ledger, Place, fingerprint, place_of

READ_SECONDS = 60.0
COLUMNS = ("kafka_partition", "kafka_offset", "kafka_skipped", "batch_id", "landed_at")
MESSAGE_COLUMNS = ("message_key", "message_key_encoding", "message", "message_encoding")


@dataclass(frozen=True)
class Finding:
    """lost: messages missing; duplicated: rows too many; different: what senders know otherwise.

    is_ordered: no batch landed before an earlier one, whatever clocks said; is_accounted: rows and
    the offsets they say were skipped add up to where the table goes on; snapshot: the table's
    current snapshot id.
    """

    messages: int
    lost: int
    duplicated: int
    is_ordered: bool
    snapshot: int | None
    is_accounted: bool = True
    different: str = ""

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing duplicate, nothing changed, nothing out of turn."""
        is_whole = not self.lost and not self.duplicated and self.is_accounted
        return is_whole and not self.different and self.is_ordered


def judge(settings: Settings, topic: str, ledger: Ledger) -> Finding:
    """Compare the landing table, message by message, with what a consumer reads of the topic.

    It reads what was committed: the offsets between may hold markers or aborted messages.
    """
    held = readable(settings, topic)
    table = open_catalog(settings).load_table((NAMESPACE, topic))
    rows = table.scan(selected_fields=(*COLUMNS, *MESSAGE_COLUMNS)).to_arrow().to_pylist()
    found = Counter((row["kafka_partition"], row["kafka_offset"]) for row in rows)
    hash_sum = sum(
        fingerprint(
            raw(row["message_key"], row["message_key_encoding"]),
            raw(row["message"], row["message_encoding"]),
        )
        for row in rows
    )
    landed = sorted({(row["batch_id"], row["landed_at"]) for row in rows})
    snapshot = table.current_snapshot()
    return Finding(
        messages=len(held),
        lost=len(held.keys() - found.keys()),
        duplicated=sum(found.values()) - len(found.keys() & held.keys()),
        is_ordered=[at for _, at in landed] == sorted(at for _, at in landed),
        snapshot=snapshot.snapshot_id if snapshot else None,
        is_accounted=accounted(rows)
        == +Counter(watermark_of(table).ends_of(watermark_of(table).topic_id)),
        different=ledger.differences(held)
        or ("" if hash_sum == sum(held.values()) else "landed keys or values changed"),
    )


def accounted(rows: list[dict[str, Any]]) -> Counter[int]:
    """Partition -> its rows and the offsets without a message before them, together."""
    ends: Counter[int] = Counter()
    for row in rows:
        ends[row["kafka_partition"]] += 1 + row["kafka_skipped"]
    return ends


def readable(settings: Settings, topic: str) -> dict[Place, int]:
    """The fingerprint of each message that Kafka gives to a reader of committed ones, by place."""
    options = client_options(settings) | {
        "group.id": f"{topic}-oracle",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
    }
    found: dict[Place, int] = {}
    end = time.monotonic() + READ_SECONDS
    with closing(Consumer(options)) as consumer:
        asked = set(consumer.list_topics(topic, READ_SECONDS).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in asked])
        while asked:
            assert time.monotonic() < end, f"partitions {asked} not read in {READ_SECONDS} s"
            for message in consumer.consume(500, 0.2):
                error = message.error()
                if error is None:
                    found[place_of(message)] = fingerprint(message.key(), message.value())
                elif error.code() == KafkaError._PARTITION_EOF:
                    asked.discard(int(message.partition() or 0))
    return found


def raw(text: str | None, encoding: str | None) -> bytes | None:
    """The bytes that a landing row keeps as text."""
    if text is None:
        return None
    return base64.b64decode(text) if encoding == "base64" else text.encode()
