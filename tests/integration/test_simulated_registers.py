"""A simulated week of register faults: each span's status is as the simulator's truth says."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from simulator.clock import by_days
from simulator.devices import Device, build_fleet
from simulator.faults import parse_faults
from simulator.register_faults import REGISTER_KINDS
from simulator.simulation import Outgoing, Simulation
from simulator.truth import Truth
from stack.scorecard.by_hand import score
from tests.integration.lakehouse import Lakehouse
from tests.integration.simulated_meters import moment, new_meters, record_exchanges, register
from tests.unit.simulator.builders import (
    DECEMBER,
    HALF_HOUR_MS,
    SEED,
    ends_of_days,
    truth_lines,
)

pytestmark = pytest.mark.same_in_both_modes

DAYS, METERS = 8, 24
FAULTS = (
    "rollover=0.15,exchange=0.15,exchange_unrecorded=0.15,register_reset=0.15,"
    "multiplier_missed=0.02,wh_as_kwh=0.01,silent_meter=0.002"
)
WANTED = {*REGISTER_KINDS, "multiplier_missed", "wh_as_kwh", "silent_meter"}
STATUS = {
    "rollover": "ROLLOVER",
    "exchange": "EXCHANGE",
    "exchange_unrecorded": "RESET",
    "register_reset": "RESET",
}
TOLERANCE_KWH = Decimal("0.002")  # two of the last of three decimals
GROSS_HOURS = Decimal(5)  # more than ten half-hours of the whole service is quarantined
Kwh = dict[str, dict[datetime, Decimal]]
Statuses = dict[tuple[str, date], str]


class Week:
    """What was sent of some meters, and the truth of it.

    accepted: energy of each message by meter and time, 0 where it is quarantined; true: what the
    meter counted in each half-hour.
    """

    def __init__(self, devices: Iterable[Device]) -> None:
        self.devices = {device.device_id: device for device in devices}
        fleet = build_fleet(list(self.devices.values()), SEED)
        simulation = Simulation(fleet, SEED, HALF_HOUR_MS, parse_faults(FAULTS))
        self.chunks = [simulation.chunk(e) for e in by_days(ends_of_days(DECEMBER, DAYS), DAYS)]
        self.facts = [truth for chunk in self.chunks for truth in chunk.truths]
        self.accepted = self._accepted()
        self.true = true_kwh(self.chunks)

    def _accepted(self) -> Kwh:
        found: Kwh = defaultdict(dict)
        for record in map(json.loads, (value for chunk in self.chunks for value in chunk.values)):
            device_id, at = record["device_id"], datetime.fromisoformat(record["timestamp"])
            kwh = Decimal(str(record["metrics"]["energy_kwh"]))
            most = Decimal(str(self.devices[device_id].service_size_kw)) * GROSS_HOURS
            if kwh <= most:
                found[device_id][at] = kwh
        return found

    def of_registers(self) -> list[Truth]:
        """The facts of registers."""
        return [truth for truth in self.facts if truth.kind in REGISTER_KINDS]

    def expected(self) -> Statuses:
        """The status of each meter's days."""
        found = {
            (device_id, day): status
            for device_id in self.devices
            for day, status in self.agreement(device_id)
        }
        return found | dict(map(self.fault, self.of_registers()))

    def agreement(self, device_id: str) -> Iterable[tuple[date, str]]:
        """Days of a meter, and whether the energies of each are what it counted."""
        accepted, true = self.accepted[device_id], self.true[device_id]
        tolerance = TOLERANCE_KWH * self.devices[device_id].meter_multiplier
        ends = sorted(accepted)
        for day in sorted({day_of(end) for end in ends[1:]}):
            inside = [end for end in ends[1:] if day_of(end) == day]
            before = ends[ends.index(inside[0]) - 1]
            counted = sum((k for e, k in true.items() if before < e <= inside[-1]), Decimal(0))
            sent = sum((accepted[end] for end in inside), Decimal(0))
            is_off = abs(sent - counted) > tolerance
            yield day, "MISMATCH" if is_off else "OK"

    def fault(self, truth: Truth) -> tuple[tuple[str, date], str]:
        """The day on which a register's fault is seen: that of the first read after it."""
        at, device_id = moment(truth.from_ms), truth.device_id or ""
        if truth.kind == "rollover":
            at -= timedelta(milliseconds=1)
        first_after = min(end for end in self.accepted[device_id] if end > at)
        return (device_id, day_of(first_after)), STATUS[truth.kind]


def true_kwh(chunks: Iterable[Outgoing]) -> Kwh:
    """What each meter counted, by the end of each half-hour."""
    found: Kwh = defaultdict(dict)
    for line in (line for chunk in chunks if chunk.slots for line in chunk.slots.lines()):
        fact = json.loads(line, parse_float=Decimal)
        found[fact["device_id"]][datetime.fromisoformat(fact["to"])] = fact["true"]["kwh"]
    return found


def day_of(end: datetime) -> date:
    """The UTC day that a reading ends."""
    return (end - timedelta(microseconds=1)).date()


def meters_of_every_fault(lakehouse: Lakehouse) -> list[Device]:
    """Meters of our own, a third of them with a multiplier, whose names draw every fault."""
    while True:
        meters = new_meters(lakehouse, METERS)
        if {truth.kind for truth in Week(meters).facts} >= WANTED:
            return meters


def found_statuses(lakehouse: Lakehouse, devices: Mapping[str, Device]) -> Statuses:
    """The status of each span of some meters, by the UTC day that it ends with."""
    listed = ", ".join(f"'{device_id}'" for device_id in devices)
    rows = lakehouse.sql(
        "select device_id, to_at, status from iceberg.marts.register_reconciliation "
        f"where device_id in ({listed})"
    )
    return {(device_id, day_of(to_at)): status for device_id, to_at, status in rows}


def scored_statuses(lakehouse: Lakehouse, week: Week, folder: Path) -> Counter[str]:
    """Spans by status as the scorecard counts what was found, false alarms told apart."""
    truth = folder / "truth.jsonl"
    truth.write_text("".join(line for each in week.chunks for line in truth_lines(each)), "utf-8")
    scores, _ = score(lakehouse.settings, [truth], print)
    found = {each.detector: each for each in scores if each.detector.startswith(("R13", "R14"))}
    named = {"MISMATCH": "R13"} | {status: f"R14_{status}" for status in STATUS.values()}
    wrong = sum(each.fp + (each.fn or 0) for each in found.values())
    return Counter({name: found[detector].tp for name, detector in named.items()} | {"": wrong})


def test_a_week_of_register_faults_is_found_and_nothing_else(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    meters = meters_of_every_fault(lakehouse)
    register(lakehouse, meters)
    week = Week(meters)
    for chunk in week.chunks:
        lakehouse.send_raw(zip(chunk.keys, chunk.values, strict=True))
    record_exchanges(lakehouse, week.facts)
    lakehouse.land_and_round()

    expected = week.expected()

    assert found_statuses(lakehouse, week.devices) == expected
    assert set(expected.values()) == {"OK", "MISMATCH", "RESET", "EXCHANGE", "ROLLOVER"}
    scored = scored_statuses(lakehouse, week, tmp_path)
    assert scored == Counter(status for status in expected.values() if status != "OK")
