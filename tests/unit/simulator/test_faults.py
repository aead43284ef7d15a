"""Which readings are hit, and the order of what is sent."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from simulator.devices import build_fleet
from simulator.faults import (
    FAULT_KINDS,
    READING_KINDS,
    RUN_LENGTHS,
    FaultInjector,
    FaultPlan,
    parse_faults,
)
from simulator.hashing import Integers, text_keys
from stack.base.errors import ConfigurationError
from tests.unit.simulator.builders import device

INTERVAL_MS = 1_800_000
KEYS = text_keys(tuple(f"MTR-{number}" for number in range(100)))
METER = build_fleet([device(0)], 3)
ENDS = np.arange(1, 401, dtype=np.int64) * INTERVAL_MS


def message(end_ms: int) -> bytes:
    metrics = {"energy_kwh": 1.0, "voltage": 230.0, "battery_pct": 50}
    record = {
        "device_id": "MTR-0",
        "customer_id": "CUST-8000",
        "timestamp": str(end_ms),
        "metrics": metrics,
        "status": "OK",
        "message_id": f"MTR-0-{end_ms}",
    }
    return json.dumps(record).encode()


def test_rates_are_read_by_kind() -> None:
    assert parse_faults("late=0.01,duplicate=0.02") == {"late": 0.01, "duplicate": 0.02}
    assert parse_faults("") == {}


# What the demo and the seeded week send, whose sums the models hold.
MESSAGE_KINDS = (
    "late",
    "duplicate",
    "corrected",
    "out_of_order",
    "malformed_json",
    "wrong_type",
    "missing_field",
    "silent_meter",
    "future_clock",
)


def test_all_sets_every_kind_that_the_models_handle_and_later_parts_override() -> None:
    rates = parse_faults("all=0.01,late=0")
    assert set(rates) == set(MESSAGE_KINDS)
    assert rates["late"] == 0.0
    assert rates["duplicate"] == 0.01


def test_metering_sets_the_other_kinds() -> None:
    rates = parse_faults("metering=0.01")
    assert set(rates) == set(FAULT_KINDS) - set(MESSAGE_KINDS)
    assert set(rates.values()) == {0.01}


@pytest.mark.parametrize("text", ["foo=0.1", "late", "late=x", "late=-0.1", "late=1.1", "all=0.5"])
def test_bad_rates_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--faults"):
        parse_faults(text)


@pytest.mark.parametrize("kind", READING_KINDS)
def test_a_rate_is_the_share_of_readings_hit(kind: str) -> None:
    codes = FaultPlan(1, INTERVAL_MS, {kind: 0.05}).codes(KEYS, ENDS)
    share = (codes == 1 + READING_KINDS.index(kind)).mean()
    assert set(np.unique(codes).tolist()) == {0, 1 + READING_KINDS.index(kind)}
    # 40,000 readings in runs, each hit with a chance of 5 percent: four standard deviations.
    runs = codes.size / RUN_LENGTHS.get(kind, 1)
    assert abs(share - 0.05) < 4 * math.sqrt(0.05 * 0.95 / runs)


def test_silence_lasts_for_a_run_of_readings() -> None:
    codes = FaultPlan(1, INTERVAL_MS, {"silent_meter": 0.02}).codes(KEYS, ENDS)
    is_silent = codes != 0
    starts = (is_silent[:, 1:] & ~is_silent[:, :-1]).sum()
    assert 6.5 < is_silent.sum() / starts < 10


def test_no_rates_hit_nothing() -> None:
    assert not FaultPlan(1, INTERVAL_MS, {}).codes(KEYS, ENDS).any()


def send(rates: dict[str, float], chunks: int) -> tuple[list[bytes], list[bytes]]:
    """Messages of one meter in so many chunks: in chunks, and released at the end."""
    injector = FaultInjector(FaultPlan(3, INTERVAL_MS, rates), METER)
    sent: list[bytes] = []
    for ends in np.split(ENDS, chunks):
        codes = injector.codes(ends)[0]
        sent += apply(injector, ends, codes)
    return sent, injector.release().values


def apply(injector: FaultInjector, ends: Integers, codes: np.ndarray) -> list[bytes]:
    devices = np.zeros(len(ends), dtype=np.intp)
    values = [message(end_ms) for end_ms in ends.tolist()]
    return injector.apply(ends, devices, codes, [b"MTR-0"] * len(ends), values).values


def test_late_and_disordered_messages_are_all_sent_once() -> None:
    sent, released = send({"late": 0.1, "out_of_order": 0.1}, 4)
    expected = [message(end_ms) for end_ms in ENDS.tolist()]
    assert sent + released != expected
    assert sorted(sent + released) == sorted(expected)


def test_duplicates_add_messages_and_silence_takes_them() -> None:
    duplicated, rest = send({"duplicate": 0.2}, 1)
    silent, nothing = send({"silent_meter": 0.2}, 1)
    assert len(duplicated) + len(rest) > 440
    assert len(set(duplicated + rest)) == 400
    assert len(silent) < 370
    assert nothing == []


def test_the_order_does_not_depend_on_chunks() -> None:
    rates = {"late": 0.1, "out_of_order": 0.1, "duplicate": 0.1}
    assert send(rates, 1) == send(rates, 20)


def test_a_message_held_back_comes_behind_those_of_its_due_time() -> None:
    injector = FaultInjector(FaultPlan(3, INTERVAL_MS, {}), METER)
    out_of_order = 1 + READING_KINDS.index("out_of_order")
    codes = np.array([0, out_of_order, 0, 0, 0], dtype=np.int8)
    sent = apply(injector, ENDS[:5], codes)
    place = sent.index(message(int(ENDS[1])))
    # One or two intervals later: after the third or the fourth message.
    assert place in (2, 3)
    assert [m for m in sent if m != sent[place]] == [message(int(ENDS[i])) for i in (0, 2, 3, 4)]


def test_the_first_reading_of_a_run_is_reported() -> None:
    injector = FaultInjector(FaultPlan(3, INTERVAL_MS, {"silent_meter": 0.1}), METER)
    codes = injector.codes(ENDS)[0]
    devices = np.zeros(len(ENDS), dtype=np.intp)
    values = [message(end_ms) for end_ms in ENDS.tolist()]
    faulted = injector.apply(ENDS, devices, codes, [b"MTR-0"] * len(ENDS), values)
    starts = [end_ms for _, _, end_ms in faulted.run_starts]
    silent = {int(end_ms) for end_ms in ENDS[codes != 0]}
    assert starts
    for end_ms in starts:
        assert {end_ms + step * INTERVAL_MS for step in range(8)} & set(ENDS.tolist()) <= silent


def test_a_multiplier_is_missed_only_where_there_is_one() -> None:
    meters = build_fleet([device(0), device(1, multiplier=20)], 3)
    codes = FaultInjector(FaultPlan(3, INTERVAL_MS, {"multiplier_missed": 1.0}), meters).codes(ENDS)
    assert not codes[0].any()
    assert codes[1].all()


def test_an_export_has_a_wrong_sign_only_where_there_is_one() -> None:
    meters = build_fleet([device(0), device(1)], 3)
    plan = FaultPlan(3, INTERVAL_MS, {"export_sign": 1.0})
    codes = FaultInjector(plan, meters, exporting=np.array([1])).codes(ENDS)
    assert not codes[0].any()
    assert codes[1].all()
