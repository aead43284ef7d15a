"""Meters of a test's own that the simulator speaks for: made up, and entered in master data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import cycle, islice

from simulator.database import read_active_devices
from simulator.devices import Device
from simulator.truth import Truth
from tests.integration.lakehouse import Lakehouse, unused_numbers

# Multiplier of the meter, and size of its service in kW.
SERVICES = ((1, 18.4), (1, 18.4), (20, 69.0))


def new_meters(lakehouse: Lakehouse, count: int) -> list[Device]:
    """Meters with names of their own, a third of them with a multiplier."""
    like = replace(read_active_devices(lakehouse.settings)[0], register_digits=6)
    names = [f"MTR-{number}" for number in islice(unused_numbers(), count)]
    return [
        replace(like, device_id=name, meter_multiplier=multiplier, service_size_kw=size)
        for name, (multiplier, size) in zip(names, cycle(SERVICES), strict=False)
    ]


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def register(lakehouse: Lakehouse, meters: Iterable[Device]) -> None:
    """Enter the meters in master data."""
    for meter in meters:
        columns = asdict(meter)
        del columns["device_id"], columns["customer_class"]
        lakehouse.add_device(meter.device_id, **columns | {"installed_at": "2021-06-01T00:00:00Z"})


def record_exchanges(lakehouse: Lakehouse, facts: Iterable[Truth]) -> None:
    """Write down the exchanges that somebody told master data of."""
    for truth in facts:
        if truth.kind == "exchange":
            lakehouse.change_master_data(
                "update meter_installation set removed_at = %s, final_register_kwh = %s "
                "where device_id = %s",
                moment(truth.from_ms),
                truth.values["final_register_kwh"],
                truth.device_id,
            )
            lakehouse.change_master_data(
                "insert into meter_installation (device_id, installed_at, service_point_id, "
                "meter_multiplier, register_modulus_kwh, initial_register_kwh) "
                "select device_id, removed_at, service_point_id, meter_multiplier, "
                "register_modulus_kwh, %s from meter_installation where device_id = %s",
                truth.values["initial_register_kwh"],
                truth.device_id,
            )
