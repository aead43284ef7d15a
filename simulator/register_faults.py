"""What befalls registers: roll-over, exchange of the meter, reset. Once a meter at most.

Each comes within a week of the start of a run. Energies stay right; from then on the register
counts on from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulator.hashing import Integers, draw, uniform
from simulator.load_profiles import DAY_MS
from simulator.measurement import MeasurementModel, Readings
from simulator.truth import Truth

REGISTER_KINDS = ("rollover", "exchange", "exchange_unrecorded", "register_reset")
WITHIN_MS = 7 * DAY_MS


@dataclass(frozen=True)
class RegisterFault:
    """One fault of one meter.

    device: its index. at_ms: the end of the last interval that the old register counted, or for
    a roll-over of the first one after it. counted: units counted by then, without roll-over.
    """

    kind: str
    device: int
    at_ms: int
    counted: int


class RegisterFaults:
    """Faults of a run that starts at `from_ms`."""

    def __init__(self, model: MeasurementModel, rates: Mapping[str, float], from_ms: int) -> None:
        self.model = model
        found = drawn(model, rates, from_ms)
        self.faults = sorted(found, key=lambda fault: (fault.at_ms, fault.device))

    def apply(self, readings: Readings, counted: Integers) -> Readings:
        """The readings with the registers that are shown.

        counted: units counted by each moment, without roll-over; (devices, moments).
        """
        shown = readings.register_units.copy()
        for fault in self.faults:
            since = counted[fault.device] - fault.counted
            span = self.span(fault.device)
            if fault.kind == "rollover":
                shown[fault.device] = since % span
            else:
                is_after = readings.end_ms > fault.at_ms
                shown[fault.device, is_after] = since[is_after] % span
        return replace(readings, register_units=shown)

    def span(self, device: int) -> int:
        """Units after which a register starts at zero again."""
        return int(10 ** self.model.fleet.register_digits[device]) * self.model.units_a_kwh

    def truths(self, from_ms: int, until_ms: int) -> Iterator[Truth]:
        """The faults of a span, after from_ms up to until_ms."""
        for fault in self.faults:
            if from_ms < fault.at_ms <= until_ms:
                device_id = self.model.fleet.devices[fault.device].device_id
                yield Truth(fault.kind, device_id, fault.at_ms, fault.at_ms, self.values(fault))

    def values(self, fault: RegisterFault) -> dict[str, float]:
        """The registers before and after, in kWh of the dial."""
        span, units = self.span(fault.device), self.model.units_a_kwh
        if fault.kind == "rollover":
            return {"register_modulus_kwh": span / units}
        last = (int(self.model.first_register[fault.device]) + fault.counted) % span
        return {"final_register_kwh": last / units, "initial_register_kwh": 0.0}


def drawn(
    model: MeasurementModel, rates: Mapping[str, float], from_ms: int
) -> Iterator[RegisterFault]:
    """The faults of a run. rates: share of the meters that are hit, by kind."""
    bits = draw(model.seed, "register fault", model.fleet.keys)
    bounds = np.cumsum([rates.get(kind, 0.0) for kind in REGISTER_KINDS])
    numbers = np.searchsorted(bounds, uniform(bits), side="right")
    intervals = max(1, WITHIN_MS // model.interval_ms)
    place = uniform(draw(model.seed, "register fault at", model.fleet.keys)) * intervals
    at_ms = from_ms + (1 + place.astype(np.int64)) * model.interval_ms
    hit = np.flatnonzero(numbers < len(REGISTER_KINDS))
    days = at_ms // DAY_MS
    # A day's conditions are those of the whole fleet: asked for once a day, not once a fault.
    for day in np.unique(days[hit]):
        devices = hit[days[hit] == day]
        counted = model.counted_units(model.conditions(np.array([day])), at_ms[devices])
        for column, device in enumerate(devices.tolist()):
            kind, moment = REGISTER_KINDS[numbers[device]], int(at_ms[device])
            yield RegisterFault(kind, device, moment, int(counted[device, column]))
