"""A simulated week with every fault: what rules and registers must find is found, and no more."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from simulator.clock import interval_ends
from simulator.devices import Device, build_fleet
from simulator.faults import parse_faults
from simulator.load_profiles import DAY_MS
from simulator.simulation import Outgoing, Simulation
from stack.scorecard.by_hand import score
from stack.scorecard.score import Score
from tests.integration.lakehouse import Lakehouse
from tests.integration.simulated_meters import new_meters, record_exchanges, register
from tests.unit.simulator.builders import HALF_HOUR_MS, SEED, truth_lines

pytestmark = pytest.mark.same_in_both_modes

METERS = 30
REGISTERS = "rollover=0.15,exchange=0.2,exchange_unrecorded=0.1,register_reset=0.1"
# Registers are compared with readings, of which overlapping ones add up to more than their slots.
FAULTS = f"all=0.008,metering=0.004,overlap=0,{REGISTERS}"
# What so many meters and faults have to find; days of R15 and R16 need two weeks before them.
FINDING = ("R01", "R02", "R04", "R06", "R13", "R14_EXCHANGE", "R14_RESET", "R17")


def week_of(meters: list[Device]) -> list[Outgoing]:
    """A week up to now, so that clocks that run ahead are ahead of Kafka's."""
    now_ms = time.time_ns() // 1_000_000
    ends = interval_ends(now_ms - 7 * DAY_MS, now_ms, HALF_HOUR_MS)
    rates, reference_ms = parse_faults(FAULTS), int(ends[-1])
    simulation = Simulation(build_fleet(meters, SEED), SEED, HALF_HOUR_MS, rates, reference_ms)
    return [simulation.chunk(ends), simulation.finish()]


@pytest.fixture(scope="module")
def scores(lakehouse: Lakehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Score]:
    meters = new_meters(lakehouse, METERS)
    register(lakehouse, meters)
    week = week_of(meters)
    for chunk in week:
        lakehouse.send_raw(zip(chunk.keys, chunk.values, strict=True))
    record_exchanges(lakehouse, [truth for chunk in week for truth in chunk.truths])
    lakehouse.land_and_round()
    file: Path = tmp_path_factory.mktemp("scorecard") / "truth.jsonl"
    file.write_text("".join(line for chunk in week for line in truth_lines(chunk)), "utf-8")
    found, kinds = score(lakehouse.settings, [file], print)
    print(*found, *kinds, sep="\n")
    return {each.detector: each for each in found}


@pytest.mark.parametrize("detector", FINDING)
def test_each_fault_that_must_be_found_is_found(scores: dict[str, Score], detector: str) -> None:
    found = scores[detector]
    assert found.tp > 0
    assert (found.fn, found.fp) == (0, 0), found


def test_each_promise_holds(scores: dict[str, Score]) -> None:
    assert [each for each in scores.values() if each.is_kept is False] == []


def test_a_run_is_a_row_for_each_detector(lakehouse: Lakehouse, scores: dict[str, Score]) -> None:
    rows = lakehouse.sql(
        "select detector, tp, fp, fn, recall, meter_days, is_kept "
        "from iceberg.ops.metering_scorecard "
        "where scored_at = (select max(scored_at) from iceberg.ops.metering_scorecard)"
    )
    assert {row[0]: tuple(row[1:]) for row in rows} == {
        name: (each.tp, each.fp, each.fn, each.recall, each.meter_days, each.is_kept)
        for name, each in scores.items()
    }
