"""The compose file says what the native configuration says, and Docker's answers are read right."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.base import env_file
from stack.base.root import PROJECT_ROOT
from stack.base.settings import EXAMPLE_FILE, load_settings, parse_env_file
from stack.modes import compose
from stack.modes.command import SECURE_OVERLAY
from stack.modes.engine import COMPOSE_FILE
from stack.programs import trino

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_FILE.read_text())["services"]
OVERLAY: dict[str, dict[str, Any]] = yaml.safe_load((PROJECT_ROOT / SECURE_OVERLAY).read_text())[
    "services"
]
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


def broker_properties(environment: dict[str, Any]) -> dict[str, str]:
    """What the image makes of the container's environment: ___ is a dash, _ a dot."""
    return {
        name.removeprefix("KAFKA_").lower().replace("___", "-").replace("_", "."): str(value)
        for name, value in environment.items()
        if name.startswith("KAFKA_")
    }


def test_a_secure_kafka_is_configured_alike_in_both_modes() -> None:
    native = properties(PROJECT_ROOT / "kafka" / "secure.properties")
    found = broker_properties(OVERLAY["kafka-kraft"]["environment"])
    contained = {name: value.replace("$$", "$") for name, value in found.items()}
    shared = {name: value for name, value in native.items() if name not in OF_EACH_MODE}
    assert shared.items() <= contained.items()
    # The port for the host asks for the same passwords as the one for containers.
    jaas = {name: value for name, value in contained.items() if name.endswith("jaas.config")}
    for name in [name for name in jaas if ".client." in name]:
        assert jaas[name.replace(".client.", ".host.")] == jaas[name]


def test_a_container_of_a_secure_stack_gets_its_own_passwords_only() -> None:
    given = {
        name: set(re.findall(r"\$\{(\w+_(?:PASSWORD|SECRET))", yaml.safe_dump(service)))
        for name, service in OVERLAY.items()
    }
    kafka_users = ("ADMIN", "LANDER", "SIMULATOR", "EXPLORER", "TRINO", "DBT", "PEOPLE")
    every_kafka_user = {f"KAFKA_{user}_PASSWORD" for user in kafka_users}
    assert given == {
        "kafka-kraft": {"KAFKA_ADMIN_PASSWORD"},
        "kafka-ui": {"KAFKA_EXPLORER_PASSWORD"},
        "trino-coordinator": {
            "TRINO_SHARED_SECRET",
            "TRINO_HEALTH_PASSWORD",
            "KAFKA_TRINO_PASSWORD",
        },
        "lakehouse-init": every_kafka_user | {"TRINO_OPERATOR_PASSWORD"},
        "telemetry-lander": {"KAFKA_LANDER_PASSWORD"},
        "dbt-transformations": {"TRINO_DBT_PASSWORD", "KAFKA_DBT_PASSWORD"},
        "explorer": {"TRINO_EXPLORER_PASSWORD", "KAFKA_EXPLORER_PASSWORD"},
        "telemetry-simulator": {"KAFKA_SIMULATOR_PASSWORD"},
    }


def test_only_the_servers_of_a_secure_stack_see_the_servers_key() -> None:
    mounts = {
        name: {mount["source"] for mount in service["volumes"] if isinstance(mount, dict)}
        for name, service in OVERLAY.items()
    }
    servers = {"kafka-kraft", "trino-coordinator"}
    for name, sources in mounts.items():
        folder = "server" if name in servers else "client"
        assert sources == {f"${{STATE_DIR:?}}/tls/{folder}"}


def test_no_listener_of_a_secure_kafka_goes_without_tls_and_password() -> None:
    native = properties(PROJECT_ROOT / "kafka" / "secure.properties")
    contained = broker_properties(OVERLAY["kafka-kraft"]["environment"])
    name = "listener.security.protocol.map"
    for protocols in (native[name], contained[name]):
        assert {each.split(":")[1] for each in protocols.split(",")} == {"SASL_SSL"}


def test_a_secure_trino_is_configured_alike_in_both_modes() -> None:
    secure = load_settings({"SECURE": "true", "TRINO_PORT": "8080", "STATE_DIR": "/s"})
    words = [word for word in OVERLAY["trino-coordinator"]["command"] if word.startswith("-D")]
    contained = dict(word.removeprefix("-D").replace("$$", "$").split("=", 1) for word in words)
    native = {name: str(value) for name, value in trino.secure_door(secure).items()}
    # The files lie elsewhere, and there Trino speaks to itself by another name.
    of_each_mode = {name for name in native if "/" in native[name]} | {"discovery.uri"}
    assert {name: native[name] for name in native if name not in of_each_mode}.items() <= (
        contained.items()
    )
    assert of_each_mode <= set(contained)
    assert native["http-server.http.enabled"] == "false"


