"""Recorded series: read as they are or put right, moved by whole weeks."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.recorded import (
    RecordedReading,
    last_days,
    messages,
    read_series,
    series_file,
    shift_to,
)
from stack.base.errors import ConfigurationError
from tests.unit.simulator.builders import device

DAY_MS = 86_400_000
HALF_HOUR_MS = 1_800_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A series with a duplicate, a gap and an empty value."""
    path = series_file(tmp_path, 1)
    path.parent.mkdir(parents=True)
    rows = [
        "start,value",
        "2012-10-19 23:30:00,0.103",
        "2012-10-20 00:00:00,0.113",
        "2012-10-20 00:00:00,0.113",
        "2012-10-20 02:00:00,",
        "2012-10-20 02:30:00,0.087",
    ]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(rows) + "\n")
    return tmp_path


def test_a_stamp_in_the_file_is_the_start_of_its_half_hour(samples: Path) -> None:
    readings = read_series(samples, 1)
    assert readings == [
        RecordedReading(ms("2012-10-20 00:00:00"), 0.103),
        RecordedReading(ms("2012-10-20 00:30:00"), 0.113),
        RecordedReading(ms("2012-10-20 00:30:00"), 0.113),
        RecordedReading(ms("2012-10-20 03:00:00"), 0.087),
    ]


def test_a_stamp_with_day_and_month_swapped_is_put_right(tmp_path: Path) -> None:
    path = series_file(tmp_path, 2)
    path.parent.mkdir(parents=True)
    # 12 January was written 2012-12-01, and 13 January as it is.
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("start,value\n2012-01-13 00:00:00,2\n2012-12-01 23:30:00,1\n")
    assert read_series(tmp_path, 2) == [
        RecordedReading(ms("2012-01-13 00:00:00"), 1.0),
        RecordedReading(ms("2012-01-13 00:30:00"), 2.0),
    ]


def test_the_second_household_has_three_gaps_and_24_equal_duplicates(recordings: Path) -> None:
    # The answers are those of the package's file worked out apart from this project.
    readings = read_series(recordings, 2)
    starts = [reading.end_ms - HALF_HOUR_MS for reading in readings]
    assert (starts[0], starts[-1]) == (ms("2012-02-20 13:00:00"), ms("2014-02-28 00:00:00"))
    assert starts == sorted(starts)
    distinct = sorted(set(starts))
    assert (len(distinct), len(readings)) == (35_444, 35_468)
    assert set(range(distinct[0], distinct[-1], HALF_HOUR_MS)) - set(distinct) == {
        ms("2012-05-25 16:00:00"),
        ms("2013-03-26 21:30:00"),
        ms("2013-05-08 05:30:00"),
    }
    twice = sorted(start for start, count in Counter(starts).items() if count > 1)
    assert len(twice) == 24
    assert twice == list(range(twice[0], twice[-1] + 1, 31 * DAY_MS))
    assert all(start % DAY_MS == 0 for start in twice)
    assert len(set(readings)) == len(distinct)
    assert sum(reading.energy_kwh for reading in set(readings)) == pytest.approx(14_080.862)


def test_a_missing_file_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="sample-2"):
        read_series(tmp_path, 2)


def test_the_series_moves_by_whole_weeks_and_ends_now() -> None:
    start_ms = ms("2014-01-01 00:00:00")
    series = [RecordedReading(start_ms + n * HALF_HOUR_MS, n / 1000) for n in range(48 * 28)]
    now_ms = ms("2025-12-09 06:45:00")
    moved = shift_to(series, now_ms, 7)
    assert len(moved) == 7 * 48
    assert moved[-1].end_ms == ms("2025-12-09 06:30:00")
    original = round(moved[-1].energy_kwh * 1000) * HALF_HOUR_MS + start_ms
    assert (moved[-1].end_ms - original) % (7 * DAY_MS) == 0


def half_hourly(days: int) -> list[RecordedReading]:
    return [RecordedReading(n * HALF_HOUR_MS, 1.0) for n in range(1, days * 48 + 1)]


def test_a_series_that_ends_now_stays_where_it_is() -> None:
    series = half_hourly(days=10)
    assert shift_to(series, 10 * DAY_MS, 3) == series[-3 * 48 :]


def test_a_week_that_was_a_gap_is_not_replayed_but_the_one_before_it() -> None:
    series = half_hourly(days=28)
    with_gap = [reading for reading in series if not 20 < reading.end_ms / DAY_MS <= 28]
    moved = shift_to(with_gap, 28 * DAY_MS, 3)
    assert moved == [
        RecordedReading(reading.end_ms + 14 * DAY_MS, 1.0) for reading in series[11 * 48 : 14 * 48]
    ]


def test_a_series_of_gaps_only_gives_nothing() -> None:
    assert shift_to([RecordedReading(DAY_MS, 1.0)], 2 * DAY_MS, 7) == []


def test_the_last_days_are_counted_from_the_last_reading() -> None:
    series = [RecordedReading(n * DAY_MS // 2, 1.0) for n in range(1, 21)]
    assert last_days(series, 3) == series[-6:]


def test_a_register_behind_transformers_shows_a_part_of_the_energy(samples: Path) -> None:
    # 0.103, 0.216 and 0.303 kWh in all; the dial moves by a twentieth of it.
    chunk = messages(device(10008, multiplier=20), read_series(samples, 1), 1)
    shown = [json.loads(value)["metrics"] for value in chunk.values]
    assert [metrics["register_kwh"] for metrics in shown] == [0.005, 0.011, 0.011, 0.015]
    assert [metrics["energy_kwh"] for metrics in shown] == [0.103, 0.113, 0.113, 0.087]


def test_messages_are_telemetry_with_a_register_that_counts_each_half_hour_once(
    samples: Path,
) -> None:
    chunk = messages(device(10008), read_series(samples, 1), 1)
    records = [json.loads(value) for value in chunk.values]
    assert chunk.keys == [b"MTR-10008"] * 4
    assert chunk.values[1] == chunk.values[2]
    assert records[0] == {
        "device_id": "MTR-10008",
        "customer_id": "CUST-8004",
        "timestamp": "2012-10-20T00:00:00Z",
        "metrics": {
            "energy_kwh": 0.103,
            "voltage": 230.0,
            "battery_pct": 100,
            "register_kwh": 0.103,
            "interval_s": 1800,
        },
        "status": "OK",
        "message_id": "MTR-10008-1350691200-recorded-1",
    }
    assert [record["metrics"]["register_kwh"] for record in records] == [
        0.103,
        0.216,
        0.216,
        0.303,
    ]
    assert [truth.kind for truth in chunk.truths] == ["recorded"] * 4


def test_the_truth_of_a_recorded_half_hour_is_there_once(samples: Path) -> None:
    slots = messages(device(10008), read_series(samples, 1), 1).slots
    assert slots is not None
    facts = [json.loads(line) for line in slots.lines()]
    assert [(fact["from"], fact["to"], fact["true"]) for fact in facts] == [
        ("2012-10-19T23:30:00Z", "2012-10-20T00:00:00Z", {"kwh": 0.103, "dark_s": 0}),
        ("2012-10-20T00:00:00Z", "2012-10-20T00:30:00Z", {"kwh": 0.113, "dark_s": 0}),
        ("2012-10-20T02:30:00Z", "2012-10-20T03:00:00Z", {"kwh": 0.087, "dark_s": 0}),
    ]
