"""Whole simulations: repeatable to the byte, complete, and explained by their truth."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from simulator.clock import by_days
from simulator.devices import build_fleet
from simulator.faults import parse_faults
from simulator.load_profiles import DAY_MS
from simulator.simulation import Outgoing, Simulation
from stack.base.root import PROJECT_ROOT
from tests.unit.simulator.builders import (
    DECEMBER,
    HALF_HOUR_MS,
    SEED,
    device,
    ends_of_days,
    fleet,
)


def run_chunks(
    days: int,
    faults: str,
    *,
    seed: int = SEED,
    chunk_days: int = 3,
    meters: int = 10,
    interval_ms: int = HALF_HOUR_MS,
) -> Iterator[Outgoing]:
    """The chunks of a simulation, and what faults held back."""
    ends = ends_of_days(DECEMBER, days, interval_ms)
    simulation = Simulation(
        fleet(meters), seed, interval_ms, parse_faults(faults), reference_ms=int(ends[-1])
    )
    for part in by_days(ends, chunk_days):
        yield simulation.chunk(part)
    yield simulation.finish()


def run(
    days: int = 10,
    *,
    faults: str = "",
    seed: int = SEED,
    chunk_days: int = 3,
    meters: int = 10,
    interval_ms: int = HALF_HOUR_MS,
) -> Outgoing:
    """Everything of a simulation but its slots in one chunk."""
    whole = Outgoing([], [])
    for chunk in run_chunks(
        days,
        faults,
        seed=seed,
        chunk_days=chunk_days,
        meters=meters,
        interval_ms=interval_ms,
    ):
        whole.keys.extend(chunk.keys)
        whole.values.extend(chunk.values)
        whole.logs.extend(chunk.logs)
        whole.truths.extend(chunk.truths)
    return whole


def test_the_same_definition_gives_the_same_bytes() -> None:
    first, second = run(faults="all=0.02"), run(faults="all=0.02")
    assert first == second


DIGEST = """
import hashlib
from tests.unit.simulator.test_simulation import run_chunks
digest = hashlib.sha256()
for chunk in run_chunks(10, "all=0.02,metering=0.02"):
    for part in (chunk.keys, chunk.values, chunk.logs, chunk.truths):
        digest.update(repr(part).encode())
    for line in chunk.slots.lines() if chunk.slots else ():
        digest.update(line.encode())
print(digest.hexdigest())
"""


def test_other_processes_and_hash_seeds_give_the_same_bytes() -> None:
    digests = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            cwd=PROJECT_ROOT,
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(digests[0]) == 65
    assert digests[0] == digests[1]


def test_chunks_do_not_change_the_stream() -> None:
    faults = "all=0.02,metering=0.02"
    first, second = run(faults=faults), run(faults=faults, chunk_days=1)
    assert (first.keys, first.values) == (second.keys, second.values)
    assert [line.text for line in first.logs] == [line.text for line in second.logs]


def test_moments_one_by_one_give_the_same_stream() -> None:
    ends = ends_of_days(DECEMBER, 2)
    rates = parse_faults("all=0.02")
    simulation = Simulation(fleet(10), SEED, HALF_HOUR_MS, rates, int(ends[-1]))
    chunks = [simulation.chunk(np.array([end_ms])) for end_ms in ends]
    chunks.append(simulation.finish())
    values = [value for chunk in chunks for value in chunk.values]
    assert values == run(2, faults="all=0.02").values


def test_another_seed_gives_other_readings() -> None:
    assert not set(run(1).values) & set(run(1, seed=1).values)


def test_a_meter_does_not_depend_on_its_neighbours() -> None:
    alone = Simulation(build_fleet([device(10001)], SEED), SEED, HALF_HOUR_MS)
    values = alone.chunk(ends_of_days(DECEMBER, 1)).values
    assert set(values) <= set(run(1).values)


def test_without_faults_only_outages_are_missing() -> None:
    whole = run(20, meters=40)
    expected = Counter({f"MTR-{10000 + index}".encode(): 20 * 48 for index in range(40)})
    outages = [truth for truth in whole.truths if truth.kind == "outage"]
    assert outages
    for end_ms in ends_of_days(DECEMBER, 20).tolist():
        for truth in outages:
            if truth.from_ms <= end_ms < truth.to_ms:
                expected[str(truth.device_id).encode()] -= 1
    assert Counter(whole.keys) == expected


def test_the_key_is_the_device() -> None:
    whole = run(1)
    for key, value in zip(whole.keys, whole.values, strict=True):
        assert json.loads(value)["device_id"].encode() == key


def test_sent_messages_balance_with_the_truth() -> None:
    clean, faulty = run(20), run(20, faults="all=0.02")
    kinds = Counter(truth.kind for truth in faulty.truths)
    added = kinds["duplicate"] + kinds["corrected"] - kinds["silent_meter"]
    assert kinds["silent_meter"] > 0
    assert len(faulty.values) == len(clean.values) + added


def test_energy_adds_up_to_the_register_between_outages() -> None:
    records = [json.loads(value) for value in run(20, meters=1).values]
    checked = 0
    for before, after in pairwise(records):
        metrics = after["metrics"]
        grown = metrics["register_kwh"] - before["metrics"]["register_kwh"]
        times = [datetime.fromisoformat(record["timestamp"]) for record in (before, after)]
        if times[1] - times[0] == timedelta(minutes=30):
            assert round(grown * 1000) == round(metrics["energy_kwh"] * 1000)
            checked += 1
    assert checked > 900


def test_log_lines_lie_in_the_span() -> None:
    whole = run(10, meters=40)
    start_ms = DECEMBER * DAY_MS - HALF_HOUR_MS
    assert whole.logs
    for line in whole.logs:
        assert start_ms < line.truth.from_ms <= start_ms + 10 * DAY_MS


def test_runs_of_faults_are_logged() -> None:
    whole = run(20, faults="silent_meter=0.05,future_clock=0.05")
    events = Counter(line.truth.values["event"] for line in whole.logs)
    assert events["COMMUNICATION_LOST"] > 0
    assert events["CLOCK_INVALID"] > 0


def test_live_readings_are_one_interval_long() -> None:
    simulation = Simulation(fleet(3), SEED, 2000)
    start_ms = DECEMBER * DAY_MS + 40_000_000
    first = simulation.chunk(np.array([start_ms]))
    second = simulation.chunk(np.array([start_ms + 2000]))
    for before, after in zip(first.values, second.values, strict=True):
        one, two = json.loads(before), json.loads(after)
        grown = two["metrics"]["register_kwh"] - one["metrics"]["register_kwh"]
        assert abs(grown - two["metrics"]["energy_kwh"]) < 5e-7
        assert two["metrics"]["interval_s"] == 2
