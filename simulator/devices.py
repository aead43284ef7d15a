"""Meters as the simulation sees them: master data, and the same as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import Floats, Integers, Keys, draw, text_key, text_keys, uniform


@dataclass(frozen=True)
class Device:
    """One meter of device_master with the class of its customer."""

    device_id: str
    customer_id: str
    customer_class: str
    transformer_id: str
    time_zone: str
    meter_multiplier: int
    nominal_voltage_v: float
    service_size_kw: float
    register_digits: int
    installed_at: datetime


@dataclass(frozen=True)
class Fleet:
    """Devices in the order of the list, one array element or tuple entry each.

    keys, transformer_keys: what their randomness hangs on. annual_kwh: energy of a year.
    battery_pct_a_year: how fast the battery ages. installed_ms: milliseconds since 1970.
    """

    devices: tuple[Device, ...]
    keys: Keys
    transformer_keys: Keys
    multiplier: Integers
    nominal_voltage_v: Floats
    service_size_kw: Floats
    register_digits: Integers
    annual_kwh: Floats
    battery_pct_a_year: Floats
    installed_ms: Integers

    def __len__(self) -> int:
        return len(self.devices)

    @property
    def load_groups(self) -> dict[tuple[str, str], NDArray[np.intp]]:
        """Devices that share a load profile: (customer class, time zone) -> indices."""
        members: dict[tuple[str, str], list[int]] = {}
        for index, device in enumerate(self.devices):
            members.setdefault((device.customer_class, device.time_zone), []).append(index)
        return {group: np.array(indices) for group, indices in members.items()}


def build_fleet(devices: Sequence[Device], seed: int) -> Fleet:
    """Columns of the devices; what master data does not hold is drawn from the seed."""
    keys = text_keys(tuple(device.device_id for device in devices))
    transformers = tuple(device.transformer_id for device in devices)
    service_size_kw = np.array([device.service_size_kw for device in devices])
    return Fleet(
        devices=tuple(devices),
        keys=keys,
        transformer_keys=text_keys(transformers),
        multiplier=np.array([device.meter_multiplier for device in devices], dtype=np.int64),
        nominal_voltage_v=np.array([device.nominal_voltage_v for device in devices]),
        service_size_kw=service_size_kw,
        register_digits=np.array([device.register_digits for device in devices], dtype=np.int64),
        annual_kwh=annual_energy(keys, service_size_kw, seed),
        battery_pct_a_year=7.0 + 6.0 * uniform(draw(seed, "battery ageing", keys)),
        installed_ms=np.array(
            [round(device.installed_at.timestamp() * 1000) for device in devices],
            dtype=np.int64,
        ),
    )


def annual_energy(keys: Keys, service_size_kw: Floats, seed: int) -> Floats:
    """Energy of a year in kWh: between 1 and 3.5 percent of what the service could carry, by meter.

    A household with a service of 18.4 kW thus uses 1,600 to 5,600 kWh.
    """
    share = 0.01 + 0.025 * uniform(draw(seed, "annual energy", keys)) ** 1.5
    result: Floats = service_size_kw * 8760.0 * share
    return result


def first_register_units(fleet: Fleet, units_a_kwh: int, seed: int) -> Integers:
    """Register of each meter at the anchor of the simulation, anywhere in its range."""
    places = uniform(draw(seed, "register", fleet.keys))
    span = 10**fleet.register_digits
    # Whole kWh, so that runs of different resolution agree.
    return (places * span).astype(np.int64) * units_a_kwh


def device_number(device_id: str) -> int:
    """The number in a meter's id, for sorting: 10000 for MTR-10000; 64 bits of any other."""
    digits = device_id.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else text_key(device_id)
