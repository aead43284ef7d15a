"""Faults of the metering: what is sent instead, and that the register is left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulator.fault_effects import HitReading
from simulator.faults import RUN_LENGTHS, parse_faults
from simulator.metering_effects import METERING_EFFECTS, P99_OF_MEAN
from simulator.simulation import Simulation
from tests.unit.simulator.builders import HALF_HOUR_MS, SEED, fleet
from tests.unit.simulator.test_fault_effects import END_MS, INTERVAL_MS, MANY_BITS, RECORD, VALUE
from tests.unit.simulator.test_wildness import simulated


def hit(bits: int = MANY_BITS[0], run_bits: int = MANY_BITS[0], multiplier: int = 1) -> HitReading:
    """A reading of 0.42 kWh of a meter whose mean reading has 0.2 kWh."""
    return HitReading(
        VALUE, END_MS, INTERVAL_MS, bits, run_bits, mean_kwh=0.2, multiplier=multiplier
    )


def sent(kind: str, reading: HitReading) -> dict[str, Any]:
    """The message that is sent at once."""
    value, _, _ = METERING_EFFECTS[kind](reading)
    assert value is not None
    record: dict[str, Any] = json.loads(value)
    return record


def with_energy(energy_kwh: float) -> dict[str, Any]:
    return RECORD | {"metrics": RECORD["metrics"] | {"energy_kwh": energy_kwh}}


@pytest.mark.parametrize(
    ("kind", "energy_kwh"),
    [
        ("negative", -0.421),
        ("zero_run", 0.0),
        ("wh_as_kwh", 420.0),
        ("multiplier_missed", 0.021),
    ],
)
def test_only_the_energy_differs_from_the_true_message(kind: str, energy_kwh: float) -> None:
    reading = hit(multiplier=20)
    assert sent(kind, reading) == with_energy(energy_kwh)
    _, later, truth = METERING_EFFECTS[kind](reading)
    assert later == []
    assert truth.values["sent_kwh"] == energy_kwh
    assert truth.values["energy_kwh"] == 0.42


def test_a_negative_energy_is_below_zero_where_nothing_was_used() -> None:
    value = json.dumps(with_energy(0.0)).encode()
    assert sent("negative", replace(hit(), value=value))["metrics"]["energy_kwh"] == -0.001


def test_a_spike_is_four_to_ten_times_the_highest_percent() -> None:
    spikes = [sent("spike", hit(bits))["metrics"]["energy_kwh"] for bits in MANY_BITS]
    # The mean is 0.2 kWh, the highest percent 0.96 kWh and more: 3.84 to 9.6 kWh.
    assert 3.84 <= min(spikes) < 4.4
    assert 9.0 < max(spikes) <= 9.601


def test_the_highest_percent_is_what_simulated_meters_have() -> None:
    slots = simulated("household").reshape(100, -1)
    found = np.percentile(slots, 99, axis=1) / slots.mean(axis=1)
    assert np.median(found) == pytest.approx(P99_OF_MEAN, rel=0.15)


def test_a_flat_run_repeats_an_energy_of_three_decimals() -> None:
    for run_bits in MANY_BITS:
        flat = {
            sent("flat_run", hit(bits, run_bits))["metrics"]["energy_kwh"] for bits in MANY_BITS
        }
        watt_hours = round(flat.pop() * 1000, 6)
        assert flat == set()
        assert watt_hours % 2 == 1
        assert 50 < watt_hours <= 341


def test_a_stale_revision_comes_after_its_correction() -> None:
    for bits in MANY_BITS:
        now, later, truth = METERING_EFFECTS["stale_revision"](hit(bits))
        (corrected_ms, right), (stale_ms, stale) = later
        assert now == stale
        assert END_MS < corrected_ms < stale_ms <= END_MS + 48 * INTERVAL_MS
        assert json.loads(right) == RECORD | {
            "message_id": "MTR-10000-1764547200-r1",
            "revision": 1,
        }
        assert "revision" not in json.loads(stale)
        assert json.loads(stale) == with_energy(truth.values["sent_kwh"])
        assert truth.values["sent_kwh"] > 0.42


def test_an_estimate_is_followed_by_the_actual_reading() -> None:
    for bits in MANY_BITS:
        now, [(due_ms, later)], truth = METERING_EFFECTS["estimated_then_actual"](hit(bits))
        estimate_kwh = truth.values["sent_kwh"]
        assert now is not None
        assert json.loads(now) == with_energy(estimate_kwh) | {"quality": "E"}
        # Half to one and a half times 0.42 kWh, and a watt hour.
        assert 0.211 <= estimate_kwh <= 0.631
        assert END_MS < due_ms <= END_MS + 48 * INTERVAL_MS
        assert json.loads(later) == RECORD | {
            "message_id": "MTR-10000-1764547200-a",
            "quality": "A",
        }


def test_an_overlap_is_the_first_half_beside_the_reading() -> None:
    now, [(due_ms, half)], _ = METERING_EFFECTS["overlap"](hit())
    assert now == VALUE
    assert due_ms == END_MS
    metrics = {"energy_kwh": 0.21, "voltage": 229.6, "battery_pct": 78, "interval_s": 900}
    assert json.loads(half) == RECORD | {
        "timestamp": "2025-11-30T23:45:00Z",
        "metrics": metrics,
        "message_id": "MTR-10000-1764547200-half",
    }


@pytest.mark.parametrize(("export_kwh", "sent_kwh"), [(0.3, -0.301), (0.0, -0.001)])
def test_an_export_with_the_wrong_sign_leaves_all_else_alone(
    export_kwh: float, sent_kwh: float
) -> None:
    metrics = RECORD["metrics"] | {"export_kwh": export_kwh, "register_export_kwh": 9.9}
    value = json.dumps(RECORD | {"metrics": metrics}).encode()
    found = sent("export_sign", replace(hit(), value=value))
    assert found == RECORD | {"metrics": metrics | {"export_kwh": sent_kwh}}


@pytest.mark.parametrize("kind", ["wh_as_kwh", "multiplier_missed"])
def test_runs_of_wrong_factors_hold_a_whole_local_day(kind: str) -> None:
    # The longest local day has 50 half-hours; a run may start just after midnight.
    assert RUN_LENGTHS[kind] >= 49 + 46


def test_runs_of_metering_faults_write_no_log_line() -> None:
    rates = parse_faults("zero_run=0.2,flat_run=0.2,wh_as_kwh=0.1")
    simulation = Simulation(fleet(10), SEED, HALF_HOUR_MS, rates)
    ends = END_MS + np.arange(1, 200) * HALF_HOUR_MS
    events = {line.truth.values["event"] for line in simulation.chunk(ends).logs}
    plain = Simulation(fleet(10), SEED, HALF_HOUR_MS)
    assert events == {line.truth.values["event"] for line in plain.chunk(ends).logs}
