"""Topics, landing tables and outcome tables of the tests' own, to be tampered with."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table

from lander.catalog import open_catalog
from stack.books.by_hand import reconcile_by_hand
from stack.books.plan import Flow, Plan
from stack.clients.kafka import client_options
from stack.clients.trino import client
from tests.faults.case import LANDERS, LOG, RUN_SECONDS, be_lander, left_groups
from tests.integration.lakehouse import Lakehouse
from tests.postgres import admin_connection

PARTITIONS = 2
# Lines that the tests' models reject.
REJECTED = "bad"
OUTCOME_SQL = """
create or replace table iceberg.{table}
with (extra_properties = map_from_entries(array[row('meterhouse.progress', '{progress}')]))
as select kafka_partition, kafka_offset, batch_id, landed_at, message as reason
from iceberg.landing.{topic} where {condition}
"""


@dataclass(frozen=True)
class Books:
    """One topic's way with books of its own. schema: of its tables, and its user in Trino."""

    lakehouse: Lakehouse
    schema: str
    topic: str

    @property
    def plan(self) -> Plan:
        """What is reconciled."""
        outcomes = {self.table("accepted"): "null", self.table("rejected"): "reason"}
        flow = Flow(self.topic, outcomes)
        return Plan((flow,), self.table("books"), self.schema, layers=())

    def table(self, kind: str) -> str:
        """schema.table of one of the topic's tables."""
        return f"{self.schema}.{self.topic}_{kind}"

    def run(self, sql: str) -> list[list[Any]]:
        """Rows of a statement as the user who writes the tables."""
        return client(self.lakehouse.settings, self.schema).rows(sql)

    def reconcile(self, *, is_full: bool = False) -> int:
        """Reconcile by hand; the exit code."""
        settings = self.lakehouse.settings
        return reconcile_by_hand(settings, self.plan, lambda text: None, is_full=is_full)

    def rows(self, *columns: str) -> list[list[Any]]:
        """The books, oldest first."""
        listed = ", ".join(columns)
        return self.run(f"select {listed} from iceberg.{self.plan.ledger} order by reconciled_at")

    def differences(self) -> list[str]:
        """What the newest row says differs."""
        result, found = self.rows("result", "differences")[-1]
        assert result == ("difference" if found else "balanced")
        return list(found)

    def send(self, *lines: str) -> None:
        """Produce lines; which partition each goes to is Kafka's choice."""
        pairs = [(str(number).encode(), line.encode()) for number, line in enumerate(lines)]
        self.lakehouse.send_raw(pairs, self.topic)

    def process(self) -> None:
        """Be the models: make both outcome tables of everything that has landed."""
        landed = json.loads(self.landing().properties["meterhouse.landed"])
        progress = json.dumps({key: landed[key] for key in ("batch_id", "landed_at")})
        for kind, condition in (("accepted", "!="), ("rejected", "=")):
            values = {"table": self.table(kind), "topic": self.topic, "progress": progress}
            self.run(OUTCOME_SQL.format(condition=f"message {condition} '{REJECTED}'", **values))

    def landing(self) -> Table:
        """The landing table as the lander sees it."""
        return open_catalog(self.lakehouse.settings).load_table(("landing", self.topic))

    def clear(self, before: dict[int, int]) -> None:
        """Let Kafka delete all messages before these offsets, as retention does."""
        places = [TopicPartition(self.topic, p, offset) for p, offset in before.items()]
        kafka = admin(self.lakehouse)
        for answer in kafka.delete_records(places).values():
            answer.result()


def admin(lakehouse: Lakehouse) -> AdminClient:
    """Kafka's administration; whoever waits for an answer keeps it alive."""
    return AdminClient(client_options(lakehouse.settings))


def create_topic(lakehouse: Lakehouse, topic: str) -> None:
    """Make a topic and wait until it can be written."""
    kafka = admin(lakehouse)
    kafka.create_topics([NewTopic(topic, PARTITIONS)])[topic].result()
    lakehouse.wait_until(
        lambda: len(kafka.list_topics(topic, 5).topics[topic].partitions) == PARTITIONS
    )


def delete_topic(lakehouse: Lakehouse, topic: str) -> None:
    """Delete a topic and wait until it is gone."""
    kafka = admin(lakehouse)
    kafka.delete_topics([topic])[topic].result()
    lakehouse.wait_until(lambda: topic not in kafka.list_topics(timeout=5).topics)


def land(folder: Path, topics: Sequence[str], group: str = "") -> str:
    """Land what the topics hold, by a lander of their own; what it said.

    group: its group in Kafka, else one of its own, in which nobody waits for the stack's lander.
    """
    folder.mkdir(exist_ok=True)
    for topic in topics:
        text = f"topic: {topic}\nformat: text\ndescription: Lines of a test.\n"
        (folder / f"{topic}.yml").write_text(text)
    (folder / LOG).unlink(missing_ok=True)
    group = group or f"{topics[0]}-{uuid.uuid4().hex}"
    process = LANDERS.Process(target=be_lander, args=(folder, group))
    process.start()
    process.join(RUN_SECONDS)
    said = (folder / LOG).read_text(encoding="utf-8")
    assert process.exitcode == 0, said
    return said


def new_books(lakehouse: Lakehouse, names: Sequence[str], folder: Path) -> dict[str, Books]:
    """A way of its own for each name: 12 messages, of which one is rejected, landed and judged."""
    mark = uuid.uuid4().hex[:10]
    schema = f"dbt_books_{mark}"
    lakehouse.sql(f"create schema iceberg.{schema}")
    made = {name: Books(lakehouse, schema, f"{name}_{mark}") for name in names}
    for each in made.values():
        create_topic(lakehouse, each.topic)
        each.send(REJECTED, *(f"line {number}" for number in range(11)))
    land(folder, [each.topic for each in made.values()])
    for each in made.values():
        each.process()
    return made


def remove(made: dict[str, Books]) -> None:
    """Take everything away again."""
    for each in made.values():
        lakehouse, catalog = each.lakehouse, open_catalog(each.lakehouse.settings)
        try:
            catalog.purge_table(("landing", each.topic))
        except NoSuchTableError:
            continue
        lakehouse.sql(f"drop schema if exists iceberg.{each.schema} cascade")
        left_groups(admin(lakehouse), each.topic)
        if each.topic in admin(lakehouse).list_topics(timeout=5).topics:
            delete_topic(lakehouse, each.topic)
        with closing(admin_connection(lakehouse.settings, "meterhouse")) as connection, connection:
            statement = "delete from producer_reports where topic = %s"
            connection.cursor().execute(statement, (each.topic,))
