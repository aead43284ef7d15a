"""The stack in containers: every verb as a call of Docker Compose."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from stack.base.env_file import secret_names
from stack.base.errors import FatalError, RetriableError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings, parse_env_file
from stack.base.text import Say
from stack.clients import trino
from stack.modes.engine import container_names
from stack.modes.runtime import State
from stack.programs.fetch import fetch_samples
from stack.provision import security

READY_SECONDS = 300
ONE_SHOT = "no"
# The container of each tool, and the words that come before the user's own.
ADMIN_PROPERTIES = "/kafka/admin.properties"
KAFKA_TOOL = ("kafka-kraft", "--bootstrap-server", "localhost:9092")
TOOLS = {
    "dbt": ("dbt-transformations",),
    "stack": ("dbt-transformations",),
    "kafka-topics": KAFKA_TOOL,
    "kafka-console-consumer": KAFKA_TOOL,
    "kafka-console-producer": KAFKA_TOOL,
    "kafka-consumer-groups": KAFKA_TOOL,
    "mc": ("minio-storage",),
    "psql": ("postgres",),
    "pg_dump": ("postgres",),
    "pg_restore": ("postgres",),
    "trino": ("trino-coordinator",),
}
# What these read and print are files, which a terminal would change.
FILTERS = {"pg_dump", "pg_restore"}
UNITS = {"B": 1e-6, "KiB": 1024e-6, "MiB": 1.048576, "GiB": 1073.741824}


def command(settings: Settings, *words: str) -> list[str]:
    """A call of Docker Compose for this stack."""
    files = [str(PROJECT_ROOT / name) for name in settings.compose_file.split(":")]
    options = [word for file in files for word in ("--file", file)]
    folder = ["--project-directory", str(PROJECT_ROOT), "--env-file", str(settings.env_file)]
    return ["docker", "compose", *folder, *options, *words]


def environment(settings: Settings) -> dict[str, str]:
    """The caller's environment, and what an env file from before an upgrade lacks.

    So an older stack can be stopped and looked at; setup adds what is missing for good before it
    starts anything, passwords included.
    """
    known = parse_env_file(settings.env_file) if settings.env_file.is_file() else {}
    lacking = {name: text for name, text in settings.environment().items() if name not in known}
    secrets = {name: lacking[name] or "not set yet" for name in secret_names() & set(lacking)}
    addresses = {name: "" for name in ("S3_ENDPOINT", "KAFKA_BOOTSTRAP_SERVERS") if name in lacking}
    return lacking | secrets | addresses | os.environ


def run(settings: Settings, *words: str) -> None:
    """Run Compose with its output on the terminal. Raises RetriableError if it fails."""
    sys.stdout.flush()
    result = subprocess.run(command(settings, *words), env=environment(settings), check=False)
    if result.returncode != 0:
        raise RetriableError(
            f"`docker compose {words[0]}` to end well",
            "the output above",
            "./initial-setup.sh doctor shows what is unhealthy, with its last log lines",
        )


def answer(settings: Settings, *words: str) -> str:
    """What Compose prints. Raises RetriableError with its words if it fails."""
    return output(command(settings, *words), environment(settings))


def output(words: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What a docker command prints. Raises RetriableError with its words if it fails."""
    result = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RetriableError(
            f"`{' '.join([words[0], words[1]])}` to answer",
            result.stderr.strip(),
            "see whether the container engine runs: docker info",
        )
    return result.stdout


def fetch(settings: Settings, say: Say) -> None:
    """Pull the official images and build our own; bring the samples that the demo replays."""
    run(settings, "pull", "--ignore-buildable", "--policy", "missing", "--quiet")
    services = ["lakehouse-init", "dbt-transformations", "explorer"]
    if settings.minio_image:
        pull(settings.minio_image, say)
    else:
        services.append("minio-storage")
    run(settings, "build", *services)
    fetch_samples(settings, say)


def pull(image: str, say: Say) -> None:
    """Bring one image unless it is there."""
    if output(["docker", "images", "--quiet", image]).strip():
        return
    say(f"pulling {image}")
    output(["docker", "pull", "--quiet", image])


def start(settings: Settings, say: Say) -> None:
    """Bring everything up and wait until every container is healthy; safe to call again."""
    # A container goes on with the certificate it read at its start.
    recreate = ["--force-recreate"] if security.prepare(settings, say) else []
    up = ["up", "--detach", "--wait", "--wait-timeout", str(READY_SECONDS), "--no-build"]
    run(settings, *up, "--remove-orphans", *recreate)
    bad = [state.name for state in states(settings) if not state.is_good]
    if bad:
        raise RetriableError(
            "every container healthy", ", ".join(bad), "run ./initial-setup.sh doctor"
        )


def start_stores(settings: Settings, say: Say) -> None:
    """Bring up what keeps data (PostgreSQL, Kafka, the object store) and nothing that writes."""
    security.prepare(settings, say)
    # Without an access key the store is Amazon's S3.
    names = ["postgres", "kafka-kraft", *(["minio-storage"] if settings.s3_access_key else [])]
    up = ["up", "--detach", "--wait", "--wait-timeout", str(READY_SECONDS), "--no-build"]
    run(settings, *up, "--no-recreate", *names)
    once = ["run", "--rm", "--no-TTY", "--no-deps", "--name", "postgres-init-again"]
    run(settings, *once, "postgres-init")


