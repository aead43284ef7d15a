"""The tools of native mode, pointed at this stack; all their own flags still work."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from stack.base.errors import ConfigurationError
from stack.base.settings import Settings
from stack.clients import trino
from stack.programs import fetch, java, kafka, objectstore, postgres
from stack.programs.paths import Paths

TRINO_CLI_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--enable-native-access=ALL-UNNAMED",
    # Output to a file or a pipe is no reason for a warning.
    "-Dorg.jline.terminal.dumb=true",
)


def tool_command(
    name: str, arguments: Sequence[str], settings: Settings, paths: Paths
) -> tuple[list[str], dict[str, str]]:
    """The command and the environment that point a tool at this stack."""
    if name in kafka.TOOLS:
        return [*kafka.tool(paths, name), *with_login(arguments, settings)], (
            kafka.login_environment(settings)
        )
    if name in postgres.TOOLS:
        database = {"PGDATABASE": "meterhouse"}
        program = postgres.tool(name)
        return [program, *arguments], postgres.client_environment(settings) | database
    if name == "dbt":
        return [sys.executable, "-m", "stack", "dbt", *arguments], {}
    if name == "mc":
        bring_mc(paths)
        return [str(paths.mc), *arguments], objectstore.mc_environment(settings)
    config = {"TRINO_CONFIG": str(paths.trino_cli_config)}
    config |= trino.tool_login(settings, arguments)
    return [java.program(), *TRINO_CLI_OPTIONS, "-jar", str(paths.trino_cli), *arguments], config


def with_login(arguments: Sequence[str], settings: Settings) -> list[str]:
    """Kafka tools want the broker's address and a login: this stack's, unless the caller's."""
    if any(word.startswith("--bootstrap-server") for word in arguments):
        return list(arguments)
    login = ["--command-config", str(kafka.ADMIN_PROPERTIES)] if settings.secure else []
    return ["--bootstrap-server", settings.kafka_bootstrap_servers, *login, *arguments]


def bring_mc(paths: Paths) -> None:
    """Build mc, once. Raises ConfigurationError if it could not be built on this machine."""
    if not paths.mc.exists() and fetch.process("fetch", "mc").wait() != 0:
        raise ConfigurationError(
            "mc, the object-store command line",
            "no such program in the cache, and an error of its build, above",
            "check that a Go module registry can be reached; MinIO's console does without mc",
        )
