"""The truth of slots: what registers counted, when it was dark, whatever was sent of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from simulator.clock import by_days
from simulator.devices import build_fleet
from simulator.faults import parse_faults
from simulator.load_profiles import DAY_MS
from simulator.serialiser import stamp
from simulator.simulation import Outgoing, Simulation
from tests.unit.simulator.builders import (
    DECEMBER,
    HALF_HOUR_MS,
    SEED,
    device,
    ends_of_days,
    fleet,
)

METERS = 20
DAYS = 12


def chunks(
    *, faults: str = "", chunk_days: int = 3, interval_ms: int = HALF_HOUR_MS
) -> list[Outgoing]:
    """A simulation from the first interval that ends in December on."""
    ends = ends_of_days(DECEMBER, DAYS, interval_ms)
    simulation = Simulation(fleet(METERS), SEED, interval_ms, parse_faults(faults), int(ends[-1]))
    return [simulation.chunk(part) for part in by_days(ends, chunk_days)]


def facts(outgoing: list[Outgoing]) -> list[dict[str, Any]]:
    """The lines of all slots."""
    return [
        json.loads(line)
        for chunk in outgoing
        for line in (chunk.slots.lines() if chunk.slots else ())
    ]


def test_every_slot_of_every_meter_is_there_once() -> None:
    found = [(fact["device_id"], fact["from"], fact["to"]) for fact in facts(chunks())]
    expected = [
        (f"MTR-{10000 + number}", stamp(end_ms - HALF_HOUR_MS), stamp(end_ms))
        for end_ms in ends_of_days(DECEMBER, DAYS).tolist()
        for number in range(METERS)
    ]
    assert found == expected


def test_neither_faults_nor_chunks_change_what_is_true() -> None:
    expected = facts(chunks())
    assert facts(chunks(faults="all=0.02")) == expected
    assert facts(chunks(chunk_days=1)) == expected


def test_slots_add_up_to_what_the_registers_counted() -> None:
    whole = chunks()
    readings = [json.loads(value) for chunk in whole for value in chunk.values]
    slots = facts(whole)
    for number in range(METERS):
        device_id = f"MTR-{10000 + number}"
        own = [reading for reading in readings if reading["device_id"] == device_id]
        first, last = own[0], own[-1]
        between = [
            round(fact["true"]["kwh"] * 1000)
            for fact in slots
            if fact["device_id"] == device_id
            and first["timestamp"] < fact["to"] <= last["timestamp"]
        ]
        counted = last["metrics"]["register_kwh"] - first["metrics"]["register_kwh"]
        assert sum(between) == round(counted * 1000)


def test_dark_seconds_are_those_of_the_outages() -> None:
    whole = chunks()
    outages = [truth for chunk in whole for truth in chunk.truths if truth.kind == "outage"]
    dark: dict[tuple[str | None, str], int] = {}
    for truth in outages:
        for second in range(truth.from_ms // 1000, truth.to_ms // 1000):
            key = truth.device_id, stamp(second // 1800 * HALF_HOUR_MS)
            dark[key] = dark.get(key, 0) + 1
    end = stamp((DECEMBER + DAYS) * DAY_MS - HALF_HOUR_MS)
    found = {
        (fact["device_id"], fact["from"]): fact["true"]["dark_s"]
        for fact in facts(whole)
        if fact["true"]["dark_s"]
    }
    assert found == {key: seconds for key, seconds in dark.items() if key[1] < end}
    assert 1800 in found.values()


def test_no_energy_flows_in_a_slot_that_is_dark_throughout() -> None:
    dark = [fact["true"]["kwh"] for fact in facts(chunks()) if fact["true"]["dark_s"] == 1800]
    assert dark and not any(dark)


def test_live_readings_have_the_truth_of_half_hours() -> None:
    start_ms = DECEMBER * DAY_MS + 10 * HALF_HOUR_MS
    meters = build_fleet([device(10000, multiplier=20)], SEED)
    simulation = Simulation(meters, SEED, 2000)
    ends = np.arange(start_ms - 6000, start_ms + HALF_HOUR_MS + 6000, 2000)
    outgoing = [simulation.chunk(np.array([end_ms])) for end_ms in ends]
    found = facts(outgoing)
    spans = [(fact["from"], fact["to"]) for fact in found]
    middle, end = stamp(start_ms), stamp(start_ms + HALF_HOUR_MS)
    assert spans == [(stamp(start_ms - HALF_HOUR_MS), middle), (middle, end)]
    sent = [json.loads(value) for chunk in outgoing for value in chunk.values]
    within = [one["metrics"]["energy_kwh"] for one in sent if middle < one["timestamp"] <= end]
    assert found[1]["true"]["kwh"] == pytest.approx(sum(within), abs=1e-9)
    assert len(within) == 900
