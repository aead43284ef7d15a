"""Recorded half-hourly series: measured UK households, as the opendsm package carries them."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from simulator.devices import Device
from simulator.load_profiles import DAY_MS
from simulator.serialiser import stamp
from simulator.simulation import Outgoing
from simulator.slots import Slots
from simulator.truth import Truth
from stack.base.errors import ConfigurationError

HALF_HOUR_MS = 1_800_000
MICRO_KWH = 1_000_000  # a kWh
WEEK_DAYS = 7
SERIES = (1, 2)
SWAPPED_SERIES = 2  # its file has day and month swapped wherever the day is 12 or less
LAST_MONTH = 12
FOLDER = Path("opendsm") / "eemeter" / "samples"


@dataclass(frozen=True)
class RecordedReading:
    """Energy of one half hour: end_ms is its end, milliseconds since 1970."""

    end_ms: int
    energy_kwh: float


def series_file(samples: Path, series: int) -> Path:
    """The file of a series, below the folder that opendsm was installed into."""
    return samples / FOLDER / f"uk-electricity-hdd-only-hourly-sample-{series}.csv.gz"


def read_series(samples: Path, series: int) -> list[RecordedReading]:
    """All readings as recorded, duplicates and gaps included, in the order of time.

    Stamps are the starts of half hours in UTC; those of the second series are put right. Raises
    ConfigurationError without the file.
    """
    path = series_file(samples, series)
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise ConfigurationError(
            f"the recorded series at {path}",
            str(error),
            "run ./initial-setup.sh, which fetches it, or name its folder with --samples",
        ) from error
    read_start = unswapped if series == SWAPPED_SERIES else datetime.fromisoformat
    readings = [recorded(read_start(row["start"]), row["value"]) for row in rows if row["value"]]
    return sorted(readings, key=lambda reading: reading.end_ms)


def unswapped(text: str) -> datetime:
    """A stamp whose day and month were swapped if both could be a month."""
    written = datetime.fromisoformat(text)
    if written.day > LAST_MONTH:
        return written
    return written.replace(month=written.day, day=written.month)


def recorded(start: datetime, value: str) -> RecordedReading:
    """One row of the file; start: of its half hour, in UTC."""
    start_ms = round(start.replace(tzinfo=UTC).timestamp() * 1000)
    return RecordedReading(start_ms + HALF_HOUR_MS, float(value))


def last_days(readings: Sequence[RecordedReading], days: int) -> list[RecordedReading]:
    """Readings that end within so many days before the end of the last one."""
    last_ms = max(reading.end_ms for reading in readings)
    return [reading for reading in readings if last_ms - days * DAY_MS < reading.end_ms]


def shift_to(readings: Sequence[RecordedReading], now_ms: int, days: int) -> list[RecordedReading]:
    """The series moved by whole weeks to the present: its readings of the days before now.

    Weekdays and times of day stay what they were; what would lie in the future is left out. Of
    the weeks of the recording that could come to lie there, the last one that is no long gap is
    taken: half of its readings at least must be there.
    """
    week_ms = WEEK_DAYS * DAY_MS
    first_ms = min(reading.end_ms for reading in readings)
    last_ms = max(reading.end_ms for reading in readings)
    moved_ms = -((last_ms - now_ms) // week_ms) * week_ms
    while first_ms + moved_ms <= now_ms:
        moved = moved_window(readings, moved_ms, now_ms - days * DAY_MS, now_ms)
        if len(moved) >= days * DAY_MS / HALF_HOUR_MS / 2:
            return moved
        moved_ms += week_ms
    return []


def moved_window(
    readings: Sequence[RecordedReading], moved_ms: int, after_ms: int, through_ms: int
) -> list[RecordedReading]:
    """The readings that end in a span once they are moved."""
    return [
        RecordedReading(reading.end_ms + moved_ms, reading.energy_kwh)
        for reading in readings
        if after_ms < reading.end_ms + moved_ms <= through_ms
    ]


def messages(device: Device, readings: Sequence[RecordedReading], series: int) -> Outgoing:
    """The readings as messages of a device.

    Only energy was recorded: voltage is the nominal one, the battery full, the register
    counts from zero, and shows what its dial would. A stamp that comes twice is sent twice, under
    one message_id if equal.
    """
    keys, values, truths = [], [], []
    register_kwh = 0.0
    counted: set[int] = set()
    for reading in readings:
        if reading.end_ms not in counted:
            register_kwh += reading.energy_kwh
            counted.add(reading.end_ms)
        keys.append(device.device_id.encode())
        values.append(message(device, reading, register_kwh, series))
        start_ms = reading.end_ms - HALF_HOUR_MS
        true = {"energy_kwh": reading.energy_kwh, "series": series}
        truths.append(Truth("recorded", device.device_id, start_ms, reading.end_ms, true))
    last_ms = max((reading.end_ms for reading in readings), default=0)
    return Outgoing(keys, values, [], truths, last_ms, recorded_slots(device, readings))


def recorded_slots(device: Device, readings: Sequence[RecordedReading]) -> Slots:
    """What is true of the recorded half-hours; nothing is known of gaps, nor of outages."""
    energy = {reading.end_ms: round(reading.energy_kwh * MICRO_KWH) for reading in readings}
    ends_ms = sorted(energy)
    return Slots(
        devices=[device],
        end_ms=np.array(ends_ms, dtype=np.int64),
        slot_ms=HALF_HOUR_MS,
        units_a_kwh=MICRO_KWH,
        energy_units=np.array([[energy[end_ms] for end_ms in ends_ms]], dtype=np.int64),
        dark_ms=np.zeros((1, len(ends_ms)), dtype=np.int64),
    )


def message(device: Device, reading: RecordedReading, register_kwh: float, series: int) -> bytes:
    """One reading as a message. register_kwh: all that was used by its end."""
    record = {
        "device_id": device.device_id,
        "customer_id": device.customer_id,
        "timestamp": stamp(reading.end_ms),
        "metrics": {
            "energy_kwh": reading.energy_kwh,
            "voltage": float(device.nominal_voltage_v),
            "battery_pct": 100,
            "register_kwh": round(register_kwh / device.meter_multiplier, 3),
            "interval_s": HALF_HOUR_MS // 1000,
        },
        "status": "OK",
        "message_id": f"{device.device_id}-{reading.end_ms // 1000}-recorded-{series}",
    }
    return json.dumps(record).encode()
