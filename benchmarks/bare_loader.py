"""The least that loads a topic into Iceberg: librdkafka, DuckDB, PyIceberg; typed columns only.

Run by benchmarks.comparison as `python -m benchmarks.bare_loader TOPIC TABLE`. It keeps no raw
text, no offsets, no order, and judges nothing: a bad message ends it, a second run duplicates rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import duckdb
import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.cimpl import KafkaError

from benchmarks.peers import METRICS, TEXTS
from lander.catalog import open_catalog
from lander.table import NAMESPACE
from stack.base.settings import Settings, load_settings
from stack.clients.kafka import LANDER, connection

READ_MESSAGES = 10_000
READ_SECONDS = 10.0
PATHS = [f"$.{name}" for name in (*TEXTS, "timestamp", *(f"metrics.{name}" for name in METRICS))]
PARSE_SQL = f"""
with fields as (select json_extract_string(message, {PATHS!r}) as f from messages)
select
    f[1] as device_id, f[2] as customer_id, f[3] as status, f[4]::timestamp as reading_at,
    f[5]::double as energy_kwh, f[6]::double as voltage, f[7]::double as battery_pct
from fields
"""


def batches(topic: str, settings: Settings) -> Iterator[list[bytes | None]]:
    """The topic's values from the first to those that were last at the start."""
    options = connection(settings, LANDER) | {
        "group.id": topic,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer(options)
    partitions = consumer.list_topics(topic).topics[topic].partitions
    left = sum(
        consumer.get_watermark_offsets(TopicPartition(topic, partition))[1]
        for partition in partitions
    )
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    held: list[bytes | None] = []
    while left:
        messages = consumer.consume(READ_MESSAGES, READ_SECONDS)
        if not messages or any(message.error() for message in messages):
            raise SystemExit(f"{left} messages left, none came: {KafkaError._TIMED_OUT}")
        held += [message.value() for message in messages]
        left -= len(messages)
        if len(held) >= settings.landing_commit_rows or not left:
            yield held
            held = []
    consumer.close()


def main(topic: str, name: str) -> None:
    """Load the topic into an empty table of namespace landing."""
    settings = load_settings()
    table = open_catalog(settings).load_table((NAMESPACE, name))
    with duckdb.connect() as database:
        for values in batches(topic, settings):
            database.register("messages", pa.table({"message": pa.array(values, pa.string())}))
            rows = database.sql(PARSE_SQL).to_arrow_table()
            table.append(rows.cast(table.schema().as_arrow()))


if __name__ == "__main__":
    main(*sys.argv[1:])
