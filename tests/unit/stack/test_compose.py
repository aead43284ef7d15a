"""The compose file says what the native configuration says, and Docker's answers are read right."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack import compose, env_file
from stack.engine import COMPOSE_FILE
from stack.root import PROJECT_ROOT
from stack.settings import load_settings

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
# The broker's own matters of each mode: addresses, roles, the data folder.
OF_EACH_MODE = {
    "process.roles",
    "controller.listener.names",
    "listener.security.protocol.map",
    "inter.broker.listener.name",
}


def properties(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_kafka_is_configured_alike_in_both_modes() -> None:
    native = properties(PROJECT_ROOT / "kafka" / "server.properties")
    environment = SERVICES["kafka-kraft"]["environment"]
    contained = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in environment.items()
        if name.startswith("KAFKA_")
    }
    shared = {name: value for name, value in native.items() if name not in OF_EACH_MODE}
    assert shared.items() <= contained.items()


def test_every_catalog_variable_is_given_to_trinos_container() -> None:
    texts = [path.read_text() for path in (PROJECT_ROOT / "trino" / "etc").rglob("*.properties")]
    used = set(re.findall(r"\$\{ENV:(\w+)\}", "\n".join(texts)))
    assert used <= set(SERVICES["trino-coordinator"]["environment"])


def test_container_names_are_the_documented_ones() -> None:
    names = {service["container_name"] for service in SERVICES.values()}
    tools = {container for container, *_ in compose.TOOLS.values()}
    assert tools <= names
    assert {"kafka-ui", "telemetry-lander"} <= names


def test_every_service_with_a_port_has_a_health_check() -> None:
    assert all("healthcheck" in each for each in SERVICES.values() if "ports" in each)


def test_no_image_is_bound_to_one_kind_of_processor() -> None:
    files = [COMPOSE_FILE, *PROJECT_ROOT.glob("*Dockerfile"), *PROJECT_ROOT.glob("*/Dockerfile")]
    assert len(files) == 5
    assert not [path for path in files if re.search("platform|amd64|arm64", path.read_text())]


def test_a_build_sees_no_env_file() -> None:
    lines = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert not [rule for rule in rules[1:] if rule in {"!.env", "!.env*", "!.stack", "!.git"}]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [("512MiB / 3GiB", 536.9), ("1.5GiB / 3GiB", 1610.6), ("0B / 0B", 0.0), ("--", 0.0)],
)
def test_memory_is_read_in_megabytes(usage: str, expected: float) -> None:
    assert compose.megabytes(usage) == pytest.approx(expected, abs=0.1)


def container(**state: Any) -> dict[str, Any]:
    return {
        "Name": "/telemetry-lander",
        "HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}},
        "NetworkSettings": {"Ports": {}},
        "State": {
            "Status": "running",
            "Running": True,
            "ExitCode": 0,
            "StartedAt": "2026-01-02T03:04:05.123456789Z",
        }
        | state,
    }


def test_an_unhealthy_container_tells_what_its_check_said() -> None:
    log = [{"Output": "  state waiting,\n telemetry_raw waiting: no broker\n", "ExitCode": 1}]
    state = compose.state_of(container(Health={"Status": "unhealthy", "Log": log}), 12.0)
    assert not state.is_good
    assert state.status == "unhealthy"
    assert state.note == "state waiting, telemetry_raw waiting: no broker"


def test_a_container_that_ended_shows_its_exit_code() -> None:
    state = compose.state_of(container(Status="exited", Running=False, ExitCode=137), 0.0)
    assert (state.status, state.is_good, state.up_seconds) == ("exited (137)", False, 0.0)


@pytest.mark.parametrize(
    ("policy", "code", "expected"),
    [("no", 0, True), ("no", 1, False), ("unless-stopped", 0, False)],
    ids=["one-shot done", "one-shot failed", "service ended"],
)
def test_only_a_one_shot_that_ended_well_is_done(policy: str, code: int, expected: bool) -> None:
    found = container(Status="exited", Running=False, ExitCode=code)
    found["HostConfig"]["RestartPolicy"]["Name"] = policy
    assert compose.is_done(found) is expected


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        (
            "kafka-topics",
            ["--list"],
            "kafka-kraft kafka-topics --bootstrap-server localhost:9092 --list",
        ),
        (
            "kafka-topics",
            ["--list", "--bootstrap-server", "kafka-kraft:9092"],
            "kafka-kraft kafka-topics --list --bootstrap-server kafka-kraft:9092",
        ),
        ("dbt", ["run"], "dbt-transformations dbt run"),
        ("trino", [], "trino-coordinator trino"),
    ],
    ids=["kafka", "kafka with an address", "dbt", "trino"],
)
def test_a_tool_runs_in_its_container(name: str, arguments: list[str], expected: str) -> None:
    command, _ = compose.tool(load_settings({}), name, arguments)
    assert command[:2] == ["docker", "exec"]
    assert " ".join(command[3:]) == expected


def test_psql_gets_its_password_by_the_environment() -> None:
    settings = load_settings({"POSTGRES_PASSWORD": "hunter2"})
    command, environment = compose.tool(settings, "psql", ["-c", "select 1"])
    assert "hunter2" not in " ".join(command)
    assert environment["PGPASSWORD"] == "hunter2"
    assert "PGPASSWORD" in command


def test_amazons_s3_is_switched_on_by_the_files_that_compose_reads() -> None:
    names = "docker-compose.yml:docker-compose.s3.yml"
    words = compose.command(load_settings({"COMPOSE_FILE": names}), "ps")
    files = [word for before, word in itertools.pairwise(words) if before == "--file"]
    assert [Path(file).name for file in files] == names.split(":")


def test_the_catalog_on_amazons_s3_differs_by_keys_and_address_only() -> None:
    folder = PROJECT_ROOT / "trino" / "etc"
    ours, amazon = (properties(folder / name / "iceberg.properties") for name in ("catalog", "s3"))
    gone = {"s3.endpoint", "s3.aws-access-key", "s3.aws-secret-key"}
    assert set(ours) - set(amazon) == gone
    assert {name for name in amazon if amazon[name] != ours[name]} == {"s3.path-style-access"}


def test_a_stack_from_before_an_upgrade_can_still_be_stopped(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    env_file.create(path)
    lacking = {"S3_TRINO_SECRET_KEY", "EXPLORER_PORT", "S3_ENDPOINT", "MINIO_IMAGE"}
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if line.split("=")[0] not in lacking))
    # The settings name their file by the environment, as setup does.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METERHOUSE_ENV", str(path))
        given = compose.environment(load_settings())
    assert given["EXPLORER_PORT"] == "8501"
    assert given["S3_TRINO_SECRET_KEY"]
    assert (given["S3_ENDPOINT"], given["MINIO_IMAGE"]) == ("", "")
    assert "KAFKA_PORT" not in given