def stop(settings: Settings, say: Say) -> None:
    """Stop the containers in the reverse order of dependence; data stays in the volumes."""
    run(settings, "--profile", "*", "stop")
    say("stopped; data stays in the volumes")


def erase(settings: Settings, say: Say) -> None:
    """Delete the containers and their volumes."""
    run(settings, "--profile", "*", "down", "--volumes", "--remove-orphans")


def inspect(settings: Settings) -> list[dict[str, Any]]:
    """What Docker knows of this stack's containers; one-shot ones that ended well left out."""
    ids = answer(settings, "--profile", "*", "ps", "--all", "--quiet").split()
    found = json.loads(output(["docker", "inspect", *ids])) if ids else []
    return [each for each in found if not is_done(each)]


def is_done(container: Mapping[str, Any]) -> bool:
    """Whether a one-shot container has ended well."""
    once = container["HostConfig"]["RestartPolicy"]["Name"] == ONE_SHOT
    state = container["State"]
    return bool(once and state["Status"] == "exited" and state["ExitCode"] == 0)


def states(settings: Settings) -> list[State]:
    """How every container is, in the order of the compose file."""
    order = container_names()
    containers = sorted(inspect(settings), key=lambda each: order.index(each["Name"].lstrip("/")))
    running = [each["Id"] for each in containers if each["State"]["Running"]]
    if not running:
        return []
    memory = memory_mb(running)
    return [state_of(each, memory.get(each["Id"], 0.0)) for each in containers]


def memory_mb(ids: Sequence[str]) -> dict[str, float]:
    """Memory in use by running containers, in megabytes, by their ids."""
    lines = output(
        ["docker", "stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", *ids]
    ).splitlines()
    stats = [json.loads(line) for line in lines]
    return {each["ID"]: megabytes(each["MemUsage"]) for each in stats}


def megabytes(usage: str) -> float:
    """The first figure of Docker's `123.4MiB / 3GiB`."""
    match = re.match(r"([\d.]+)(\w+)", usage)
    return float(match[1]) * UNITS[match[2]] if match and match[2] in UNITS else 0.0


def state_of(container: Mapping[str, Any], memory: float) -> State:
    """One container's state."""
    state = container["State"]
    health = state.get("Health", {})
    status = health.get("Status") or state["Status"]
    if not state["Running"]:
        status = f"exited ({state['ExitCode']})" if state["Status"] == "exited" else state["Status"]
    # Docker writes nanoseconds, which Python does not read.
    started = datetime.fromisoformat(re.sub(r"\.\d+Z$|Z$", "+00:00", state["StartedAt"]))
    up = (datetime.now(UTC) - started).total_seconds() if state["Running"] else 0.0
    is_good = state["Running"] and status in {"healthy", "running", "starting"}
    note = published(container) if is_good and published(container) else check_output(health)
    return State(container["Name"].lstrip("/"), status, is_good, memory, up, note)


def published(container: Mapping[str, Any]) -> str:
    """The host addresses of a container."""
    ports = container["NetworkSettings"]["Ports"] or {}
    return " ".join(
        f"{binding['HostIp']}:{binding['HostPort']}"
        for bindings in ports.values()
        for binding in bindings or []
    )


def check_output(health: Mapping[str, Any]) -> str:
    """What the last health check printed, in one line."""
    entries = health.get("Log") or []
    return " ".join(str(entries[-1]["Output"]).split())[:300] if entries else ""


def log_lines(settings: Settings, name: str, count: int) -> list[str]:
    """The last lines a container logged."""
    words = ["docker", "logs", "--tail", str(count), name]
    result = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return result.stdout.splitlines()[-count:]


def tool(
    settings: Settings, name: str, arguments: Sequence[str]
) -> tuple[list[str], Mapping[str, str]]:
    """The command that runs a tool in its service's container."""
    if name not in TOOLS:
        raise FatalError(f"one of {', '.join(TOOLS)}", name, "use a tool of bin/")
    container, *first = TOOLS[name]
    if settings.secure and TOOLS[name] == KAFKA_TOOL:
        first += ["--command-config", ADMIN_PROPERTIES]
    if any(word.startswith("--bootstrap-server") for word in arguments):
        first = []
    defaults = tool_defaults(settings, name, arguments)
    is_typed = name not in FILTERS and sys.stdin.isatty() and sys.stdout.isatty()
    options = ["-it"] if is_typed else ["-i"]
    # By name: a password is not seen in the process table, and the caller's own gets in too.
    names = ["TRINO_PASSWORD"] if name == "trino" and settings.secure else list(defaults)
    options += [word for variable in names for word in ("--env", variable)]
    return ["docker", "exec", *options, container, name, *first, *arguments], defaults


def tool_defaults(settings: Settings, name: str, arguments: Sequence[str]) -> dict[str, str]:
    """What a tool reads in its environment inside the container."""
    if TOOLS[name] == TOOLS["psql"]:
        return psql_defaults(settings)
    return trino.tool_login(settings, arguments) if name == "trino" else {}


def psql_defaults(settings: Settings) -> dict[str, str]:
    """Defaults of psql inside its container: the master data, as the server's owner."""
    return {
        "PGHOST": "127.0.0.1",
        "PGUSER": "postgres",
        "PGPASSWORD": str(settings.postgres_password),
        "PGDATABASE": "meterhouse",
    }
