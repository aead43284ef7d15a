"""Services killed or frozen in mid-stream: all heals by itself, nothing is lost or duplicated."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from stack.base.errors import RetriableError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.provision import ready
from tests.integration.actors import Actors
from tests.integration.lakehouse import Lakehouse
from tests.integration.stream import HEAL_SECONDS, streaming
from tests.postgres import admin_connection

# Each heals in half a minute; tests/faults kills the same services once, where it hurts most.
pytestmark = pytest.mark.thorough

# Kafka gives a lander up after six: for the rest another one lands in its place.
FREEZE_SECONDS = 15


@pytest.mark.parametrize("service", ["lander", "kafka", "postgres", "minio", "trino"])
def test_a_killed_service_heals_and_nothing_is_lost_or_duplicated(
    lakehouse: Lakehouse, service: str
) -> None:
    with streaming(lakehouse):
        Actors(lakehouse.settings).kill(service)


def answers(settings: Settings) -> bool:
    """Whether PostgreSQL does."""
    try:
        admin_connection(settings, "iceberg_catalog").close()
    except RetriableError:
        return False
    return True


def test_trino_finds_the_catalog_again_at_the_first_question(lakehouse: Lakehouse) -> None:
    before = lakehouse.snapshots()
    Actors(lakehouse.settings).kill("postgres")
    lakehouse.wait_until(lambda: answers(lakehouse.settings), HEAL_SECONDS)
    assert lakehouse.snapshots() == before
    ready.wait(lakehouse.settings, HEAL_SECONDS, lambda text: None)


def second_lander() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "lander"], cwd=PROJECT_ROOT, stderr=subprocess.DEVNULL
    )


@pytest.mark.same_in_both_modes
def test_two_landers_at_once_duplicate_nothing(lakehouse: Lakehouse) -> None:
    with streaming(lakehouse):
        other = second_lander()
        time.sleep(12)
        other.send_signal(signal.SIGTERM)
        assert other.wait(30) == 0


@pytest.mark.same_in_both_modes
def test_a_lander_frozen_and_resumed_duplicates_nothing(lakehouse: Lakehouse) -> None:
    actors = Actors(lakehouse.settings)
    with streaming(lakehouse):
        other = second_lander()
        time.sleep(3)
        actors.freeze("lander")
        time.sleep(FREEZE_SECONDS)
        actors.resume("lander")
        time.sleep(6)
        other.send_signal(signal.SIGTERM)
        assert other.wait(30) == 0


@pytest.mark.same_in_both_modes
def test_the_marts_balance_after_all_of_it(lakehouse: Lakehouse) -> None:
    lakehouse.land_and_round()
    landed = lakehouse.value("select count(*) from iceberg.landing.telemetry_raw")
    accepted = lakehouse.value("select count(*) from iceberg.staging.stg_telemetry_raw")
    rejected = lakehouse.value("select count(*) from iceberg.quality.quarantine_telemetry_raw")
    assert landed == accepted + rejected
