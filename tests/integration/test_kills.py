"""Services killed or frozen in mid-stream: all heals by itself, nothing is lost or duplicated."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from confluent_kafka import KafkaError, Message, Producer

from stack.base.errors import RetriableError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients.kafka import client_options
from stack.provision import ready
from tests.integration.actors import Actors
from tests.integration.lakehouse import TOPIC, Lakehouse, reading
from tests.postgres import admin_connection

# Each heals in half a minute; tests/faults kills the same services once, where it hurts most.
pytestmark = [pytest.mark.restarts_services, pytest.mark.thorough]

MESSAGES_A_SECOND = 200
HEAL_SECONDS = 150.0
FREEZE_SECONDS = 30


class Stream:
    """A producer that sends steadily in a thread and keeps a ledger of what was acknowledged."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.run = uuid.uuid4().hex
        self.acknowledged: set[str] = set()
        self.failed: list[KafkaError] = []
        self._ended = threading.Event()
        options = client_options(lakehouse.settings) | {
            "enable.idempotence": True,
            "message.timeout.ms": 240_000,
        }
        self._producer = Producer(options)
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._producer.flush(240)

    def _send(self) -> None:
        number = 0
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        while not self._ended.wait(0.05):
            for _ in range(MESSAGES_A_SECOND // 20):
                number += 1
                message = reading("MTR-10001", stamp, message_id=f"{self.run}/{number}")
                key = str(number % 50).encode()
                self._producer.produce(
                    TOPIC, json.dumps(message).encode(), key, on_delivery=self._on_delivery
                )
            self._producer.poll(0)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error:
            self.failed.append(error)
        else:
            self.acknowledged.add(json.loads(message.value() or b"")["message_id"])


@contextmanager
def streaming(lakehouse: Lakehouse) -> Iterator[Stream]:
    """Stream before, during and after what the test does; then check that all has landed once."""
    with Stream(lakehouse) as stream:
        time.sleep(3)
        yield stream
        time.sleep(3)
    ready.wait(lakehouse.settings, HEAL_SECONDS, lambda text: None)
    assert not stream.failed
    lakehouse.land(seconds=HEAL_SECONDS)
    lakehouse.offsets_exactly_once()
    landed = lakehouse.sql(
        "select message_id from iceberg.landing.telemetry_raw "
        f"where message_id like '{stream.run}/%'"
    )
    assert sorted(row[0] for row in landed) == sorted(stream.acknowledged)


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
