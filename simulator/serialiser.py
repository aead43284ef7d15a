"""Readings as JSON messages, many at a time, without a dictionary for each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from simulator.devices import Device
from simulator.hashing import Integers
from simulator.measurement import STATUSES, Readings
from simulator.solar import Exports

THOUSANDTHS = tuple(f".{number:03d}".rstrip("0") or "." for number in range(1000))
FRACTIONS = tuple(text if text != "." else ".0" for text in THOUSANDTHS)
SMALL_DECIMALS = tuple(f"{number // 1000}{FRACTIONS[number % 1000]}" for number in range(40_000))
TENTHS = tuple(f"{number // 10}.{number % 10}" for number in range(10_000))


def stamp(at_ms: int) -> str:
    """A moment as ISO 8601 UTC; milliseconds only where there are any."""
    moment = datetime.fromtimestamp(at_ms // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment}.{at_ms % 1000:03d}Z" if at_ms % 1000 else f"{moment}Z"


def moment_number(at_ms: int) -> int:
    """The number of a moment in message ids: seconds since 1970, or milliseconds if needed."""
    return at_ms if at_ms % 1000 else at_ms // 1000


def seconds(interval_ms: int) -> str:
    """An interval in seconds as JSON writes it: 1800, or 0.5."""
    return json.dumps(interval_ms // 1000 if interval_ms % 1000 == 0 else interval_ms / 1000)


def decimals(units: Integers, units_a_kwh: int) -> list[str]:
    """Counts of 1/units_a_kwh kWh as decimal numbers.

    Watt hours lose trailing zeros (0.42), finer counts keep six places (0.000050).
    """
    if units_a_kwh == 1000:
        if len(units) and int(units.max()) < len(SMALL_DECIMALS):
            return [SMALL_DECIMALS[unit] for unit in units.tolist()]
        whole, rest = np.divmod(units, 1000)
        return [
            f"{kwh}{FRACTIONS[places]}"
            for kwh, places in zip(whole.tolist(), rest.tolist(), strict=True)
        ]
    return [f"{unit // 1_000_000}.{unit % 1_000_000:06d}" for unit in units.tolist()]


class Serialiser:
    """Turns readings of a fleet into keys and values of messages."""

    def __init__(self, devices: Sequence[Device]) -> None:
        # As they stand between the quotes of a JSON string.
        self.ids = np.array([json.dumps(device.device_id)[1:-1] for device in devices], object)
        self.keys = np.array([device.device_id.encode() for device in devices], dtype=object)
        self.heads = np.array([head(device) for device in devices], dtype=object)

    def values(
        self, readings: Readings, devices: NDArray[np.intp], columns: NDArray[np.intp]
    ) -> list[bytes]:
        """Messages of chosen readings: index of the device and of the moment of each."""
        chosen = (devices, columns)
        openings, endings = self.moment_parts(readings)
        registers = decimals(readings.register_units[chosen], readings.units_a_kwh)
        if readings.exports:
            self.add_exports(registers, readings.exports, readings.units_a_kwh, devices, columns)
        rows = zip(
            self.heads[devices].tolist(),
            openings[columns].tolist(),
            decimals(readings.energy_units[chosen], readings.units_a_kwh),
            readings.voltage_tenths[chosen].tolist(),
            readings.battery_pct[chosen].tolist(),
            registers,
            readings.status[chosen].tolist(),
            self.ids[devices].tolist(),
            endings[columns].tolist(),
            strict=True,
        )
        interval = f', "interval_s": {seconds(readings.interval_ms)}}}, "status": "'
        return [
            f'{head}{opening}{energy}, "voltage": {TENTHS[voltage]}, "battery_pct": {battery}, '
            f'"register_kwh": {register}{interval}{STATUSES[status]}", '
            f'"message_id": "{device_id}{ending}'.encode()
            for head, opening, energy, voltage, battery, register, status, device_id, ending in rows
        ]

    def add_exports(
        self,
        registers: list[str],
        exports: Exports,
        units_a_kwh: int,
        devices: NDArray[np.intp],
        columns: NDArray[np.intp],
    ) -> None:
        """Put the fields of the export channel after the registers of the meters that have one."""
        rows = np.full(len(self.ids), -1)
        rows[exports.owners] = np.arange(len(exports.owners))
        places = np.flatnonzero(rows[devices] >= 0)
        chosen = rows[devices[places]], columns[places]
        energies = decimals(exports.energy_units[chosen], units_a_kwh)
        counts = decimals(exports.register_units[chosen], units_a_kwh)
        for place, energy, register in zip(places.tolist(), energies, counts, strict=True):
            registers[place] += f', "export_kwh": {energy}, "register_export_kwh": {register}'

    def moment_parts(self, readings: Readings) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """What all messages of a moment share: after the head, and at the end."""
        moments = readings.end_ms.tolist()
        openings = [f'{stamp(end_ms)}", "metrics": {{"energy_kwh": ' for end_ms in moments]
        endings = [f'-{moment_number(end_ms)}"}}' for end_ms in moments]
        return np.array(openings, dtype=object), np.array(endings, dtype=object)


def head(device: Device) -> str:
    """The opening of every message of a device, up to its timestamp."""
    device_id, customer_id = json.dumps(device.device_id), json.dumps(device.customer_id)
    return f'{{"device_id": {device_id}, "customer_id": {customer_id}, "timestamp": "'
