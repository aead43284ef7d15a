"""Solar panels behind some meters: what they export, counted by a register of its own.

Export is never netted from what a meter takes: it is another channel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.devices import Fleet, build_fleet
from simulator.hashing import Floats, Integers, bell, draw, uniform
from simulator.load import ANCHOR_DAY, DayLoad, GroupTable, LoadModel, Use, zone_of
from simulator.load_profiles import DAY_MS, QUARTERS_A_DAY, LoadProfile

# By season (winter, summer, transition): local hour of noon, hours of export, share of its peak.
SUN = ((12.25, 7.0, 0.35), (13.25, 13.0, 1.0), (13.0, 10.0, 0.7))
PEAK_WATTS = 677.0  # of an export of 1,000 kWh a year, at a summer noon
CLOUD_SPREAD = 1.4


def sun_profile() -> LoadProfile:
    """Mean export by season and local quarter hour, the same on all kinds of day."""
    hours = (np.arange(QUARTERS_A_DAY) + 0.5) / 4
    height = [
        np.cos(np.clip((hours - noon) / length, -0.5, 0.5) * np.pi) for noon, length, _ in SUN
    ]
    peaks = PEAK_WATTS * np.array([peak for _, _, peak in SUN])
    watts = peaks[:, None] * np.maximum(height, 0.0) ** 1.5
    return LoadProfile(np.repeat(watts[:, None, :], 3, axis=1), is_smoothed=False)


class SolarModel(LoadModel):
    """Cumulative export of a fleet of which every meter has panels."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        super().__init__(fleet, seed)
        share = 0.2 + 0.4 * uniform(draw(seed, "annual export", fleet.keys))
        self.fleet = replace(fleet, annual_kwh=fleet.annual_kwh * share)
        profile = sun_profile()
        self.groups = [
            (indices, GroupTable(profile, zone_of(zone)))
            for (_, zone), indices in fleet.load_groups.items()
        ]

    def use(self, indices: NDArray[np.intp], table: GroupTable, days: Integers) -> Use:
        """Export of UTC days under their clouds, before a block's sum is met."""
        # Neighbours have the same sky.
        bits = draw(self.seed, "clouds", self.fleet.transformer_keys[indices][:, None], days)
        clouds: Floats = np.exp(CLOUD_SPREAD * bell(bits)) * table.day_sums[days - ANCHOR_DAY]
        return Use(np.zeros(clouds.shape, dtype=np.bool_), clouds, ())


@dataclass(frozen=True)
class Exports:
    """Export of the meters that have panels, shape (owners, moments), in 1/units_a_kwh kWh.

    owners: their indices in the fleet.
    """

    owners: NDArray[np.intp]
    energy_units: Integers
    register_units: Integers


class Solar:
    """The export channel of those meters of a fleet that have panels.

    owners: their indices, one at least.
    """

    def __init__(self, fleet: Fleet, owners: NDArray[np.intp], seed: int, units_a_kwh: int) -> None:
        self.owners = owners
        self.units_a_kwh = units_a_kwh
        devices = [fleet.devices[index] for index in owners.tolist()]
        self.model = SolarModel(build_fleet(devices, seed), seed)
        self.load: DayLoad | None = None

    def exports(self, bounds_ms: Integers) -> Exports:
        """Export from each moment to the next, and the register at the end of each."""
        fleet = self.model.fleet
        days = np.unique(bounds_ms // DAY_MS)
        if self.load is None or not np.isin(days, self.load.days).all():
            self.load = self.model.day_load(days)
        kwh = self.model.cumulative_kwh(self.load, bounds_ms)
        counted = np.floor(kwh * (self.units_a_kwh / fleet.multiplier)[:, None]).astype(np.int64)
        span = (10**fleet.register_digits * self.units_a_kwh)[:, None]
        energy_units = np.diff(counted, axis=1) * fleet.multiplier[:, None]
        return Exports(self.owners, energy_units, counted[:, 1:] % span)


def solar_of(fleet: Fleet, seed: int, share: float, units_a_kwh: int) -> Solar | None:
    """The export channel where a share of the meters has panels; None where none has."""
    owners = np.flatnonzero(uniform(draw(seed, "solar panels", fleet.keys)) < share)
    return Solar(fleet, owners, seed, units_a_kwh) if len(owners) else None
