"""A simulated week with every fault, its marts made by the DuckDB oracle: no stack is needed.

Slots and registers are those of tests/faults (rebuild.sql and what follows it), which state the
models' rules in words of their own.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator.devices import Device, build_fleet
from simulator.faults import parse_faults
from simulator.load_profiles import DAY_MS
from simulator.simulation import Outgoing, Simulation
from stack.scorecard.evidence import QUESTIONS, table_of
from stack.scorecard.score import Comparison, Score
from tests.faults.marts import Row, rebuilt
from tests.faults.meters import Ledger, Rows
from tests.unit.simulator.builders import (
    DECEMBER,
    HALF_HOUR_MS,
    SEED,
    device,
    ends_of_days,
    truth_lines,
)

DAYS, METERS = 7, 24
FAULTS = (
    "all=0.005,metering=0.003,rollover=0.15,exchange=0.15,exchange_unrecorded=0.15,"
    "register_reset=0.15"
)
NOW = datetime.fromtimestamp((DECEMBER + DAYS) * DAY_MS / 1000, UTC)
SINCE = datetime(2021, 6, 1, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


def week_of(meters: list[Device]) -> list[Outgoing]:
    """What the meters send until now, and the truth of it."""
    ends = ends_of_days(DECEMBER, DAYS)
    rates, reference_ms = parse_faults(FAULTS), int(NOW.timestamp() * 1000)
    simulation = Simulation(build_fleet(meters, SEED), SEED, HALF_HOUR_MS, rates, reference_ms)
    return [simulation.chunk(ends), simulation.finish()]


def marts_of(meters: list[Device], week: list[Outgoing]) -> dict[str, list[Row]]:
    """What DuckDB makes of the messages, which all came now, and of the exchanges."""
    now_ms = int(NOW.timestamp() * 1000)
    values = [value.decode(errors="replace") for chunk in week for value in chunk.values]
    ledger = Ledger(readings=[(0, at, now_ms, text) for at, text in enumerate(values)])
    master_data: Rows = {
        "meter": [
            (
                each.device_id,
                each.customer_id,
                230,
                Decimal(str(each.service_size_kw)),
                30,
                each.meter_multiplier,
                each.register_digits,
                "UTC",
                SINCE,
            )
            for each in meters
        ],
        "stay": [(each.device_id, each.device_id, 30, SINCE, None) for each in meters],
        "place": [(each.device_id, "UTC", SINCE) for each in meters],
        "contract": [(each.device_id, each.customer_id, date(2021, 6, 1), None) for each in meters],
    }
    return rebuilt(ledger, master_data, NOW)


def found_slots(lines: list[str], marts: dict[str, list[Row]]) -> list[list[Any]]:
    """Each true slot as the marts have it; one without a full reading is a gap."""
    there = {(row["device_id"], row["slot_start_at"]): row for row in marts["int_interval_reads"]}
    facts = [json.loads(line) for line in lines]
    found = []
    for fact in (fact for fact in facts if fact["kind"] == "slot"):
        start = datetime.fromisoformat(fact["from"])
        row = there.get((fact["device_id"], start), {})
        code = row.get("quality_code") or "MISSING"
        kwh = row["energy_kwh"] if row.get("quality_code") else None
        gap = code == "MISSING"
        found.append(["IMPORT", code, gap, kwh, fact["device_id"], start, start + HALF_HOUR])
    return found


def evidence_of(
    meters: list[Device], lines: list[str], marts: dict[str, list[Row]]
) -> dict[str, list[list[Any]]]:
    """The marts as the scorecard asks for them."""
    names = ("channel", "status", "cause", "delta_kwh", "slots_kwh", "tolerance_kwh")
    spans = marts["register_reconciliation"]
    return {
        "meters": [[each.device_id, "all", "UTC", each.service_size_kw] for each in meters],
        "limits": [["all", 1.1, date(2000, 1, 1), None]],
        "installations": [],
        "rule_hits": [],
        "found_slots": found_slots(lines, marts),
        "spans": [
            [row[name] for name in (*names, "device_id", "from_at", "to_at")] for row in spans
        ],
    }


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Score]:
    meters = [device(10000 + n, multiplier=20 if n % 3 == 0 else 1) for n in range(METERS)]
    week = week_of(meters)
    lines = [line for chunk in week for line in truth_lines(chunk)]
    rows = evidence_of(meters, lines, marts_of(meters, week))
    file: Path = tmp_path_factory.mktemp("week") / "truth.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    evidence = {name: table_of(QUESTIONS[name][0], rows[name]) for name in QUESTIONS}
    with Comparison([file], NOW) as comparison:
        found, _ = comparison.score(evidence)
    return {each.detector: each for each in found}


@pytest.mark.parametrize("detector", ["R03", "R04", "R13", "R14_RESET", "R14_ROLLOVER"])
def test_each_fault_is_found_and_nothing_else(scores: dict[str, Score], detector: str) -> None:
    found = scores[detector]
    assert found.tp > 0
    assert (found.fn, found.fp) == (0, 0), found


def test_spans_that_are_ok_have_the_energy_that_was_counted(scores: dict[str, Score]) -> None:
    found = scores["CONSERVATION"]
    assert found.hits > 20
    assert found.tp == found.hits
    assert (found.wape or 0.0) < 0.0001
