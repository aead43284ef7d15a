"""Containers that are restarted, recreated, killed or unhealthy: data stays, reasons are told."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stack.base.settings import Settings
from stack.modes import compose
from stack.provision import ready
from tests.integration.actors import CONTAINERS, Actors, docker, inspect
from tests.integration.lakehouse import Lakehouse, reading
from tests.integration.test_setup import setup

HEAL_SECONDS = 300.0
# The same questions to containers as the product's, asked more often.
QUICK_HEALTH = "tests/compose/quick_health.yml"
MARTS = "select * from iceberg.marts.device_daily_metrics order by device_id, reading_date"


def docker_compose(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        compose.command(settings, *words),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def up(settings: Settings, *profiles: str) -> None:
    words = [word for profile in profiles for word in ("--profile", profile)]
    docker_compose(settings, *words, "up", "--detach", "--wait", "--no-build")


def health(container: str) -> str:
    return str(inspect(container)["State"].get("Health", {}).get("Status"))


def becomes(lakehouse: Lakehouse, container: str, wanted: str) -> None:
    """Wait for a container's health; what it said of itself comes with the failure."""
    try:
        lakehouse.wait_until(lambda: health(container) == wanted, HEAL_SECONDS)
    except AssertionError as error:
        words = ["docker", "logs", "--tail", "40", container]
        logged = subprocess.run(
            words, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        state = inspect(container)["State"]
        raise AssertionError(f"{container} not {wanted}: {state}\n{logged.stdout}") from error


@pytest.fixture(scope="module")
def filled(lakehouse: Lakehouse) -> None:
    """All that was sent has landed and is in the marts."""
    lakehouse.land_and_round()


@pytest.fixture
def data(lakehouse: Lakehouse, filled: None) -> Iterator[None]:
    """What is there before is there afterwards."""
    before = lakehouse.sql(MARTS), lakehouse.end_offsets()
    assert before[0]
    yield
    ready.wait(lakehouse.settings, HEAL_SECONDS, lambda text: None)
    assert (lakehouse.sql(MARTS), lakehouse.end_offsets()) == before
    lakehouse.offsets_exactly_once()


@pytest.mark.usefixtures("data")
def test_up_twice_changes_nothing(settings: Settings) -> None:
    before = {name: inspect(name)["State"]["StartedAt"] for name in CONTAINERS.values()}
    up(settings)
    up(settings)
    after = {name: inspect(name)["State"]["StartedAt"] for name in CONTAINERS.values()}
    assert after == before


@pytest.mark.usefixtures("data")
def test_a_restart_keeps_all_data(settings: Settings) -> None:
    docker_compose(settings, "restart")
    up(settings)


@pytest.mark.usefixtures("data")
def test_recreated_containers_keep_all_data(settings: Settings) -> None:
    assert setup("stop").returncode == 0
    assert setup("status").returncode == 1
    docker_compose(settings, "down")
    result = setup()
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def simulator(settings: Settings) -> Iterator[None]:
    """The simulator's profile is up; afterwards it is gone."""
    up(settings, "simulator")
    yield
    docker("rm", "--force", "telemetry-simulator")


@pytest.mark.usefixtures("simulator")
def test_up_waits_in_every_combination_of_profiles(lakehouse: Lakehouse) -> None:
    before = sum(lakehouse.end_offsets().values())
    lakehouse.wait_until(lambda: sum(lakehouse.end_offsets().values()) > before)
    docker("stop", "telemetry-simulator")
    assert inspect("telemetry-simulator")["State"]["ExitCode"] == 0
    assert "acknowledged" in docker("logs", "telemetry-simulator")


@pytest.mark.parametrize("service", ["dbt", "lander"])
def test_a_killed_container_comes_back(lakehouse: Lakehouse, service: str) -> None:
    container = CONTAINERS[service]
    started = inspect(container)["State"]["StartedAt"]
    Actors(lakehouse.settings).kill(service)
    lakehouse.wait_until(
        lambda: (
            inspect(container)["State"]["StartedAt"] != started and health(container) == "healthy"
        ),
        HEAL_SECONDS,
    )


def test_an_unhealthy_container_comes_with_its_reason(lakehouse: Lakehouse) -> None:
    actors = Actors(lakehouse.settings)
    actors.stop("kafka")
    becomes(lakehouse, "telemetry-lander", "unhealthy")
    result = setup("doctor")
    actors.start("kafka")
    assert result.returncode == 1
    assert "✗ kafka-kraft: exited" in result.stdout
    assert "✗ telemetry-lander: unhealthy" in result.stdout
    assert "telemetry_raw waiting" in result.stdout
    becomes(lakehouse, "telemetry-lander", "healthy")
    becomes(lakehouse, "kafka-kraft", "healthy")


def test_dbt_is_healthy_only_while_rounds_succeed(lakehouse: Lakehouse) -> None:
    """With rounds switched on, PostgreSQL away: rounds fail, and the container says so."""
    settings = lakehouse.settings
    quick = replace(settings, compose_file=f"{settings.compose_file}:{QUICK_HEALTH}")
    scheduled = os.environ | {"DBT_AUTO_RUN": "true", "DBT_RUN_INTERVAL": "5"}
    words = compose.command(quick, "up", "--detach", "--wait", "--no-build", "--no-deps")
    subprocess.run([*words, "dbt-transformations"], env=scheduled, check=True, capture_output=True)
    assert health("dbt-transformations") == "healthy"
    actors = Actors(settings)
    actors.stop("postgres")
    becomes(lakehouse, "dbt-transformations", "unhealthy")
    log = inspect("dbt-transformations")["State"]["Health"]["Log"][-1]["Output"]
    assert "failed" in log
    actors.start("postgres")
    since = datetime.now(UTC).isoformat()
    lakehouse.send(reading("MTR-10000", "2026-01-01T00:30:00Z"))
    becomes(lakehouse, "dbt-transformations", "healthy")
    log_since = ("logs", "--since", since, "dbt-transformations")
    lakehouse.wait_until(lambda: "result=ok" in docker(*log_since).replace('"', ""))
    up(settings)
    lakehouse.wait_until(
        lambda: "rounds are off" in docker("logs", "--tail", "5", "dbt-transformations")
    )


def test_kafka_ui_asks_for_a_login(settings: Settings) -> None:
    """Wiring only where the image is the tests' stand-in: its page is not the product's."""
    words = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"]
    page = [*words, f"http://localhost:{settings.kafka_ui_port}/api/clusters"]
    result = subprocess.run(page, capture_output=True, text=True, check=True)
    assert result.stdout in {"302", "401"}
    environment = inspect("kafka-ui")["Config"]["Env"]
    assert "KAFKA_CLUSTERS_0_READONLY=true" in environment
    assert "DYNAMIC_CONFIG_ENABLED=false" in environment
