"""A running stack as the tests see it: send, land, run the models, ask."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from stack.base.settings import COMPOSE, Settings
from stack.clients import trino
from stack.clients.kafka import client_options
from stack.rounds import catalog, seen
from stack.rounds.by_hand import run_dbt
from stack.rounds.decision import Action, Decision, plan_of
from stack.rounds.models import Models
from stack.rounds.outcome import Result
from stack.rounds.project import Project, seen_file
from stack.rounds.worker_client import Watch
from stack.writing import lock
from stack.writing.lock import one_writer
from tests.integration.actors import docker
from tests.postgres import admin_connection

TOPIC = "telemetry_raw"
LANDED_PROPERTY = "meterhouse.landed"
LAND_SECONDS = 90.0
# As long as dbt by hand waits for another writer.
LOCK_SECONDS = 600.0
TABLES_OF_MODELS = ("staging", "quality", "intermediate", "marts")

METRICS = {"energy_kwh", "export_kwh", "voltage", "battery_pct", "interval_s", "register_kwh"}

Reading = dict[str, Any]


def reading(device_id: str, timestamp: str, **changes: Any) -> Reading:
    """A telemetry message as interfaces promise it; `changes` go to its metrics or fields."""
    metrics = {"energy_kwh": 0.5, "voltage": 230.0, "battery_pct": 80}
    message = {
        "device_id": device_id,
        "customer_id": "CUST-8000",
        "timestamp": timestamp,
        "metrics": metrics,
        "status": "OK",
    }
    for name, value in changes.items():
        (metrics if name in METRICS else message)[name] = value
    return message


@dataclass(frozen=True)
class Lakehouse:
    """Handles on one running stack."""

    settings: Settings

    def sql(self, statement: str) -> list[list[Any]]:
        """Rows of one Trino statement."""
        return trino.client(self.settings).rows(statement)

    def value(self, statement: str) -> Any:
        """The one value of a statement with one row and one column."""
        ((value,),) = self.sql(statement)
        return value

    def send(self, *messages: Reading, topic: str = TOPIC, sender_ms: int = 0) -> None:
        """Produce telemetry and wait until every message is acknowledged."""
        pairs = [(m["device_id"].encode(), json.dumps(m).encode()) for m in messages]
        self.send_raw(pairs, topic, sender_ms)

    def send_raw(
        self,
        pairs: Iterable[tuple[bytes | None, bytes | None]],
        topic: str = TOPIC,
        sender_ms: int = 0,
    ) -> None:
        """Produce (key, value) pairs as they are and wait for the acknowledgements.

        sender_ms: where the sender's clock stands, in milliseconds since 1970; 0: right.
        """
        errors: list[object] = []
        options = client_options(self.settings) | {
            "enable.idempotence": True,
            "message.max.bytes": 10_485_760,
        }
        producer = Producer(options)
        for key, value in pairs:
            producer.produce(
                topic,
                value,
                key,
                on_delivery=lambda e, _: errors.append(e) if e else None,
                timestamp=sender_ms,
            )
            producer.poll(0)
        assert producer.flush(120) == 0, "messages were not acknowledged within 120 s"
        assert not errors, errors

    def end_offsets(self, topic: str = TOPIC) -> dict[int, int]:
        """The next offset of every partition of a topic."""
        options = client_options(self.settings) | {"group.id": f"test-{uuid.uuid4()}"}
        with closing(Consumer(options)) as consumer:
            partitions = consumer.list_topics(topic, 10).topics[topic].partitions
            return {
                number: consumer.get_watermark_offsets(TopicPartition(topic, number), 10)[1]
                for number in partitions
            }

    def landed_offsets(self, topic: str = TOPIC) -> dict[int, int]:
        """The offsets that the landing table says it holds everything below."""
        rows = self.sql(
            f'select value from iceberg.landing."{topic}$properties" '
            f"where key = '{LANDED_PROPERTY}'"
        )
        offsets = json.loads(rows[0][0])["offsets"] if rows else {}
        return {int(partition): offset for partition, offset in offsets.items()}

    def land(self, topic: str = TOPIC, seconds: float = LAND_SECONDS) -> None:
        """Wait until everything that is in the topic now has landed."""
        wanted = {number: end for number, end in self.end_offsets(topic).items() if end}
        self.wait_until(lambda: covers(self.landed_offsets(topic), wanted), seconds)

    def wait_until(self, is_true: Callable[[], bool], seconds: float = LAND_SECONDS) -> None:
        """Poll a condition to a limit."""
        end = time.monotonic() + seconds
        while not is_true():
            assert time.monotonic() < end, f"not true within {seconds:.0f} s"
            time.sleep(0.3)

    def round(self, *, is_full_refresh: bool = False, changed: Sequence[str] = ()) -> None:
        """Run the models once, as the resident runner does, from a project read once.

        changed: sources below which models run, all models where none is named.
        """
        models, project = resident_models(self.settings), Project()
        plan = plan_of(catalog.look(self.settings, None, ""))
        reasons = ("a test",)
        decision = Decision(Action.RUN, reasons, is_full_refresh, changed=tuple(changed), plan=plan)
        with one_writer(self.settings, lock.BY_HAND, LOCK_SECONDS, no_word) as held:
            # The stack's own runner looks at the tables that another one wrote.
            seen.mark_stale(seen_file(self.settings))
            watch = Watch(held, lambda: False, lambda: None)
            outcome = models.run(decision, project.fingerprint(), watch)
        assert outcome.result is Result.OK, outcome.text

    def dbt(self, *words: str) -> None:
        """One dbt command by hand: in its container, or where the services run natively, here."""
        if self.settings.run_mode == COMPOSE:
            docker("exec", "dbt-transformations", "dbt", *words)
            return
        assert run_dbt(words, self.settings) == 0

    def land_and_round(self) -> None:
        """Let everything sent so far reach the marts."""
        self.land()
        self.round()

    def last_insert(self, model: str) -> str:
        """The newest statement by which dbt added rows to a model."""
        ((statement,),) = self.sql(
            "select query from system.runtime.queries where state = 'FINISHED' "
            f"""and query like '/* {{"app": "dbt"%.{model}"}} */%insert into%' """
            "order by created desc limit 1"
        )
        return str(statement)

    def change_master_data(self, statement: str, *values: Any) -> None:
        """Run a statement on customers and devices."""
        with closing(admin_connection(self.settings, "meterhouse")) as connection, connection:
            connection.cursor().execute(statement, values)

    def new_devices(self, count: int = 1, **columns: Any) -> list[str]:
        """Register meters of our own with the first customer and return their ids."""
        numbers = itertools.islice(unused_numbers(), count)
        devices = [f"MTR-{number}" for number in numbers]
        for device in devices:
            self.add_device(device, **columns)
        return devices

    def add_device(self, device: str, **columns: Any) -> None:
        """Register a meter with the first customer."""
        statement, values = copy_of_first_device(device, columns)
        self.change_master_data(statement, *values)

    def forget_device(self, device: str) -> None:
        """Take a meter out of the master data."""
        self.change_master_data("delete from device_master where device_id = %s", device)

    def snapshots(self) -> dict[str, int]:
        """The current snapshot of every table that the models write."""
        schemas = ", ".join(f"'{schema}'" for schema in TABLES_OF_MODELS)
        tables = self.sql(
            "select table_schema, table_name from iceberg.information_schema.tables "
            f"where table_schema in ({schemas}) and table_type = 'BASE TABLE'"
        )
        return {f"{schema}.{name}": self.snapshot(schema, name) for schema, name in tables}

    def metadata_files(self) -> dict[str, str]:
        """The file that describes each table and view of the models; a change makes another."""
        with (
            closing(admin_connection(self.settings, "iceberg_catalog")) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "select table_namespace || '.' || table_name, metadata_location "
                "from iceberg_tables where table_namespace = any(%s)",
                [list(TABLES_OF_MODELS)],
            )
            return dict(cursor.fetchall())

    def snapshot(self, schema: str, name: str) -> int:
        """The current snapshot id of one table, 0 for none."""
        rows = self.sql(
            f"select snapshot_id from iceberg.{schema}.\"{name}$refs\" where name = 'main'"
        )
        return int(rows[0][0]) if rows else 0

    def offsets_exactly_once(self, topic: str = TOPIC) -> None:
        """Assert that landing holds every offset from 0 to the end once, in every partition."""
        rows = self.sql(
            "select kafka_partition, count(*), count(distinct kafka_offset), min(kafka_offset), "
            f"max(kafka_offset) from iceberg.landing.{topic} group by 1"
        )
        found = {row[0]: tuple(row[1:]) for row in rows}
        ends = {number: end for number, end in self.end_offsets(topic).items() if end}
        assert found == {number: (end, end, 0, end - 1) for number, end in ends.items()}


@cache
def resident_models(settings: Settings) -> Models:
    """The models as a resident runner holds them."""
    return Models(settings, Project(), no_word)


def no_word(text: str) -> None:
    """Hears nothing."""


def covers(landed: Mapping[int, int], wanted: Mapping[int, int]) -> bool:
    """Whether every partition has landed up to the wanted offset."""
    return all(landed.get(number, 0) >= end for number, end in wanted.items())


def unused_numbers() -> Iterable[int]:
    """Meter numbers that no fleet and no other test uses."""
    return (900_000_000 + uuid.uuid4().int % 90_000_000 for _ in itertools.count())


def copy_of_first_device(device: str, columns: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """The statement that registers a meter like the fleet's first one, but for `columns`."""
    names = list(columns)
    changes = "".join(f", '{name}', %s" for name in names)
    statement = (
        "insert into device_master select (jsonb_populate_record(device_master, "
        f"jsonb_build_object('device_id', %s{changes}))).* "
        "from device_master order by device_id limit 1"
    )
    return statement, [device, *(columns[name] for name in names)]
