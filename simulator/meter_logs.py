"""Events as the free text that meters log, in the phrasings of log_phrases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import numpy as np

from simulator.devices import Fleet
from simulator.load_profiles import DAY_MS
from simulator.log_phrases import (
    EVENT_LEVELS,
    PHRASINGS,
    SYSLOG_PRIORITIES,
    UNKNOWN_LINES,
    UNKNOWN_WEIGHT,
    Phrasing,
)
from simulator.measurement import LOW_BATTERY_PCT, STATUSES, Conditions, battery_charge
from simulator.meter_events import Event
from simulator.serialiser import stamp
from simulator.truth import Truth

# Volts as a share of nominal, lowest and highest, for what the status shows.
VOLTAGE_RATIOS = {
    "WARN_UNDER_VOLTAGE": (0.84, 0.89),
    "WARN_OVER_VOLTAGE": (1.11, 1.13),
}
NORMAL_RATIOS = (0.97, 1.02)
NO_POWER_EVENTS = ("LAST_GASP", "POWER_FAILURE")


@dataclass(frozen=True)
class LogLine:
    """One message of the log topic. key: the device id where the line holds one."""

    key: bytes | None
    text: str
    truth: Truth


class LogWriter:
    """Writes log lines for the meters of a fleet."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self.seed = seed

    def line(self, event: Event, conditions: Conditions) -> LogLine:
        """The line of an event, which lies on one of the days of `conditions`."""
        device_id = self.fleet.devices[event.device].device_id
        dice = Random(f"{self.seed} {device_id} {event.at_ms} {event.name}")  # noqa: S311
        phrasing = choose_phrasing(dice)
        if phrasing is None:
            return self.labelled(event, "unknown", None, dice.choice(UNKNOWN_LINES))
        fields = self.fields(event, conditions, dice)
        key = fields["device_id"].encode() if phrasing.has_device else None
        text = phrasing.template.format(**fields)
        return self.labelled(event, phrasing.name, key, text, phrasing.has_time)

    def labelled(
        self, event: Event, phrasing: str, key: bytes | None, text: str, has_time: bool = False
    ) -> LogLine:
        """The line with its fact."""
        values: dict[str, Any] = {
            "event": event.name,
            "phrasing": phrasing,
            "has_time": has_time,
            "has_device": key is not None,
            "text": text,
        }
        device_id = self.fleet.devices[event.device].device_id
        return LogLine(key, text, Truth("log_line", device_id, event.at_ms, event.at_ms, values))

    def fields(self, event: Event, conditions: Conditions, dice: Random) -> dict[str, str]:
        """Everything a phrasing may name, as text."""
        device = self.fleet.devices[event.device]
        level = EVENT_LEVELS[event.name]
        battery_pct = self.battery_pct(event)
        status = self.status(event, conditions, battery_pct)
        return {
            "device_id": device.device_id,
            "customer_id": device.customer_id,
            "transformer_id": device.transformer_id,
            "event": event.name,
            "words": event.name.lower().replace("_", " "),
            "level": level,
            "priority": str(SYSLOG_PRIORITIES[level]),
            "time_iso": stamp(event.at_ms),
            "time_plain": plain_time(event.at_ms),
            "status": status,
            "battery_pct": str(battery_pct),
            "voltage_v": f"{self.voltage_v(event, status, dice):.1f}",
            "temperature_c": str(dice.randint(-8, 46)),
            "memory_pct": str(dice.randint(22, 91)),
            "uptime_s": str(self.uptime_s(event, dice)),
            "error_count": str(dice.randint(0, 24)),
            "pid": str(dice.randint(100, 999)),
        }

    def battery_pct(self, event: Event) -> int:
        """Charge as the telemetry shows it at that time."""
        rate = self.fleet.battery_pct_a_year[event.device : event.device + 1]
        age_ms = np.array([event.at_ms - self.fleet.installed_ms[event.device]])
        return int(battery_charge(rate, age_ms)[0])

    def status(self, event: Event, conditions: Conditions, battery_pct: int) -> str:
        """Status as the telemetry shows it at that time, in the order of STATUSES."""
        day = int(np.searchsorted(conditions.load.days, event.at_ms // DAY_MS))
        windows = (conditions.under_voltage, conditions.over_voltage, conditions.tamper)
        holds = [battery_pct < LOW_BATTERY_PCT] + [
            bool(found.start_ms[event.device, day] <= event.at_ms < found.end_ms[event.device, day])
            for found in windows
        ]
        return STATUSES[max(number if hold else 0 for number, hold in enumerate(holds, start=1))]

    def voltage_v(self, event: Event, status: str, dice: Random) -> float:
        """Volts that go with the event and the status."""
        if event.name in NO_POWER_EVENTS:
            return 0.0
        ratio = dice.uniform(*VOLTAGE_RATIOS.get(status, NORMAL_RATIOS))
        return float(self.fleet.nominal_voltage_v[event.device]) * ratio

    def uptime_s(self, event: Event, dice: Random) -> int:
        """Seconds since the meter started: few after power came back."""
        longest = 20 if event.name == "POWER_RETURNED" else 90 * 86_400
        return dice.randint(1, longest)


def choose_phrasing(dice: Random) -> Phrasing | None:
    """A phrasing by weight, or None for a line no pattern knows."""
    weights = [UNKNOWN_WEIGHT, *(phrasing.weight for phrasing in PHRASINGS)]
    return dice.choices((None, *PHRASINGS), weights)[0]


def plain_time(at_ms: int) -> str:
    """A moment as UTC without a zone: 2025-12-09 06:25:40."""
    return datetime.fromtimestamp(at_ms // 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
