"""Trino as one native process that is coordinator and worker."""

from __future__ import annotations

import os
from collections.abc import Sequence

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients import objectstore, trino
from stack.programs import java, tls_files
from stack.programs.class_cache import ClassCache, cache_of
from stack.programs.paths import Paths
from stack.programs.service import Service

ETC = PROJECT_ROOT / "trino" / "etc"


def service(settings: Settings, paths: Paths, collector: Sequence[str] | None = None) -> Service:
    """The server's process; call prepare first.

    collector: options after those of jvm.config; the ones for this machine unless given.
    """
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
        "spiller-spill-path": data / "spill",
        "node.bind-ip": "127.0.0.1",
        "node.internal-address": "127.0.0.1",
    } | (secure_door(settings) if settings.secure else plain_door(settings))
    flags = [f"-D{name}={value}" for name, value in properties.items()]
    class_path = f"{paths.trino / 'lib'}{os.sep}*"
    return Service(
        name="trino",
        command=[
            java.program(),
            f"@{ETC / 'jvm.config'}",
            *(java.collector() if collector is None else collector),
            f"@{cache(paths).options_file}",
            f"-Xmx{settings.trino_heap}",
            *flags,
            *("-cp", class_path, "io.trino.server.TrinoServer"),
        ],
        directory=data,
        address=trino.address(settings),
        stop_seconds=60,
        environment=catalog_environment(settings) | password_environment(settings),
        files=[ETC],
    )


def cache(paths: Paths) -> ClassCache:
    """Java's cache for this Trino."""
    options = (ETC / "jvm.config").read_text(encoding="utf-8").splitlines()
    return cache_of("trino", paths, paths.trino / "lib", options)


def plain_door(settings: Settings) -> dict[str, object]:
    """HTTP, and nobody is asked for a password."""
    return {
        "http-server.http.port": settings.trino_port,
        "discovery.uri": f"http://127.0.0.1:{settings.trino_port}",
    }


def secure_door(settings: Settings) -> dict[str, object]:
    """HTTPS and passwords, for Trino's requests to itself too; no HTTP at all."""
    files = tls_files.files_of(settings)
    return {
        "http-server.http.enabled": "false",
        "http-server.https.enabled": "true",
        "http-server.https.port": settings.trino_port,
        "http-server.https.keystore.path": files.server,
        "http-server.authentication.type": "PASSWORD",
        "password-authenticator.config-files": ETC / "secure" / "password-authenticator.properties",
        "internal-communication.shared-secret": "${ENV:TRINO_SHARED_SECRET}",
        "internal-communication.https.required": "true",
        "internal-communication.https.truststore.path": files.authority_for_servers,
        "discovery.uri": f"https://127.0.0.1:{settings.trino_port}",
    }


def password_environment(settings: Settings) -> dict[str, str]:
    """What a secure Trino reads by ${ENV:...} on top, and a mark of the certificate it shows."""
    if not settings.secure:
        return {}
    files = tls_files.files_of(settings)
    return {
        "TRINO_SHARED_SECRET": str(settings.trino_shared_secret),
        "TRINO_PASSWORDS_FILE": str(files.trino_passwords),
        "KAFKA_TRINO_PASSWORD": str(settings.kafka_trino_password),
        "TLS_CA_FILE": str(files.authority_for_servers),
        "CERTIFICATE": tls_files.digest(settings),
    }


def prepare(settings: Settings, paths: Paths) -> None:
    """Make the data folder, Java's options and the command line's defaults."""
    paths.data("trino").mkdir(parents=True, exist_ok=True)
    cache(paths).prepare()
    lines = {"server": trino.address(settings)}
    if settings.secure:
        lines |= {"truststore-path": str(settings.tls_ca_file), "password": "true"}
    paths.trino_cli_config.write_text(
        (ETC / "cli.properties").read_text(encoding="utf-8")
        + "".join(java.property_line(name, value) for name, value in lines.items())
    )


def catalog_environment(settings: Settings) -> dict[str, str]:
    """What the files under trino/etc read by ${ENV:...}."""
    postgres = f"{settings.postgres_host}:{settings.postgres_port}"
    keys = objectstore.keys_of(settings, objectstore.TRINO)
    return {
        "CATALOG_URL": f"jdbc:postgresql://{postgres}/iceberg_catalog",
        "MASTER_DATA_URL": f"jdbc:postgresql://{postgres}/meterhouse",
        "POSTGRES_CATALOG_PASSWORD": str(settings.postgres_catalog_password),
        "POSTGRES_TRINO_PASSWORD": str(settings.postgres_trino_password),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "KAFKA_CLIENT_FILE": str(
            ETC / "kafka" / f"{'secure' if settings.secure else 'plain'}.properties"
        ),
        "KAFKA_TABLES_FOLDER": str(ETC / "kafka"),
        "S3_ENDPOINT": settings.s3_endpoint,
        "S3_REGION": settings.s3_region,
        "S3_BUCKET": settings.s3_bucket,
        "S3_ACCESS_KEY": keys.access_key,
        "S3_SECRET_KEY": str(keys.secret_key),
        "ACCESS_RULES_FILE": str(ETC / "access" / "rules.json"),
    }
