"""Export of solar panels: a channel of its own, by daylight, with a register that adds up."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from simulator.clock import by_days
from simulator.devices import build_fleet
from simulator.habits import BLOCK_DAYS
from simulator.load import ANCHOR_DAY
from simulator.load_profiles import DAY_MS, EPOCH, energy_of_quarters
from simulator.simulation import Outgoing, Simulation
from simulator.solar import SolarModel, sun_profile
from tests.unit.simulator.builders import (
    DECEMBER,
    HALF_HOUR_MS,
    SEED,
    days,
    device,
    ends_of_days,
    fleet,
)

JUNE = (date(2025, 6, 1) - EPOCH).days
METERS = 40
EXPORT_FIELDS = ("export_kwh", "register_export_kwh")


def run(
    share: float, *, first: int = JUNE, count: int = 8, chunk_days: int = 8, faults: float = 0.0
) -> list[Outgoing]:
    rates = {"export_sign": faults} if faults else {}
    simulation = Simulation(fleet(METERS), SEED, HALF_HOUR_MS, rates, solar_share=share)
    return [simulation.chunk(part) for part in by_days(ends_of_days(first, count), chunk_days)]


def records(outgoing: list[Outgoing]) -> list[dict[str, Any]]:
    return [json.loads(value) for chunk in outgoing for value in chunk.values]


def exporting(outgoing: list[Outgoing]) -> list[dict[str, Any]]:
    return [record for record in records(outgoing) if "export_kwh" in record["metrics"]]


def test_the_shares_of_a_year_add_up_to_one() -> None:
    first = (date(2025, 1, 1) - EPOCH).days
    shares = energy_of_quarters(sun_profile(), ZoneInfo("Europe/London"), first, 365)
    assert shares.sum() == pytest.approx(1.0, abs=0.01)


def test_a_block_of_four_weeks_holds_what_the_profile_says() -> None:
    model = SolarModel(build_fleet([device()], SEED), SEED)
    first = ANCHOR_DAY + (JUNE - ANCHOR_DAY) // BLOCK_DAYS * BLOCK_DAYS
    load = model.day_load(days(first, BLOCK_DAYS + 1))
    made = model.cumulative_kwh(load, np.array([first, first + BLOCK_DAYS]) * DAY_MS)
    shares = energy_of_quarters(sun_profile(), ZoneInfo("UTC"), first, BLOCK_DAYS)
    expected_kwh = shares.sum() * model.fleet.annual_kwh[0]
    assert made[0, 1] - made[0, 0] == pytest.approx(expected_kwh, rel=1e-9)


def test_a_share_of_the_meters_exports() -> None:
    found = {record["device_id"] for record in exporting(run(0.5))}
    # Of 40 meters half: standard deviation 3.2.
    assert 11 <= len(found) <= 29
    assert exporting(run(0.0)) == []


def test_all_but_the_export_is_what_it_is_without_panels() -> None:
    found = records(run(0.5))
    for record in found:
        for name in EXPORT_FIELDS:
            record["metrics"].pop(name, None)
    assert found == records(run(0.0))


def test_the_export_register_grows_by_the_export() -> None:
    by_meter: dict[str, list[dict[str, Any]]] = {}
    for record in exporting(run(1.0)):
        by_meter.setdefault(record["device_id"], []).append(record)
    assert len(by_meter) == METERS
    checked = 0
    for own in by_meter.values():
        for before, after in pairwise(own):
            grown = (
                after["metrics"]["register_export_kwh"] - before["metrics"]["register_export_kwh"]
            )
            # A meter without power is silent; it exports nothing in that time but before it.
            if after["message_id"][-10:] == str(int(before["message_id"][-10:]) + 1800):
                assert round(grown * 1000) == round(after["metrics"]["export_kwh"] * 1000)
                checked += 1
    assert checked > METERS * 300


def test_panels_rest_at_night_and_make_more_in_june_than_in_december() -> None:
    june, december = exporting(run(1.0)), exporting(run(1.0, first=DECEMBER))
    at_night = [one for one in june if one["timestamp"][11:16] in ("00:30", "02:00", "23:30")]
    assert at_night
    assert not any(one["metrics"]["export_kwh"] for one in at_night)
    sums = [sum(one["metrics"]["export_kwh"] for one in month) for month in (june, december)]
    assert sums[0] > 3 * sums[1] > 0


def test_chunks_do_not_change_the_export() -> None:
    assert records(run(0.5)) == records(run(0.5, chunk_days=1))


def test_the_truth_of_a_slot_names_its_export() -> None:
    whole = run(0.5, faults=0.2)
    sent = {
        (record["device_id"], record["timestamp"]): record["metrics"].get("export_kwh")
        for record in records(run(0.5))
    }
    slots = [json.loads(line) for chunk in whole if chunk.slots for line in chunk.slots.lines()]
    assert len(slots) == METERS * 8 * 48
    found = {(one["device_id"], one["to"]): one["true"].get("export_kwh") for one in slots}
    assert {key: found[key] for key in sent} == sent
    assert any(record["metrics"]["export_kwh"] < 0 for record in exporting(whole))


def test_live_slots_name_their_export() -> None:
    noon_ms = JUNE * DAY_MS + 24 * HALF_HOUR_MS
    simulation = Simulation(fleet(3), SEED, 2000, solar_share=1.0)
    chunks = [
        simulation.chunk(np.array([end_ms]))
        for end_ms in range(noon_ms + 2000, noon_ms + HALF_HOUR_MS + 2000, 2000)
    ]
    [slots] = [chunk.slots for chunk in chunks if chunk.slots]
    sent = [one for one in exporting(chunks) if one["device_id"] == "MTR-10000"]
    true = json.loads(next(iter(slots.lines())))["true"]
    total = sum(one["metrics"]["export_kwh"] for one in sent)
    assert total > 0
    assert true["export_kwh"] == pytest.approx(total, abs=1e-9)
