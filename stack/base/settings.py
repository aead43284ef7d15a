"""The one place that reads the environment: every setting of .env.example as a frozen object."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from stack.base.errors import ConfigurationError
from stack.base.patterns import Pattern
from stack.base.root import PROJECT_ROOT

EXAMPLE_FILE = PROJECT_ROOT / ".env.example"
# What RUN_MODE says once setup has chosen.
NATIVE, COMPOSE = "native", "compose"
TRUTH_VALUES = {"true": True, "false": False}
# How a type is told where its own name says too little.
KINDS = {bool: "true or false", Pattern: "a regular expression, as .env.example describes it"}
# Numbers that mean nothing at zero or below.
ABOVE_ZERO = {
    "NUM_DEVICES",
    "NUM_CUSTOMERS",
    "MESSAGE_INTERVAL",
    "LANDING_COMMIT_SECONDS",
    "LANDING_COMMIT_ROWS",
    "DBT_RUN_INTERVAL",
}


class Secret(str):
    """A password: a string that does not show itself when its settings are printed."""

    def __repr__(self) -> str:
        return "'***'" if self else "''"


@dataclass(frozen=True)
class Settings:
    """Every setting, named as in .env.example but in lower case; that file explains each."""

    project_name: str
    compose_file: str
    run_mode: str
    state_dir: Path
    object_store: str

    secure: bool
    tls_ca_file: Path

    kafka_version: str
    trino_version: str
    postgres_version: str
    minio_version: str
    mc_version: str
    cp_kafka_version: str
    kafka_ui_version: str
    python_version: str
    minio_image: str

    kafka_port: int
    kafka_controller_port: int
    trino_port: int
    minio_port: int
    minio_console_port: int
    postgres_port: int
    kafka_ui_port: int
    explorer_port: int
    metrics_port: int
    dbt_docs_port: int
    supervisor_port: int

    kafka_bootstrap_servers: str
    postgres_host: str
    trino_host: str
    s3_endpoint: str
    s3_region: str
    s3_bucket: str
    kafka_advertised_host: str
    kafka_bind_address: str

    kafka_heap: str
    trino_heap: str
    trino_memory: str
    java_training: bool

    postgres_password: Secret
    postgres_catalog_password: Secret
    postgres_simulator_password: Secret
    postgres_trino_password: Secret
    postgres_dbt_password: Secret
    s3_access_key: str
    s3_secret_key: Secret
    s3_lander_secret_key: Secret
    s3_trino_secret_key: Secret
    s3_dbt_secret_key: Secret
    s3_people_secret_key: Secret
    trino_operator_password: Secret
    trino_dbt_password: Secret
    trino_explorer_password: Secret
    trino_analyst_password: Secret
    trino_health_password: Secret
    trino_shared_secret: Secret
    kafka_admin_password: Secret
    kafka_lander_password: Secret
    kafka_simulator_password: Secret
    kafka_explorer_password: Secret
    kafka_trino_password: Secret
    kafka_dbt_password: Secret
    kafka_people_password: Secret
    supervisor_password: Secret
    kafka_ui_user: str
    kafka_ui_password: Secret

    num_devices: int
    num_customers: int
    fleet_seed: int
    meter_time_zone: str
    message_interval: float
    topic_name: str
    logs_topic_name: str

    landing_commit_seconds: float
    landing_commit_rows: int

    dbt_auto_run: bool
    dbt_run_interval: float
    log_meter_pattern: Pattern
    log_customer_pattern: Pattern

    maintenance_interval: float
    maintenance_snapshot_hours: float
    maintenance_orphan_hours: float
    maintenance_file_mb: int

    backup_dir: Path
    backup_keep: int
    backup_restore_hours: float

    @property
    def env_file(self) -> Path:
        """The file these settings were read from, whether it exists or not."""
        return env_file_path(os.environ)

    def environment(self) -> dict[str, str]:
        """The settings as environment variables, for child processes."""
        return {
            field.name.upper(): to_text(getattr(self, field.name)) for field in fields(self)
        } | {"METERHOUSE_ENV": str(self.env_file)}


def to_text(value: object) -> str:
    """A setting as it is written in an env file: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def env_file_path(environ: Mapping[str, str]) -> Path:
    """The env file in force: METERHOUSE_ENV, else .env beside the example."""
    return Path(environ.get("METERHOUSE_ENV") or PROJECT_ROOT / ".env").absolute()


def parse_env_file(path: Path) -> dict[str, str]:
    """Read KEY=value lines; blank lines and lines that start with # are passed over.

    Raises ConfigurationError for any other line, naming the file and the line.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not separator or not name.isidentifier():
            raise ConfigurationError("a line KEY=value", repr(line), f"fix line {number} of {path}")
        values[name] = value.strip()
    return values


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from .env.example, overlaid by the env file, overlaid by the environment.

    A variable that is set to nothing counts, as it does for Docker Compose. Raises
    ConfigurationError where a value does not fit its type or its range.
    """
    known = parse_env_file(EXAMPLE_FILE)
    env_file = env_file_path(environ)
    own = parse_env_file(env_file) if env_file.is_file() else {}
    values = {name: environ.get(name, own.get(name, known[name])) for name in known}
    return settings_from(fill_addresses(values))


def exported_settings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The settings found in the environment alone."""
    return {name: environ[name] for name in parse_env_file(EXAMPLE_FILE) if name in environ}


def fill_addresses(values: Mapping[str, str]) -> dict[str, str]:
    """Put this machine's own address where a service address was left empty."""
    filled = dict(values)
    filled["KAFKA_BOOTSTRAP_SERVERS"] = (
        values["KAFKA_BOOTSTRAP_SERVERS"] or f"localhost:{values['KAFKA_PORT']}"
    )
    filled["S3_ENDPOINT"] = values["S3_ENDPOINT"] or f"http://localhost:{values['MINIO_PORT']}"
    state = PROJECT_ROOT / values["STATE_DIR"]
    filled["STATE_DIR"] = str(state)
    filled["BACKUP_DIR"] = str(PROJECT_ROOT / values["BACKUP_DIR"])
    filled["TLS_CA_FILE"] = values["TLS_CA_FILE"] or str(state / "tls" / "client" / "ca.pem")
    return filled


def settings_from(values: Mapping[str, str]) -> Settings:
    """Build the settings object, each value converted to its field's type."""
    types = get_type_hints(Settings)
    converted: dict[str, Any] = {}
    for field in fields(Settings):
        name = field.name.upper()
        converted[field.name] = convert(name, values[name], types[field.name])
    return Settings(**converted)


def convert(name: str, text: str, kind: type) -> Any:
    """One value as `kind`. Raises ConfigurationError if it does not fit."""
    fix = f"change {name} in .env or the environment"
    try:
        value = TRUTH_VALUES[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError) as error:
        wanted = KINDS.get(kind, kind.__name__)
        found = f"{text!r} with {error}" if kind is Pattern else repr(text)
        raise ConfigurationError(f"{name} as {wanted}", found, fix) from error
    if kind is float and not math.isfinite(value):
        raise ConfigurationError(f"{name} as a finite number", repr(text), fix)
    if name in ABOVE_ZERO and value <= 0:
        raise ConfigurationError(f"{name} above 0", repr(text), fix)
    return value
