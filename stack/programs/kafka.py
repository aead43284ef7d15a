"""Kafka as one native process that is broker and controller (KRaft)."""

from __future__ import annotations

import os
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from stack.base.errors import FatalError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.programs import tls_files
from stack.programs.class_cache import ClassCache, cache_of
from stack.programs.java import program, property_line
from stack.programs.paths import Paths
from stack.programs.service import Service
from stack.programs.supervision import write_private

SERVER_PROPERTIES = PROJECT_ROOT / "kafka" / "server.properties"
SECURE_PROPERTIES = PROJECT_ROOT / "kafka" / "secure.properties"
ADMIN_PROPERTIES = PROJECT_ROOT / "kafka" / "admin.properties"
NODE_ID = 1
TOOLS = {
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}
# One JVM per call: start fast, compile little, do not write to the service's logs.
TOOL_OPTIONS = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
QUIET_LOG = [
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
]
# Not the serial collector on few processors, as Trino: it takes as long and holds 117 MB more.
BROKER_OPTIONS = [
    "-XX:+UseG1GC",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
]


def service(settings: Settings, paths: Paths) -> Service:
    """The broker's process; call prepare first."""
    heap = [f"-Xmx{settings.kafka_heap}", f"-Xms{settings.kafka_heap}"]
    options = [*heap, f"@{cache(paths).options_file}", *BROKER_OPTIONS]
    return Service(
        name="kafka",
        command=[*java(paths, options, "kafka.Kafka"), str(configuration_file(paths))],
        directory=paths.data("kafka"),
        address=settings.kafka_bootstrap_servers,
        stop_seconds=60,
        environment=secure_environment(settings),
        files=[configuration_file(paths)],
    )


def cache(paths: Paths) -> ClassCache:
    """Java's cache for this broker."""
    return cache_of("kafka", paths, paths.kafka / "lib", BROKER_OPTIONS)


def secure_environment(settings: Settings) -> dict[str, str]:
    """What a secure broker's configuration reads, and a mark of the certificate it shows."""
    if not settings.secure:
        return {}
    return login_environment(settings) | {"CERTIFICATE": tls_files.digest(settings)}


def login_environment(settings: Settings) -> dict[str, str]:
    """What Kafka's own programs need to log in as the administrator."""
    return {
        "ADMIN_PASSWORD": str(settings.kafka_admin_password),
        "TLS_CA_FILE": str(settings.tls_ca_file),
    }


def java(paths: Paths, options: list[str], main_class: str) -> list[str]:
    """A Java command on Kafka's class path."""
    return [program(), *options, "-cp", f"{paths.kafka / 'lib'}{os.sep}*", main_class]


def tool(paths: Paths, name: str) -> list[str]:
    """The command of one of Kafka's own command-line tools."""
    return java(paths, [*TOOL_OPTIONS, *QUIET_LOG], TOOLS[name])


def configuration_file(paths: Paths) -> Path:
    """The generated server.properties: the project's file and this stack's addresses."""
    return paths.state / "kafka.properties"


def prepare(settings: Settings, paths: Paths) -> None:
    """Write the configuration and Java's options, and format the data folder, once.

    Raises FatalError with Kafka's words if the folder cannot be formatted.
    """
    logs = paths.data("kafka") / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    cache(paths).prepare()
    files = [SERVER_PROPERTIES, *([SECURE_PROPERTIES] if settings.secure else [])]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    write_private(paths.state / "kafka.properties", text + overrides(settings, str(logs)))
    if not (logs / "meta.properties").exists():
        format_storage(settings, paths)


def overrides(settings: Settings, log_folder: str) -> str:
    """The lines that differ from stack to stack: addresses, the data folder, the certificate."""
    name = "CLIENT" if settings.secure else "PLAINTEXT"
    broker = f"{settings.kafka_bind_address}:{settings.kafka_port}"
    controller = f"127.0.0.1:{settings.kafka_controller_port}"
    lines = {
        "node.id": NODE_ID,
        "controller.quorum.voters": f"{NODE_ID}@{controller}",
        "listeners": f"{name}://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"{name}://{settings.kafka_advertised_host}:{settings.kafka_port}",
        "log.dirs": log_folder,
    }
    if settings.secure:
        lines["ssl.keystore.location"] = str(tls_files.files_of(settings).server)
    return "\n" + "".join(property_line(key, value) for key, value in lines.items())


def format_storage(settings: Settings, paths: Paths) -> None:
    """Give an empty data folder its cluster id."""
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    storage_tool = java(paths, [*TOOL_OPTIONS, *QUIET_LOG], "kafka.tools.StorageTool")
    # One word, since an id may begin with a hyphen.
    arguments = ["format", f"--cluster-id={cluster_id}", "-c", str(configuration_file(paths))]
    result = subprocess.run(
        [*storage_tool, *arguments],
        env=os.environ | secure_environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise FatalError(
            "a formatted Kafka data folder",
            (result.stdout + result.stderr).strip(),
            f"look at {configuration_file(paths)}",
        )
