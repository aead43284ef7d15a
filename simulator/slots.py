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

HALF_HOUR_MS = 1_800_000
KIND = "slot"


@dataclass(frozen=True, eq=False)
class Slots:
    """True values of slots, whatever became of their messages.

    end_ms: shape (moments,), end of each slot. units_a_kwh: 1,000 or 1,000,000. energy_units: in
    1/units_a_kwh kWh, and dark_ms: milliseconds without power, both (devices, moments).
    """

    devices: Sequence[Device]
    end_ms: Integers
    slot_ms: int
    units_a_kwh: int
    energy_units: Integers
    dark_ms: Integers

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
            for head, kwh, dark_ms in zip(heads, energy, dark, strict=True):
                dark_s = seconds(dark_ms) if dark_ms else "0"
                yield f'{head}{span}{kwh}, "dark_s": {dark_s}}}}}\n'


def true_slots(model: MeasurementModel, from_ms: int, readings: Readings) -> Slots | None:
    """The slots that end after `from_ms` and with the readings, None where no slot ends.

    A slot is an interval of the readings, or where those are shorter than a minute, a half-hour.
    """
    interval_ms, ends_ms = readings.interval_ms, readings.end_ms
    if interval_ms >= FINE_BELOW_MS:
        energy_units = readings.energy_units
    else:
        first, interval_ms = from_ms // HALF_HOUR_MS + 1, HALF_HOUR_MS
        ends_ms = np.arange(first, int(ends_ms[-1]) // HALF_HOUR_MS + 1) * HALF_HOUR_MS
        if not len(ends_ms):
            return None
        energy_units = energy_of(model, ends_ms, HALF_HOUR_MS)
    dark_ms = dark_time(model, ends_ms, interval_ms)
    devices, units = model.fleet.devices, readings.units_a_kwh
    return Slots(devices, ends_ms, interval_ms, units, energy_units, dark_ms)


def energy_of(model: MeasurementModel, ends_ms: Integers, slot_ms: int) -> Integers:
    """Energy that the registers count in slots of a row, in the model's units."""
    bounds = np.append(ends_ms[0] - slot_ms, ends_ms)
    counted = model.counted_units(model.conditions(np.unique(bounds // DAY_MS)), bounds)
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
