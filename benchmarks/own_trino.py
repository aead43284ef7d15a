"""Run a Trino of the benchmark's own, whose Kafka catalog knows the benchmark's topic."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks import processes
from lander.table import NAMESPACE
from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients.trino import client
from stack.programs import trino
from stack.programs.paths import paths_of

START_SECONDS = 300
# The stack's own settings, but for its users' rights: this one has a single user.
LEFT_OUT = ("-Dcatalog.config-dir=", "-Daccess-control.config-files=")
INSERT_SQL = """
create table iceberg.{namespace}.{table} as
select
    device_id,
    customer_id,
    status,
    cast(from_iso8601_timestamp("timestamp") as timestamp(6) with time zone) as reading_at,
    cast(energy_kwh as double) as energy_kwh,
    cast(voltage as double) as voltage,
    cast(battery_pct as double) as battery_pct
from kafka.default.{topic}
"""


@contextmanager
def running(
    topic: str, folder: Path, port: int, settings: Settings
) -> Iterator[tuple[processes.Server, Settings]]:
    """The server and the settings to reach it with; it ends after the block."""
    own = replace(settings, trino_port=port, state_dir=folder)
    paths = paths_of(own)
    trino.prepare(own, paths)
    service = trino.service(own, paths)
    program = [word for word in service.command if not word.startswith(LEFT_OUT)]
    catalogs = write_catalogs(topic, folder)
    program.insert(1, f"-Dcatalog.config-dir={catalogs}")
    environment = os.environ | service.environment | {"KAFKA_TABLES_FOLDER": str(folder / "kafka")}
    log = folder / "log"
    with processes.server(program, paths.data("trino"), environment, log) as server:
        server.wait_until(lambda: answers(own, topic), START_SECONDS, "a Trino that answers")
        yield server, own


def write_catalogs(topic: str, folder: Path) -> Path:
    """The stack's catalogs iceberg and kafka, the second with the benchmark's topic alone."""
    catalogs, tables = folder / "catalog", folder / "kafka"
    catalogs.mkdir()
    tables.mkdir()
    shutil.copy(trino.ETC / "catalog" / "iceberg.properties", catalogs)
    text = (trino.ETC / "catalog" / "kafka.properties").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("kafka.table-names=")]
    names = "\n".join([*lines, f"kafka.table-names={topic}", ""])
    (catalogs / "kafka.properties").write_text(names)
    described = json.loads((trino.ETC / "kafka" / "telemetry_raw.json").read_text())
    described |= {"tableName": topic, "topicName": topic}
    (tables / f"{topic}.json").write_text(json.dumps(described))
    return catalogs


def answers(settings: Settings, topic: str) -> bool:
    """Whether it reads the topic: it says `select 1` before it has a node to read with."""
    try:
        return client(settings).rows(f"select 1 from kafka.default.{topic} limit 1") == [[1]]
    except RetriableError:
        return False


def insert(topic: str, table: str, settings: Settings) -> None:
    """Fill a new table of namespace landing from the topic in one statement."""
    client(settings).rows(INSERT_SQL.format(namespace=NAMESPACE, table=table, topic=topic))
