"""Trino as one native process that is coordinator and worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trino.dbapi import Connection, connect

from stack.paths import Paths
from stack.root import PROJECT_ROOT
from stack.services import java, objectstore_keys
from stack.services.service import Service
from stack.settings import Settings

ETC = PROJECT_ROOT / "trino" / "etc"
STATEMENT_SECONDS = 30


def service(settings: Settings, paths: Paths) -> Service:
    """The server's process; call prepare first."""
    data = paths.data("trino")
    properties = {
        "config": ETC / "config.properties",
        "log.levels-file": ETC / "log.properties",
        "catalog.config-dir": ETC / "catalog",
        "access-control.config-files": ETC / "access" / "access-control.properties",
        "plugin.dir": paths.trino / "plugin",
        "node.environment": settings.project_name,
        "node.id": "coordinator",
        "node.data-dir": data,
        "node.bind-ip": "127.0.0.1",
        "node.internal-address": "127.0.0.1",
        "http-server.http.port": settings.trino_port,
        "discovery.uri": f"http://127.0.0.1:{settings.trino_port}",
    }
    flags = [f"-D{name}={value}" for name, value in properties.items()]
    class_path = f"{paths.trino / 'lib'}{os.sep}*"
    return Service(
        name="trino",
        command=[
            java.program(),
            f"@{ETC / 'jvm.config'}",
            f"-Xmx{settings.trino_heap}",
            *flags,
            *("-cp", class_path, "io.trino.server.TrinoServer"),
        ],
        directory=data,
        address=f"http://{settings.trino_host}:{settings.trino_port}",
        stop_seconds=60,
        environment=catalog_environment(settings),
    )


def prepare(settings: Settings, paths: Paths) -> None:
    """Make the data folder and the command line's defaults."""
    paths.data("trino").mkdir(parents=True, exist_ok=True)
    paths.trino_cli_config.write_text(
        (ETC / "cli.properties").read_text(encoding="utf-8")
        + f"server=http://{settings.trino_host}:{settings.trino_port}\n"
    )


def catalog_environment(settings: Settings) -> dict[str, str]:
    """What the files under trino/etc read by ${ENV:...}."""
    postgres = f"{settings.postgres_host}:{settings.postgres_port}"
    keys = objectstore_keys.keys_of(settings, objectstore_keys.TRINO)
    return {
        "CATALOG_URL": f"jdbc:postgresql://{postgres}/iceberg_catalog",
        "MASTER_DATA_URL": f"jdbc:postgresql://{postgres}/meterhouse",
        "POSTGRES_CATALOG_PASSWORD": str(settings.postgres_catalog_password),
        "POSTGRES_TRINO_PASSWORD": str(settings.postgres_trino_password),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "KAFKA_TABLES_FOLDER": str(ETC / "kafka"),
        "S3_ENDPOINT": settings.s3_endpoint,
        "S3_REGION": settings.s3_region,
        "S3_BUCKET": settings.s3_bucket,
        "S3_ACCESS_KEY": keys.access_key,
        "S3_SECRET_KEY": str(keys.secret_key),
        "ACCESS_RULES_FILE": str(ETC / "access" / "rules.json"),
    }


@contextmanager
def session(settings: Settings, user: str = "operator") -> Iterator[Connection]:
    """A connection to Trino that is closed at the end."""
    connection = connect(  # type: ignore[no-untyped-call]
        host=settings.trino_host,
        port=settings.trino_port,
        user=user,
        catalog="iceberg",
        http_scheme="http",
        request_timeout=STATEMENT_SECONDS,
        max_attempts=1,
    )
    try:
        yield connection
    finally:
        connection.close()


def query(settings: Settings, sql: str) -> list[list[Any]]:
    """Run one statement and return its rows."""
    with session(settings) as connection:
        cursor = connection.cursor()
        cursor.execute(sql)
        rows: list[list[Any]] = cursor.fetchall()
        return rows
