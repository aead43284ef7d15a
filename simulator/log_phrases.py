"""The phrasings in which meters write their fault logs; data only, no behaviour.

A log line is one of PHRASINGS filled in, or one of UNKNOWN_LINES as it stands. What a reader
of the lines may rely on:

- `{event}` is a name of EVENT_LEVELS; `{words}` is that name in lower case with blanks for
  underscores ("replace battery").
- `{time_iso}` is UTC as 2025-12-09T06:25:40Z, `{time_plain}` UTC as 2025-12-09 06:25:40.
- `{level}` is CRITICAL, ERROR, WARN or INFO; `{priority}` is the syslog number of facility 16
  (local0) and that level: 130, 131, 132 or 134.
- `{device_id}` is like MTR-10000, `{customer_id}` like CUST-8000, `{transformer_id}` like
  TRF-1000.
- `{status}` is the status the telemetry shows at that moment: OK or WARN_....
- `{battery_pct}`, `{memory_pct}`, `{uptime_s}`, `{error_count}` and `{pid}` are whole numbers,
  `{temperature_c}` is a whole number that may be negative, `{voltage_v}` has one decimal.

A phrasing without a time or without a device id leaves it out on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Phrasing:
    """One way to write an event.

    name: how the truth file calls it. template: for str.format. weight: relative frequency.
    """

    name: str
    template: str
    weight: int

    @property
    def has_time(self) -> bool:
        """Whether the line says when the event was."""
        return "{time_" in self.template

    @property
    def has_device(self) -> bool:
        """Whether the line says which meter it was."""
        return "{device_id}" in self.template


PHRASINGS: tuple[Phrasing, ...] = (
    Phrasing(
        "syslog",
        "<{priority}>1 {time_iso} {device_id} meterd {pid} {event} - status={status} "
        "battery={battery_pct}% voltage={voltage_v}V temp={temperature_c}C errors={error_count}",
        30,
    ),
    Phrasing(
        "key_value",
        "time={time_iso} level={level} device={device_id} customer={customer_id} event={event} "
        "status={status} battery_pct={battery_pct} voltage_v={voltage_v} "
        "temperature_c={temperature_c} memory_pct={memory_pct} uptime_s={uptime_s} "
        "error_count={error_count}",
        30,
    ),
    Phrasing(
        "key_value_no_time",
        "level={level} device={device_id} event={event} battery_pct={battery_pct} "
        "voltage_v={voltage_v} uptime_s={uptime_s}",
        6,
    ),
    Phrasing(
        "key_value_no_device",
        "time={time_iso} level={level} event={event} transformer={transformer_id} "
        "error_count={error_count}",
        3,
    ),
    Phrasing(
        "bracket",
        "[{time_plain} UTC] {level} {device_id}/{customer_id}: {words} (battery {battery_pct} %, "
        "{voltage_v} V, {temperature_c} C, memory {memory_pct} %, up {uptime_s} s, "
        "{error_count} errors)",
        15,
    ),
    Phrasing(
        "prose",
        "Meter {device_id} of customer {customer_id} reports {words} at {time_iso}; battery "
        "{battery_pct} percent, voltage {voltage_v} volts, {error_count} errors since start.",
        8,
    ),
    Phrasing(
        "prose_no_time",
        "{level}: {words} on meter {device_id}, battery at {battery_pct} %, {voltage_v} V. "
        "Please check.",
        4,
    ),
    Phrasing(
        "prose_no_device",
        "{level}: {words} seen at {time_plain} UTC, meter number not readable, battery "
        "{battery_pct} %, {voltage_v} V.",
        2,
    ),
)

# Share of an event's lines that are replaced by noise no pattern knows.
UNKNOWN_WEIGHT = 2
UNKNOWN_LINES: tuple[str, ...] = (
    "boot rom 2.11 ...... crc ok, 0x3f 0x00 0x9c",
    "~~~ modem hello after rain ~~~",
    "stack dump follows 7fd0 7fd4 7fd8 0000",
    "???",
)

EVENT_LEVELS: Mapping[str, str] = {
    "POWER_FAILURE": "ERROR",
    "POWER_RETURNED": "INFO",
    "LAST_GASP": "CRITICAL",
    "CLOCK_INVALID": "WARN",
    "REPLACE_BATTERY": "ERROR",
    "BATTERY_VOLTAGE_LOW": "WARN",
    "WATCHDOG_ERROR": "ERROR",
    "TERMINAL_COVER_REMOVED": "CRITICAL",
    "METER_COVER_REMOVED": "CRITICAL",
    "STRONG_DC_FIELD_DETECTED": "CRITICAL",
    "FAILED_LOGIN_ATTEMPT": "WARN",
    "UNDER_VOLTAGE": "WARN",
    "PHASE_OUTAGE": "ERROR",
    "VOLTAGE_SAG": "WARN",
    "VOLTAGE_SWELL": "WARN",
    "COMMUNICATION_LOST": "WARN",
    "FIRMWARE_UPDATED": "INFO",
}

SYSLOG_PRIORITIES: Mapping[str, int] = {"CRITICAL": 130, "ERROR": 131, "WARN": 132, "INFO": 134}
