"""Registers that roll over, are exchanged or reset: what is shown, and what the truth says."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from simulator.clock import by_days
from simulator.devices import build_fleet
from simulator.faults import parse_faults
from simulator.register_faults import REGISTER_KINDS
from simulator.serialiser import stamp
from simulator.simulation import Outgoing, Simulation
from simulator.truth import Truth
from tests.unit.simulator.builders import (
    DECEMBER,
    HALF_HOUR_MS,
    SEED,
    device,
    ends_of_days,
    fleet,
)

DAYS = 8
MODULUS_KWH = 1_000_000  # six digits


def run(faults: str, *, meters: int = 10, chunk_days: int = 8) -> list[Outgoing]:
    simulation = Simulation(fleet(meters), SEED, HALF_HOUR_MS, parse_faults(faults))
    ends = ends_of_days(DECEMBER, DAYS)
    return [simulation.chunk(part) for part in by_days(ends, chunk_days)]


def readings(outgoing: list[Outgoing]) -> dict[str, list[dict[str, Any]]]:
    """Messages by meter, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for chunk in outgoing:
        for value in chunk.values:
            record = json.loads(value)
            found.setdefault(record["device_id"], []).append(record)
    return found


def truths(outgoing: list[Outgoing]) -> list[Truth]:
    return [truth for chunk in outgoing for truth in chunk.truths if truth.kind in REGISTER_KINDS]


def advance(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Watt hours by which the register of the dial grew."""
    return round((register(after) - register(before)) * 1000)


def register(record: dict[str, Any]) -> float:
    return float(record["metrics"]["register_kwh"])


def test_a_rollover_comes_once_and_the_wrapped_advance_is_that_of_the_true_register() -> None:
    plain, rolled = readings(run("")), run("rollover=1")
    facts = {truth.device_id: truth for truth in truths(rolled)}
    assert len(facts) == 10
    for device_id, records in readings(rolled).items():
        grown = [advance(*pair) for pair in pairwise(records)]
        falls = [index for index, step in enumerate(grown) if step < 0]
        truth = facts[device_id]
        assert len(falls) == 1
        # The fall lies between the two readings around the fact.
        assert records[falls[0]]["timestamp"] < stamp(truth.to_ms)
        assert records[falls[0] + 1]["timestamp"] >= stamp(truth.to_ms)
        assert truth.values == {"register_modulus_kwh": MODULUS_KWH}
        wrapped = [step + MODULUS_KWH * 1000 if step < 0 else step for step in grown]
        assert wrapped == [advance(*pair) for pair in pairwise(plain[device_id])]


@pytest.mark.parametrize("kind", ["exchange", "exchange_unrecorded", "register_reset"])
def test_a_new_register_starts_at_zero_where_the_old_one_ended(kind: str) -> None:
    plain, changed = readings(run("")), run(f"{kind}=1")
    facts = truths(changed)
    assert Counter(truth.kind for truth in facts) == {kind: 10}
    found = readings(changed)
    for truth in facts:
        at = stamp(truth.from_ms)
        final_kwh = truth.values["final_register_kwh"]
        assert truth.values["initial_register_kwh"] == 0.0
        for true, shown in zip(
            plain[truth.device_id or ""], found[truth.device_id or ""], strict=True
        ):
            is_after = shown["timestamp"] > at
            expected = register(true) - final_kwh if is_after else register(true)
            assert register(shown) == pytest.approx(expected, abs=1e-6)


def test_energies_stay_what_they_are() -> None:
    plain, changed = readings(run("")), readings(run("rollover=0.5,exchange=0.5"))
    for device_id, records in plain.items():
        true = [record["metrics"]["energy_kwh"] for record in records]
        assert true == [record["metrics"]["energy_kwh"] for record in changed[device_id]]


def test_the_rate_is_the_share_of_meters() -> None:
    facts = truths(run("rollover=0.1,register_reset=0.3", meters=200))
    kinds = Counter(truth.kind for truth in facts)
    # Of 200 meters: standard deviations 4.2 and 6.5.
    assert kinds["rollover"] == pytest.approx(20, abs=15)
    assert kinds["register_reset"] == pytest.approx(60, abs=20)
    assert max(Counter(truth.device_id for truth in facts).values()) == 1


def test_chunks_do_not_change_registers() -> None:
    faults = "rollover=0.3,exchange=0.3,register_reset=0.3"
    whole, parts = run(faults), run(faults, chunk_days=1)
    assert readings(whole) == readings(parts)
    assert truths(whole) == truths(parts)


def test_registers_of_transformers_count_in_units_of_the_dial() -> None:
    meters = build_fleet([device(10000, multiplier=20)], SEED)
    simulation = Simulation(meters, SEED, HALF_HOUR_MS, {"exchange": 1.0})
    chunk = simulation.chunk(ends_of_days(DECEMBER, DAYS))
    truth = next(truth for truth in chunk.truths if truth.kind == "exchange")
    after = [
        record
        for record in readings([chunk])["MTR-10000"]
        if record["timestamp"] > stamp(truth.from_ms)
    ]
    used = np.sum([record["metrics"]["energy_kwh"] for record in after])
    assert register(after[-1]) * 20 == pytest.approx(used, abs=1e-6)
