"""Small fleets for the tests of the simulator."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np

from simulator.devices import Device, Fleet, build_fleet
from simulator.hashing import Integers
from simulator.load_profiles import DAY_MS
from simulator.simulation import Outgoing

SEED = 8831
HALF_HOUR_MS = 1_800_000
# 2025-12-01, days since 1970: (2025-1970)*365 + 14 leap days + 334 days before December.
DECEMBER = 20_423


def device(
    number: int = 10000,
    *,
    customer_class: str = "household",
    time_zone: str = "UTC",
    transformer: int = 1000,
    multiplier: int = 1,
    digits: int = 6,
) -> Device:
    """A meter, by default of a household with a service of 18.4 kW."""
    return Device(
        device_id=f"MTR-{number}",
        customer_id=f"CUST-{8000 + (number - 10000) // 2}",
        customer_class=customer_class,
        transformer_id=f"TRF-{transformer}",
        time_zone=time_zone,
        meter_multiplier=multiplier,
        nominal_voltage_v=230.0,
        service_size_kw=18.4,
        register_digits=digits,
        installed_at=datetime(2021, 6, 1, tzinfo=UTC),
    )


def fleet(count: int) -> Fleet:
    """Meters in order, five a transformer, every fourth one in trade."""
    devices = [
        device(
            10000 + index,
            customer_class="household" if index % 4 else "trade",
            transformer=1000 + index // 5,
        )
        for index in range(count)
    ]
    return build_fleet(devices, SEED)


def days(first: int, count: int) -> Integers:
    """UTC days in a row."""
    return np.arange(first, first + count, dtype=np.int64)


def ends_of_days(first: int, count: int, interval_ms: int = HALF_HOUR_MS) -> Integers:
    """Ends of intervals from the start of a day (included) for some days."""
    span = np.arange(first * DAY_MS, (first + count) * DAY_MS, interval_ms)
    return span.astype(np.int64)


def truth_lines(chunk: Outgoing) -> list[str]:
    """What is true of a chunk, as lines of a truth file."""
    facts = [json.dumps(truth.record()) + "\n" for truth in chunk.truths]
    return [*facts, *(chunk.slots.lines() if chunk.slots else ())]
