"""Every rule of the compose file, checked on the containers that run, not on the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stack.base.settings import Settings, parse_env_file
from tests.integration.actors import docker, inspect

LONG_RUNNING = [
    "kafka-kraft",
    "kafka-ui",
    "postgres",
    "minio-storage",
    "trino-coordinator",
    "telemetry-lander",
    "dbt-transformations",
    "explorer",
]
ONE_SHOT = ["postgres-init", "lakehouse-init"]
ALL = [*LONG_RUNNING, *ONE_SHOT]
WITHOUT_PORT = ["telemetry-lander", *ONE_SHOT]
GIGABYTE = 1024**3
# What a laptop that gives Docker 8 GB has room for.
MEMORY_SUM = 8 * GIGABYTE
VOLUMES = {
    "kafka-kraft": "/var/lib/kafka/data",
    "postgres": "/var/lib/postgresql",
    "minio-storage": "/data",
    "trino-coordinator": "/data/trino",
    "dbt-transformations": "/var/lib/meterhouse",
    "explorer": "/var/lib/meterhouse",
}


@pytest.fixture(scope="module")
def containers() -> dict[str, dict[str, Any]]:
    return {name: inspect(name) for name in ALL}


@pytest.mark.parametrize("name", ALL)
def test_no_process_is_root_or_can_become_it(containers: dict[str, Any], name: str) -> None:
    found = containers[name]
    user = found["Config"]["User"] or docker(
        "image", "inspect", found["Image"], "--format", "{{.Config.User}}"
    )
    assert user.strip().split(":")[0] not in {"", "0", "root"}
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert not found["HostConfig"]["CapAdd"]
    assert not found["HostConfig"]["Privileged"]
    assert any("no-new-privileges" in option for option in found["HostConfig"]["SecurityOpt"])


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_the_kernel_agrees_that_nothing_is_privileged(
    containers: dict[str, Any], name: str
) -> None:
    pid = containers[name]["State"]["Pid"]
    processes = docker("top", name, "-eo", "pid,uid").splitlines()[1:]
    assert all(line.split()[1] != "0" for line in processes), processes
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("name", ALL)
def test_the_root_file_system_is_read_only(containers: dict[str, Any], name: str) -> None:
    assert containers[name]["HostConfig"]["ReadonlyRootfs"]


@pytest.mark.parametrize("name", ALL)
def test_memory_and_logs_are_limited(containers: dict[str, Any], name: str) -> None:
    host = containers[name]["HostConfig"]
    assert 0 < host["Memory"] <= 4 * GIGABYTE
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}


def test_all_limits_together_fit_a_laptop(containers: dict[str, Any]) -> None:
    total = sum(containers[name]["HostConfig"]["Memory"] for name in LONG_RUNNING)
    assert total <= MEMORY_SUM


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_restarts_and_is_checked(containers: dict[str, Any], name: str) -> None:
    found = containers[name]
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert found["HostConfig"]["Init"] is True
    assert found["Config"]["Healthcheck"]["Test"]
    assert found["State"]["Health"]["Status"] == "healthy"
    assert found["Config"]["StopTimeout"] >= 10


@pytest.mark.parametrize("name", ALL)
def test_ports_are_published_on_loopback_only(containers: dict[str, Any], name: str) -> None:
    bindings = containers[name]["HostConfig"]["PortBindings"] or {}
    addresses = {each["HostIp"] for ports in bindings.values() for each in ports}
    assert addresses == (set() if name in WITHOUT_PORT else {"127.0.0.1"})


@pytest.mark.parametrize("name", WITHOUT_PORT)
def test_what_has_no_port_has_no_way_out(
    containers: dict[str, Any], settings: Settings, name: str
) -> None:
    networks = set(containers[name]["NetworkSettings"]["Networks"])
    assert networks == {f"{settings.project_name}_lakehouse"}
    (network,) = networks
    assert docker("network", "inspect", network, "--format", "{{.Internal}}").strip() == "true"


@pytest.mark.parametrize("name", ALL)
def test_mounts_are_named_volumes_or_read_only_files(containers: dict[str, Any], name: str) -> None:
    mounts = containers[name]["Mounts"]
    volumes = {each["Destination"]: each["Name"] for each in mounts if each["Type"] == "volume"}
    assert list(volumes) == ([VOLUMES[name]] if name in VOLUMES else [])
    assert all("_" in volume for volume in volumes.values()), "an anonymous volume"
    binds = [each for each in mounts if each["Type"] == "bind"]
    assert all(not each["RW"] for each in binds)
    assert not [each for each in binds if "docker.sock" in each["Source"]]


@pytest.mark.parametrize("name", ALL)
def test_an_image_has_an_exact_tag_and_no_secret(
    containers: dict[str, Any], settings: Settings, name: str
) -> None:
    image = containers[name]["Config"]["Image"]
    assert ":" in image
    assert not image.endswith(":latest")
    secrets = {value for value in vars(settings).values() if type(value).__name__ == "Secret"}
    described = docker("image", "inspect", image) + docker("history", "--no-trunc", image)
    assert not [secret for secret in secrets if secret in described]


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_container_knows_only_the_passwords_it_needs(
    containers: dict[str, Any], settings: Settings, name: str
) -> None:
    wanted = {
        "kafka-kraft": set(),
        "kafka-ui": {"KAFKA_UI_PASSWORD"},
        "postgres": {"POSTGRES_PASSWORD"},
        "minio-storage": {"S3_SECRET_KEY"},
        "trino-coordinator": {
            "POSTGRES_CATALOG_PASSWORD",
            "POSTGRES_TRINO_PASSWORD",
            "S3_TRINO_SECRET_KEY",
        },
        "telemetry-lander": {"POSTGRES_CATALOG_PASSWORD", "S3_LANDER_SECRET_KEY"},
        "dbt-transformations": {"POSTGRES_DBT_PASSWORD", "S3_DBT_SECRET_KEY"},
        "explorer": set(),
    }
    own = parse_env_file(settings.env_file)
    secrets = {key: value for key, value in own.items() if "PASSWORD" in key or "SECRET" in key}
    environment = "\n".join(containers[name]["Config"]["Env"])
    assert {key for key, value in secrets.items() if value in environment} == wanted[name]


def test_build_context_holds_no_secret(settings: Settings) -> None:
    for image in ("pipeline", "dbt", "explorer"):
        files = docker(
            "run",
            "--rm",
            "--entrypoint",
            "find",
            f"meterhouse/{image}:local",
            "/app",
            "-name",
            ".env",
        )
        assert files == ""
