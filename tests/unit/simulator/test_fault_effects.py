"""Effects of faults on one message."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from simulator.fault_effects import HitReading
from simulator.faults import EFFECTS, READING_KINDS

END_MS = 1_764_547_200_000  # 2025-12-01T00:00:00Z
INTERVAL_MS = 1_800_000
DAY_MS = 86_400_000
RECORD: dict[str, Any] = {
    "device_id": "MTR-10000",
    "customer_id": "CUST-8000",
    "timestamp": "2025-12-01T00:00:00Z",
    "metrics": {
        "energy_kwh": 0.42,
        "voltage": 229.6,
        "battery_pct": 78,
        "register_kwh": 5000.5,
        "interval_s": 1800,
    },
    "status": "OK",
    "message_id": "MTR-10000-1764547200",
}
VALUE = json.dumps(RECORD).encode()
MANY_BITS = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1, 60)]


def hit(bits: int = MANY_BITS[0], behind_ms: int = 0) -> HitReading:
    return HitReading(VALUE, END_MS, INTERVAL_MS, bits, run_bits=bits, behind_ms=behind_ms)


def is_valid(value: bytes) -> bool:
    try:
        return isinstance(json.loads(value), dict)
    except ValueError:
        return False


def test_every_kind_has_an_effect() -> None:
    assert set(EFFECTS) == set(READING_KINDS)


@pytest.mark.parametrize("kind", READING_KINDS)
def test_the_truth_names_the_reading_and_its_true_values(kind: str) -> None:
    _, _, truth = EFFECTS[kind](hit())
    record = truth.record()
    assert (record["kind"], record["device_id"]) == (kind, "MTR-10000")
    assert (record["from"], record["to"]) == ("2025-11-30T23:30:00Z", "2025-12-01T00:00:00Z")
    assert record["true"]["energy_kwh"] == 0.42
    assert record["true"]["timestamp"] == "2025-12-01T00:00:00Z"


@pytest.mark.parametrize(("kind", "fewest", "most"), [("late", 3, 240), ("out_of_order", 1, 2)])
def test_held_back_messages_come_unchanged_within_their_time(
    kind: str, fewest: int, most: int
) -> None:
    for bits in MANY_BITS:
        now, [(due_ms, value)], _ = EFFECTS[kind](hit(bits))
        assert now is None
        assert value == VALUE
        assert fewest <= (due_ms - END_MS) / INTERVAL_MS <= most


def test_a_duplicate_is_the_same_bytes_twice() -> None:
    now, [(due_ms, again)], _ = EFFECTS["duplicate"](hit())
    assert now == again == VALUE
    assert due_ms >= END_MS


def test_a_correction_brings_the_true_energy_later() -> None:
    for bits in MANY_BITS:
        now, [(due_ms, later)], truth = EFFECTS["corrected"](hit(bits))
        wrong, right = json.loads(now or b""), json.loads(later)
        assert wrong["metrics"]["energy_kwh"] != 0.42
        assert wrong["metrics"]["energy_kwh"] == truth.values["sent_kwh"]
        assert right["metrics"] == RECORD["metrics"]
        assert right["timestamp"] == wrong["timestamp"] == RECORD["timestamp"]
        assert right["revision"] == 1
        assert right["message_id"] != wrong["message_id"]
        assert due_ms > END_MS


def test_a_corrected_zero_is_wrong_before() -> None:
    record = RECORD | {"metrics": RECORD["metrics"] | {"energy_kwh": 0.0}}
    reading = HitReading(json.dumps(record).encode(), END_MS, INTERVAL_MS, 12345)
    now, _, _ = EFFECTS["corrected"](reading)
    assert json.loads(now or b"")["metrics"]["energy_kwh"] > 0


def test_malformed_messages_are_no_json_objects() -> None:
    for bits in MANY_BITS:
        now, later, _ = EFFECTS["malformed_json"](hit(bits))
        assert now
        assert not is_valid(now)
        assert later == []


def test_a_wrong_type_is_in_one_field_only() -> None:
    for bits in MANY_BITS:
        now, _, truth = EFFECTS["wrong_type"](hit(bits))
        record = json.loads(now or b"")
        flat, true = record | record["metrics"], RECORD | RECORD["metrics"]
        changed = {name for name in true if flat[name] != true[name]} - {"metrics"}
        assert changed == {truth.values["field"]}
        [field] = changed
        assert type(flat[field]) is not type(true[field])


def test_a_missing_field_is_one_that_is_always_there() -> None:
    missing = set()
    for bits in MANY_BITS:
        now, _, truth = EFFECTS["missing_field"](hit(bits))
        record = json.loads(now or b"")
        field = truth.values["field"]
        missing.add(field)
        assert field not in record
        assert field not in record.get("metrics", {})
    fields = {"device_id", "customer_id", "timestamp", "status", "metrics"}
    assert missing == fields | {"energy_kwh", "voltage", "battery_pct"}


def test_a_clock_ahead_is_ahead_of_the_sending_and_off_the_grid() -> None:
    behind_ms = 30 * DAY_MS
    for bits in MANY_BITS:
        now, _, _ = EFFECTS["future_clock"](hit(bits, behind_ms))
        moment = datetime.fromisoformat(json.loads(now or b"")["timestamp"])
        ahead_ms = moment.timestamp() * 1000 - END_MS - behind_ms
        assert 3_600_000 <= ahead_ms <= 401 * DAY_MS
        assert ahead_ms % INTERVAL_MS == INTERVAL_MS / 2


def test_a_silent_meter_sends_nothing() -> None:
    assert EFFECTS["silent_meter"](hit())[:2] == (None, [])
