"""Run the Apache Iceberg Kafka Connect sink beside the stack: a worker and its connectors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from benchmarks import processes
from lander.catalog import CATALOG
from lander.table import NAMESPACE
from stack.base.progress import ProgressDisplay
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients import objectstore
from stack.clients.kafka import client_options
from stack.programs import java, maven
from stack.programs.fetch import Part, fetch
from stack.programs.paths import cache_folder

LOCK_FILE = PROJECT_ROOT / "requirements" / "benchmark-maven.lock"
HEAP = "2g"
TASKS = 2
# The commit interval of the figures that others published.
COMMIT_MS = 10_000
START_SECONDS = 300
REQUEST_SECONDS = 30


@dataclass(frozen=True)
class Worker:
    """A Connect worker that runs. address: of its REST interface."""

    address: str
    server: processes.Server
    settings: Settings

    def add(self, topic: str, table: str) -> None:
        """Start a connector that fills a table of namespace landing from the topic."""
        config = connector(topic, table, self.settings)
        answer = requests.put(
            f"{self.address}/connectors/{table}/config", json=config, timeout=REQUEST_SECONDS
        )
        answer.raise_for_status()

    def problem(self, table: str) -> str:
        """Why a task of the connector failed, or nothing: the worker itself stays up."""
        answer = requests.get(f"{self.address}/connectors/{table}/status", timeout=REQUEST_SECONDS)
        tasks = answer.json().get("tasks", [])
        return next((task["trace"] for task in tasks if task["state"] == "FAILED"), "")

    def remove(self, table: str) -> None:
        """End a connector."""
        requests.delete(f"{self.address}/connectors/{table}", timeout=REQUEST_SECONDS)

    def answers(self) -> bool:
        """Whether the worker takes requests."""
        try:
            return requests.get(self.address, timeout=REQUEST_SECONDS).ok
        except requests.ConnectionError:
            return False


def jars() -> Path:
    """The folder of the sink's jars, fetched at the first use and checked against the lock."""
    artifacts = maven.read_lock(LOCK_FILE)
    version = next(a.version for a in artifacts if a.name == "iceberg-kafka-connect")
    target = cache_folder() / f"iceberg-sink-{version}"
    part = Part(
        "Iceberg sink", target, lambda to, say: maven.fetch_jars(artifacts, "sink", to, say)
    )
    fetch([part], target.parent, ProgressDisplay())
    return target / "lib"


def connector(topic: str, table: str, settings: Settings) -> dict[str, str]:
    """The connector's configuration: the stack's catalog and store, as the lander uses them."""
    keys = objectstore.keys_of(settings, objectstore.LANDER)
    postgres = f"{settings.postgres_host}:{settings.postgres_port}"
    return {
        "connector.class": "org.apache.iceberg.connect.IcebergSinkConnector",
        "tasks.max": str(TASKS),
        "topics": topic,
        "iceberg.tables": f"{NAMESPACE}.{table}",
        "iceberg.control.topic": control_topic(topic),
        "iceberg.control.commit.interval-ms": str(COMMIT_MS),
        "iceberg.catalog": CATALOG,
        "iceberg.catalog.type": "jdbc",
        "iceberg.catalog.uri": f"jdbc:postgresql://{postgres}/iceberg_catalog",
        "iceberg.catalog.jdbc.user": "catalog",
        "iceberg.catalog.jdbc.password": str(settings.postgres_catalog_password),
        "iceberg.catalog.jdbc.schema-version": "V1",
        "iceberg.catalog.warehouse": f"s3://{settings.s3_bucket}/warehouse",
        "iceberg.catalog.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        "iceberg.catalog.client.region": settings.s3_region,
        "iceberg.catalog.s3.endpoint": settings.s3_endpoint,
        "iceberg.catalog.s3.path-style-access": "true",
        "iceberg.catalog.s3.access-key-id": keys.access_key,
        "iceberg.catalog.s3.secret-access-key": str(keys.secret_key),
    }


def control_topic(topic: str) -> str:
    """The topic by which the sink's tasks agree on commits."""
    return f"{topic}-control"


def worker_properties(folder: Path, port: int, settings: Settings) -> str:
    """The worker's configuration file."""
    lines = {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "offset.storage.file.filename": folder / "offsets",
        "listeners": f"http://127.0.0.1:{port}",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


@contextmanager
def worker(topic: str, folder: Path, port: int, settings: Settings) -> Iterator[Worker]:
    """A worker on a free port, and the control topic of `topic`; both go at the end."""
    properties = folder / "worker.properties"
    properties.write_text(worker_properties(folder, port, settings))
    command = [
        *(java.program(), f"-Xmx{HEAP}", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
        *("-cp", f"{jars()}{os.sep}*", "org.apache.kafka.connect.cli.ConnectStandalone"),
        str(properties),
    ]
    admin = AdminClient(client_options(settings))
    admin.create_topics([NewTopic(control_topic(topic), 1, 1)])[control_topic(topic)].result()
    try:
        with processes.server(command, folder, os.environ, folder / "log") as server:
            running = Worker(f"http://127.0.0.1:{port}", server, settings)
            server.wait_until(running.answers, START_SECONDS, "a Connect worker that answers")
            yield running
    finally:
        admin.delete_topics([control_topic(topic)])[control_topic(topic)].result()
