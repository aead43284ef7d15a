"""The truth of every slot: the energy a meter measured, and the seconds it was without power."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from simulator.devices import Device
from simulator.episodes import OUTAGE, draw_windows
from simulator.hashing import Integers
from simulator.load_profiles import DAY_MS
from simulator.measurement import FINE_BELOW_MS, MeasurementModel, Readings
from simulator.serialiser import decimals, seconds, stamp
from simulator.solar import Exports, Solar

HALF_HOUR_MS = 1_800_000
KIND = "slot"


@dataclass(frozen=True, eq=False)
class Slots:
    """True values of slots, whatever became of their messages.

    end_ms: shape (moments,), end of each slot. units_a_kwh: 1,000 or 1,000,000. energy_units: in
    1/units_a_kwh kWh, and dark_ms: milliseconds without power, both (devices, moments).
    exports: of meters with panels, None where none has.
    """

    devices: Sequence[Device]
    end_ms: Integers
    slot_ms: int
    units_a_kwh: int
    energy_units: Integers
    dark_ms: Integers
    exports: Exports | None = None

    def __len__(self) -> int:
        return self.energy_units.size

    def lines(self) -> Iterator[str]:
        """One JSON object a slot, as lines of the truth file: by time, then by device."""
        heads = [
            f'{{"kind": "{KIND}", "device_id": {json.dumps(device.device_id)}, "from": "'
            for device in self.devices
        ]
        for column, end_ms in enumerate(self.end_ms.tolist()):
            span = f'{stamp(end_ms - self.slot_ms)}", "to": "{stamp(end_ms)}", "true": {{"kwh": '
            energy = decimals(self.energy_units[:, column], self.units_a_kwh)
            dark = self.dark_ms[:, column].tolist()
            exports = self.export_parts(column)
            for head, kwh, dark_ms, export in zip(heads, energy, dark, exports, strict=True):
                dark_s = seconds(dark_ms) if dark_ms else "0"
                yield f'{head}{span}{kwh}, "dark_s": {dark_s}{export}}}}}\n'

    def export_parts(self, column: int) -> list[str]:
        """The export of each device in one slot, empty for those without panels."""
        parts = [""] * len(self.devices)
        if self.exports:
            energies = decimals(self.exports.energy_units[:, column], self.units_a_kwh)
            for owner, energy in zip(self.exports.owners.tolist(), energies, strict=True):
                parts[owner] = f', "export_kwh": {energy}'
        return parts


def true_slots(
    model: MeasurementModel, from_ms: int, readings: Readings, solar: Solar | None
) -> Slots | None:
    """The slots that end after `from_ms` and with the readings, None where no slot ends.

    A slot is an interval of the readings, or where those are shorter than a minute, a half-hour.
    """
    slot_ms, ends_ms = readings.interval_ms, readings.end_ms
    energy_units, exports = readings.energy_units, readings.exports
    if slot_ms < FINE_BELOW_MS:
        first, slot_ms = from_ms // HALF_HOUR_MS + 1, HALF_HOUR_MS
        ends_ms = np.arange(first, int(ends_ms[-1]) // HALF_HOUR_MS + 1) * HALF_HOUR_MS
        if not len(ends_ms):
            return None
        bounds_ms = np.append(ends_ms[0] - slot_ms, ends_ms)
        energy_units = energy_of(model, bounds_ms)
        exports = solar.exports(bounds_ms) if solar else None
    dark_ms = dark_time(model, ends_ms, slot_ms)
    devices, units = model.fleet.devices, readings.units_a_kwh
    return Slots(devices, ends_ms, slot_ms, units, energy_units, dark_ms, exports)


def energy_of(model: MeasurementModel, bounds_ms: Integers) -> Integers:
    """Energy that the registers count from each moment to the next, in the model's units."""
    counted = model.counted_units(model.conditions(np.unique(bounds_ms // DAY_MS)), bounds_ms)
    return np.diff(counted, axis=1) * model.fleet.multiplier[:, None]


def dark_time(model: MeasurementModel, ends_ms: Integers, slot_ms: int) -> Integers:
    """Milliseconds of each slot in which an outage holds, shape (devices, moments)."""
    days = np.arange((ends_ms[0] - slot_ms) // DAY_MS, ends_ms[-1] // DAY_MS + 1)
    outages = draw_windows(OUTAGE, model.fleet, days, model.seed)
    dark_ms = np.zeros((len(model.fleet), len(ends_ms)), dtype=np.int64)
    for device, day in np.argwhere(outages.end_ms).tolist():
        from_ms, to_ms = outages.start_ms[device, day], outages.end_ms[device, day]
        first = np.searchsorted(ends_ms, from_ms, side="right")
        last = np.searchsorted(ends_ms - slot_ms, to_ms)
        ends = ends_ms[first:last]
        dark_ms[device, first:last] += np.minimum(ends, to_ms) - np.maximum(ends - slot_ms, from_ms)
    return dark_ms
