"""Events that meters notice: from the episodes of the telemetry, and a few of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.devices import Fleet
from simulator.episodes import Windows
from simulator.hashing import Integers, draw, uniform
from simulator.load_profiles import DAY_MS
from simulator.measurement import (
    LOW_BATTERY_PCT,
    YEAR_MS,
    Conditions,
    battery_charge,
    battery_life_years,
)
from simulator.truth import Truth

# Events without an episode behind them, and their chance on a meter's day.
BACKGROUND_EVENTS = {
    "WATCHDOG_ERROR": 0.010,
    "FAILED_LOGIN_ATTEMPT": 0.004,
    "PHASE_OUTAGE": 0.002,
    "FIRMWARE_UPDATED": 0.002,
}
TAMPER_EVENTS = ("TERMINAL_COVER_REMOVED", "METER_COVER_REMOVED", "STRONG_DC_FIELD_DETECTED")
REPLACE_BATTERY_PCT = 18
REMINDER_DAYS = 7


@dataclass(frozen=True, order=True)
class Event:
    """One event of one meter. device: index in the fleet; at_ms: whole seconds."""

    at_ms: int
    device: int
    name: str


def day_events(fleet: Fleet, conditions: Conditions, seed: int) -> list[Event]:
    """All events of the days of `conditions`, by time."""
    days = conditions.load.days
    return sorted(
        [
            *outage_events(conditions.load.outages),
            *start_events("UNDER_VOLTAGE", conditions.under_voltage),
            *sag_events(conditions.under_voltage),
            *start_events("VOLTAGE_SWELL", conditions.over_voltage),
            *tamper_events(conditions.tamper),
            *battery_events(fleet, days, seed),
            *background_events(fleet, days, seed),
        ]
    )


def episodes_of(windows: Windows) -> Iterator[tuple[int, int, int]]:
    """(device, start_ms, end_ms) of every episode."""
    for device, day in np.argwhere(windows.end_ms).tolist():
        yield device, int(windows.start_ms[device, day]), int(windows.end_ms[device, day])


def outage_events(outages: Windows) -> Iterator[Event]:
    """A last gasp or a power failure when power goes, and always its return.

    The capacitor of every third meter is too weak for a last gasp; it reports the failure.
    """
    for device, start_ms, end_ms in episodes_of(outages):
        yield Event(start_ms, device, "LAST_GASP" if device % 3 else "POWER_FAILURE")
        yield Event(end_ms, device, "POWER_RETURNED")


def start_events(name: str, windows: Windows) -> Iterator[Event]:
    """The event at the start of each episode."""
    for device, start_ms, _ in episodes_of(windows):
        yield Event(start_ms, device, name)


def sag_events(under_voltage: Windows) -> Iterator[Event]:
    """A sag in the middle of every other spell of under-voltage."""
    for device, start_ms, end_ms in episodes_of(under_voltage):
        if start_ms // 1000 % 2:
            yield Event((start_ms + end_ms) // 2000 * 1000, device, "VOLTAGE_SAG")


def tamper_events(tamper: Windows) -> Iterator[Event]:
    """What was done to the meter, at the start of the episode."""
    for device, start_ms, _ in episodes_of(tamper):
        name = TAMPER_EVENTS[start_ms // 1000 % len(TAMPER_EVENTS)]
        yield Event(start_ms, device, name)


def battery_events(fleet: Fleet, days: Integers, seed: int) -> Iterator[Event]:
    """A reminder a week from every meter with a low battery, more urgent below 18 %."""
    place = uniform(draw(seed, "battery reminder", fleet.keys))
    at_ms = days * DAY_MS + (place * DAY_MS).astype(np.int64)[:, None] // 1000 * 1000
    charge = battery_charge(fleet.battery_pct_a_year[:, None], at_ms - fleet.installed_ms[:, None])
    weekday = (draw(seed, "battery weekday", fleet.keys) % np.uint64(7)).astype(np.int64)
    is_due = (charge < LOW_BATTERY_PCT) & (days % REMINDER_DAYS == weekday[:, None])
    for device, day in np.argwhere(is_due).tolist():
        is_urgent = charge[device, day] < REPLACE_BATTERY_PCT
        name = "REPLACE_BATTERY" if is_urgent else "BATTERY_VOLTAGE_LOW"
        yield Event(int(at_ms[device, day]), device, name)


def background_events(fleet: Fleet, days: Integers, seed: int) -> Iterator[Event]:
    """Events that come now and then."""
    for name, chance in BACKGROUND_EVENTS.items():
        bits = draw(seed, name, fleet.keys[:, None], days)
        place = uniform(bits)
        for device, day in np.argwhere(place < chance).tolist():
            second = int(place[device, day] / chance * 86_400)
            yield Event(int(days[day]) * DAY_MS + second * 1000, device, name)


def episode_truths(fleet: Fleet, conditions: Conditions) -> list[Truth]:
    """The episodes of the days, as facts, by time."""
    kinds = {
        "outage": conditions.load.outages,
        "under_voltage": conditions.under_voltage,
        "over_voltage": conditions.over_voltage,
        "tamper": conditions.tamper,
    }
    truths = [
        Truth(
            kind,
            fleet.devices[device].device_id,
            start_ms,
            end_ms,
            {"transformer_id": fleet.devices[device].transformer_id},
        )
        for kind, windows in kinds.items()
        for device, start_ms, end_ms in episodes_of(windows)
    ]
    return sorted(truths, key=lambda truth: (truth.from_ms, truth.kind, truth.device_id or ""))


def low_battery_truths(fleet: Fleet, from_ms: int, to_ms: int) -> list[Truth]:
    """Spells of low battery that overlap a span of less than a battery's life."""
    life_years = battery_life_years(fleet.battery_pct_a_year)
    low_years = (100 - LOW_BATTERY_PCT) / fleet.battery_pct_a_year
    lives = np.maximum(to_ms - fleet.installed_ms, 0) / YEAR_MS // life_years
    truths = []
    for back in (1, 0):
        life = lives - back
        starts = fleet.installed_ms + (life * life_years + low_years) * YEAR_MS
        ends = fleet.installed_ms + (life + 1) * life_years * YEAR_MS
        for device in np.flatnonzero((life >= 0) & (starts < to_ms) & (ends > from_ms)).tolist():
            span = int(starts[device]) // 1000 * 1000, int(ends[device]) // 1000 * 1000
            truths.append(Truth("low_battery", fleet.devices[device].device_id, *span))
    return truths
