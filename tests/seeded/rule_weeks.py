"""Four simulated weeks with faults of the metering, for rules to find."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.devices import Device, build_fleet
from simulator.load_profiles import DAY_MS
from simulator.simulation import Simulation
from tests.unit.simulator.builders import HALF_HOUR_MS, SEED, device, truth_lines

# 2025-04-01, in days since 1970.
FIRST_DAY = 20_179
DAYS = 28
SLOTS_A_DAY = 48


@dataclass(frozen=True)
class Group:
    """Meters with the same faults.

    first, count: their numbers. service_size_kw: in master data; the load is that of 18.4 kW.
    rates: of the simulator's faults.
    """

    first: int
    count: int
    service_size_kw: float
    multiplier: int = 1
    rates: Mapping[str, float] = field(default_factory=dict)

    def devices(self) -> list[Device]:
        """The meters."""
        numbers = range(self.first, self.first + self.count)
        return [device(number, multiplier=self.multiplier) for number in numbers]


# A service so wide that a half-hour in watt hours is no impossible value.
UNITS = Group(20000, 12, 400, 20, {"wh_as_kwh": 0.08, "multiplier_missed": 0.15})
# One so narrow that some spikes are beyond it, and some far beyond.
ENERGIES = Group(22000, 6, 6, rates={"negative": 0.003, "spike": 0.003})
CLEAN = Group(21000, 4, 18.4)
GROUPS = (UNITS, ENERGIES, CLEAN)


@dataclass
class Weeks:
    """What was sent, as bytes by key, and what really happened, as lines of a truth file."""

    messages: list[tuple[bytes | None, bytes | None]] = field(default_factory=list)
    truth: list[str] = field(default_factory=list)


def simulated(group: Group) -> Weeks:
    """The weeks of a group."""
    simulation = Simulation(build_fleet(group.devices(), SEED), SEED, HALF_HOUR_MS, group.rates)
    weeks = Weeks()
    for day in range(FIRST_DAY, FIRST_DAY + DAYS):
        ends = day * DAY_MS + np.arange(1, SLOTS_A_DAY + 1, dtype=np.int64) * HALF_HOUR_MS
        chunk = simulation.chunk(ends)
        weeks.messages += zip(chunk.keys, chunk.values, strict=True)
        weeks.truth += truth_lines(chunk)
    return weeks


def meters_of(group: Group) -> list[dict[str, Any]]:
    """The group's meters, as master data is to have them."""
    return [
        {
            "device_id": each.device_id,
            "service_size_kw": group.service_size_kw,
            "multiplier": group.multiplier,
        }
        for each in group.devices()
    ]


def lines(records: list[dict[str, Any]]) -> str:
    """Records as a file of JSON lines."""
    return "\n".join(json.dumps(record) for record in records)
