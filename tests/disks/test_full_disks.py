"""A full disk costs time and nothing else: it is told, and all goes on when there is room again."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients import trino
from stack.programs.paths import paths_of
from stack.provision import ready
from stack.rounds.by_hand import run_dbt
from tests.disks.conftest import DiskOf
from tests.faults.case import LOG, Case, Grounds, grounds_of
from tests.faults.ledger import Stream
from tests.faults.oracle import judge
from tests.integration.lakehouse import Lakehouse, reading

SEED = 4711
KIB, MIB = 1024, 1024 * 1024
FULL_SECONDS = 10.0
# supervisor waits longer before each start of a service that ends again and again.
HEAL_SECONDS = 180.0
BURST_MESSAGES = 300
# Groups enough to need more memory than Trino has for them.
GROUPS = 6_000_000
SPILLING = f"""
select count(*), sum(c) from (
    select lpad(cast(a.n * 10000 + b.n as varchar), 120, '0'), count(*) as c
    from unnest(sequence(0, {GROUPS // 10_000 - 1})) as a (n)
    cross join unnest(sequence(0, 9999)) as b (n)
    group by 1
)
"""


@pytest.fixture
def grounds(lakehouse: Lakehouse) -> Iterator[Grounds]:
    with grounds_of(lakehouse.settings, Case(0, SEED, ())) as made:
        yield made


def log_of(settings: Settings, service: str) -> Path:
    return paths_of(settings).logs / f"{service}.log"


def test_a_full_disk_of_the_broker(lakehouse: Lakehouse, grounds: Grounds, disk_of: DiskOf) -> None:
    settings, disk = lakehouse.settings, disk_of("kafka")
    log = log_of(settings, "kafka")
    with Stream(settings, grounds.topic, random.Random(SEED)) as stream:
        stream.burst(BURST_MESSAGES)
        began = log.stat().st_size
        disk.fill(64 * KIB)
        lakehouse.wait_until(lambda: "No space left on device" in tail(log, began))
        time.sleep(FULL_SECONDS)
        disk.free()
        ready.wait(settings, HEAL_SECONDS, lambda text: None)
    assert grounds.run() == ""
    assert judge(settings, grounds.topic, stream.ledger).is_good


def tail(log: Path, began: int) -> str:
    """What a log has said since it had so many bytes."""
    with log.open("rb") as file:
        file.seek(began)
        return file.read().decode(errors="replace")


def test_a_full_disk_of_the_object_store(
    lakehouse: Lakehouse, grounds: Grounds, disk_of: DiskOf
) -> None:
    settings, disk = lakehouse.settings, disk_of("objectstore")
    (device,) = lakehouse.new_devices()
    with Stream(settings, grounds.topic, random.Random(SEED)) as stream:
        stream.burst(BURST_MESSAGES)
        log = log_of(settings, "minio")
        began = log.stat().st_size
        disk.fill(0)
        lander = grounds.start()
        lakehouse.send(reading(device, "2026-02-01T10:00:00Z"))
        time.sleep(FULL_SECONDS)
        assert lander.is_alive()
        # The store keeps the cause to itself.
        assert "waiting" in (grounds.folder / LOG).read_text(encoding="utf-8")
        assert "no space left on device" in tail(log, began)
        assert run_dbt(["run", "--full-refresh", "--select", "stg_meter_health_logs"], settings)
        disk.free()
        lander.join(HEAL_SECONDS)
        assert lander.exitcode == 0
    assert grounds.run() == ""
    assert judge(settings, grounds.topic, stream.ledger).is_good
    lakehouse.land()
    lakehouse.round()
    accepted = "select count(*) from iceberg.staging.stg_telemetry_raw where device_id = "
    assert lakehouse.value(f"{accepted}'{device}'") == 1


def test_a_full_disk_of_trino(settings: Settings, disk_of: DiskOf) -> None:
    disk = disk_of("trino")
    before = disk.free_bytes
    disk.fill(MIB)
    with pytest.raises(RetriableError, match=r"(?i)spill"):
        trino.client(settings).rows(SPILLING)
    disk.free()
    assert trino.client(settings).rows(SPILLING) == [[GROUPS, GROUPS]]
    assert disk.free_bytes >= before - MIB
