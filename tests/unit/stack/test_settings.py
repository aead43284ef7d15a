"""Settings: read from files and environment, typed, masked, and complete."""

from __future__ import annotations

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import EXAMPLE_FILE, Secret, Settings, load_settings, parse_env_file

OUTSIDE_NAMES = {
    # Set by setup or the services' own code, not by people: where the env file is, and what the
    # Trino catalogs and clients are given out of other settings.
    "METERHOUSE_ENV",
    "CATALOG_URL",
    "MASTER_DATA_URL",
    "KAFKA_CLIENT_FILE",
    "KAFKA_TABLES_FOLDER",
    "TRINO_PASSWORDS_FILE",
    "ACCESS_RULES_FILE",
}


def tracked_files(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    return [PROJECT_ROOT / name for name in listed.stdout.splitlines()]


def test_every_listed_setting_is_a_field_and_every_field_is_listed() -> None:
    assert {field.name.upper() for field in fields(Settings)} == set(parse_env_file(EXAMPLE_FILE))


def test_every_setting_is_used_by_something() -> None:
    folders = ("stack", "lander", "simulator", "dbt-project", "trino", "setup", "*.sh")
    files = tracked_files(*folders, "docker-compose*.yml")
    text = "\n".join(
        path.read_text(encoding="utf-8", errors="replace")
        for path in files
        if path.name not in {"settings.py"} and path.suffix not in {".csv"}
    )
    unused = [
        field.name
        for field in fields(Settings)
        if not re.search(rf"\bsettings\.{field.name}\b|\b{field.name.upper()}\b", text)
        and not re.search(rf"\.{field.name}\b", text)
    ]
    assert unused == []


def test_every_environment_name_of_compose_trino_and_dbt_is_known() -> None:
    files = tracked_files("trino", "dbt-project/*.yml", "docker-compose*.yml")
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    pattern = r"\$\{ENV:(\w+)\}|env_var\(['\"](\w+)['\"]|\$\{([A-Z]\w+)[}:]"
    used = {"".join(groups) for groups in re.findall(pattern, text)} - {"ENV"}
    assert used - set(parse_env_file(EXAMPLE_FILE)) - OUTSIDE_NAMES == set()


def test_only_the_settings_module_reads_the_environment() -> None:
    readers = {
        path.relative_to(PROJECT_ROOT).as_posix()
        for path in tracked_files("stack/*.py", "lander/*.py", "simulator/*.py")
        if re.search(r"os\.getenv|environ\[|environ\.get", path.read_text(encoding="utf-8"))
    }
    # paths.py asks for XDG_CACHE_HOME, which belongs to the user's desktop, not to this project;
    # caller.py takes out what does not count, postgres.py hands PATH on to psql, program.py
    # PYTHONPATH to the programs that it starts.
    handing_on = {
        "stack/base/caller.py",
        "stack/programs/postgres.py",
        "stack/rounds/program.py",
    }
    assert readers <= {"stack/base/settings.py", "stack/programs/paths.py"} | handing_on


def test_no_version_stands_outside_the_settings() -> None:
    versions = [
        value for name, value in parse_env_file(EXAMPLE_FILE).items() if name.endswith("_VERSION")
    ]
    images = ("docker-compose.yml", "*Dockerfile")
    files = tracked_files("stack", "setup", "bin", "lander", "*.sh", "trino", "kafka", *images)
    offenders = [
        f"{path.name}: {version}"
        for path in files
        for version in versions
        if path.suffix not in {".txt", ".csv"}
        and re.search(rf"(?<![\w.]){re.escape(version)}(?![\w.])", path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


def test_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("NUM_DEVICES=20\nNUM_CUSTOMERS=7\n")
    settings = load_settings({"METERHOUSE_ENV": str(env_file), "NUM_CUSTOMERS": "8"})
    assert (settings.num_devices, settings.num_customers) == (20, 8)


def test_an_empty_variable_counts_without_an_env_file_and_beside_one(tmp_path: Path) -> None:
    """In a container there is no env file: an empty access key there means the machine's role."""
    env_file = tmp_path / ".env"
    variables = {"METERHOUSE_ENV": str(env_file), "S3_ACCESS_KEY": ""}
    assert load_settings(variables).s3_access_key == ""
    env_file.write_text("S3_ACCESS_KEY=owner\n")
    assert load_settings(variables).s3_access_key == ""


def test_an_empty_address_is_this_machine_and_the_port(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("KAFKA_PORT=29092\nMINIO_PORT=29000\n")
    settings = load_settings({"METERHOUSE_ENV": str(env_file)})
    assert settings.kafka_bootstrap_servers == "localhost:29092"
    assert settings.s3_endpoint == "http://localhost:29000"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("KAFKA_PORT=many", "KAFKA_PORT as int"),
        ("DBT_AUTO_RUN=yes", "true or false"),
        ("MESSAGE_INTERVAL=nan", "MESSAGE_INTERVAL as a finite number"),
        ("MAINTENANCE_INTERVAL=inf", "MAINTENANCE_INTERVAL as a finite number"),
        ("NUM_DEVICES=0", "NUM_DEVICES above 0"),
        ("NUM_CUSTOMERS=-5", "NUM_CUSTOMERS above 0"),
        ("MESSAGE_INTERVAL=-2", "MESSAGE_INTERVAL above 0"),
        ("LANDING_COMMIT_ROWS=0", "LANDING_COMMIT_ROWS above 0"),
        ("LANDING_COMMIT_SECONDS=0", "LANDING_COMMIT_SECONDS above 0"),
        ("DBT_RUN_INTERVAL=0", "DBT_RUN_INTERVAL above 0"),
        ("LOG_METER_PATTERN=(", "LOG_METER_PATTERN as a regular expression.*missing \\)"),
        ("LOG_CUSTOMER_PATTERN=", "LOG_CUSTOMER_PATTERN as a regular expression"),
    ],
)
def test_a_value_of_the_wrong_type_or_range_names_the_setting(
    tmp_path: Path, line: str, wanted: str
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(line + "\n")
    with pytest.raises(ConfigurationError, match=wanted):
        load_settings({"METERHOUSE_ENV": str(env_file)})


def test_a_line_that_is_no_setting_is_named_with_its_number(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("# comment\n\nexport KAFKA_PORT 1\n")
    with pytest.raises(ConfigurationError, match="line 3"):
        parse_env_file(env_file)


def test_passwords_do_not_show_when_settings_are_printed(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("POSTGRES_PASSWORD=hunter2\n")
    settings = load_settings({"METERHOUSE_ENV": str(env_file)})
    assert "hunter2" not in repr(settings)
    assert settings.postgres_password == Secret("hunter2")