def test_a_secure_trino_lacks_nothing_that_a_plain_one_is_told() -> None:
    """A list in the overlay takes the place of the whole list in docker-compose.yml."""
    plain, secure = (
        {word.split("=", 1)[0] for word in each["trino-coordinator"]["command"]}
        for each in (SERVICES, OVERLAY)
    )
    assert plain - secure == {"-Dhttp-server.http.port"}


def test_the_simulators_container_gets_the_settings_that_it_reads() -> None:
    folder = PROJECT_ROOT / "simulator"
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    read = {name.upper() for name in re.findall(r"\bsettings\.([a-z_]+)", text)}
    own = set(parse_env_file(EXAMPLE_FILE))
    # Those of whoever fills the master data, which is another container.
    elsewhere = {"METER_TIME_ZONE", "POSTGRES_PASSWORD"}
    assert (read & own) - elsewhere <= set(SERVICES["telemetry-simulator"]["environment"])


def test_kafka_is_configured_alike_in_both_modes() -> None:
    native = properties(PROJECT_ROOT / "kafka" / "server.properties")
    contained = broker_properties(SERVICES["kafka-kraft"]["environment"])
    shared = {name: value for name, value in native.items() if name not in OF_EACH_MODE}
    assert shared.items() <= contained.items()


def test_every_catalog_variable_is_given_to_trinos_container() -> None:
    folder = PROJECT_ROOT / "trino" / "etc"
    given, more = (each["trino-coordinator"]["environment"] for each in (SERVICES, OVERLAY))
    for path in folder.rglob("*.properties"):
        used = set(re.findall(r"\$\{(?:ENV|env):(\w+)\}", path.read_text()))
        is_secure = "secure" in path.relative_to(folder).as_posix()
        assert used <= set(given) | (set(more) if is_secure else set()), path


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


def test_the_pipelines_image_has_every_table_that_initialisation_reads() -> None:
    (copied,) = re.findall(r"^COPY (.*) kafka/$", (PROJECT_ROOT / "Dockerfile").read_text(), re.M)
    tables = {f"kafka/{path.name}" for path in (PROJECT_ROOT / "kafka").glob("*.tsv")}
    assert set(copied.split()) == tables


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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "kafka-topics",
            "kafka-topics --bootstrap-server localhost:9092"
            " --command-config /kafka/admin.properties",
        ),
        ("trino", "--env TRINO_PASSWORD trino-coordinator trino"),
    ],
)
def test_a_tool_of_a_secure_stack_logs_in_without_showing_its_password(
    name: str, expected: str
) -> None:
    secure = load_settings({"SECURE": "true", "TRINO_OPERATOR_PASSWORD": "hunter2"})
    command, environment = compose.tool(secure, name, [])
    assert " ".join(command).endswith(expected)
    assert "hunter2" not in " ".join(command)
    assert environment == ({"TRINO_PASSWORD": "hunter2"} if name == "trino" else {})


def test_the_callers_own_password_reaches_trinos_container() -> None:
    secure = load_settings({"SECURE": "true", "TRINO_OPERATOR_PASSWORD": "hunter2"})
    command, environment = compose.tool(secure, "trino", ["--user", "analyst_ada"])
    words = "--env TRINO_PASSWORD trino-coordinator trino --user analyst_ada"
    assert " ".join(command).endswith(words)
    assert environment == {}


def test_psql_gets_its_password_by_the_environment() -> None:
    settings = load_settings({"POSTGRES_PASSWORD": "hunter2"})
    command, environment = compose.tool(settings, "psql", ["-c", "select 1"])
    assert "hunter2" not in " ".join(command)
    assert environment["PGPASSWORD"] == "hunter2"
    assert "PGPASSWORD" in command


@pytest.mark.parametrize(("name", "expected"), [("psql", "-it"), ("pg_dump", "-i")])
def test_a_dump_never_passes_a_terminal(
    monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    command, environment = compose.tool(load_settings({}), name, [])
    assert command[2] == expected
    assert environment["PGUSER"] == "postgres"


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
