"""What each kind of fault does to one message: sent now, sent later, and the truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.serialiser import stamp
from simulator.truth import Truth

MINUTE_MS = 60_000
LONGEST_LATE_INTERVALS = 240
LONGEST_AHEAD_DAYS = 400

Later = tuple[int, bytes]
Effect = tuple[bytes | None, list[Later], Truth]


@dataclass(frozen=True)
class HitReading:
    """A reading chosen for a fault.

    value: its message as it should have been. bits, run_bits: 64 random bits of the reading
    and of its run. run_place: its place in the run. behind_ms: how far the run's start lies
    after the time at which the stream is sent. mean_kwh: energy of the meter's mean reading.
    multiplier: of the meter.
    """

    value: bytes
    end_ms: int
    interval_ms: int
    bits: int
    run_bits: int = 0
    run_place: int = 0
    behind_ms: int = 0
    mean_kwh: float = 0.0
    multiplier: int = 1

    @property
    def energy_kwh(self) -> float:
        """Energy as it should have been sent."""
        return float(json.loads(self.value)["metrics"]["energy_kwh"])

    def truth(self, kind: str, **sent: Any) -> Truth:
        """The fact that this reading was hit: its true values, and what was sent instead."""
        record = json.loads(self.value)
        values = {"timestamp": record["timestamp"], **record["metrics"], **sent}
        device_id = record["device_id"]
        return Truth(kind, device_id, self.end_ms - self.interval_ms, self.end_ms, values)

    def share(self) -> float:
        """The random bits as a number in [0, 1)."""
        return (self.bits >> 11) * 2.0**-53


def late(hit: HitReading) -> Effect:
    """Send after 3 to 240 intervals instead of now."""
    intervals = int(3 * (LONGEST_LATE_INTERVALS / 3) ** hit.share())
    due_ms = hit.end_ms + intervals * hit.interval_ms
    return None, [(due_ms, hit.value)], hit.truth("late", held_back_s=(due_ms - hit.end_ms) / 1000)


def duplicate(hit: HitReading) -> Effect:
    """Send now, and the same bytes again within three intervals."""
    due_ms = hit.end_ms + hit.bits % 4 * hit.interval_ms
    return hit.value, [(due_ms, hit.value)], hit.truth("duplicate")


def corrected(hit: HitReading) -> Effect:
    """Send a wrong energy now, and the right one within 48 intervals as revision 1."""
    record = json.loads(hit.value)
    energy_kwh = record["metrics"]["energy_kwh"]
    wrong_kwh = round(energy_kwh * (1.2 + hit.share()) + 0.001, 6)
    wrong = record | {"metrics": record["metrics"] | {"energy_kwh": wrong_kwh}}
    right = record | {"message_id": f"{record['message_id']}-r1", "revision": 1}
    due_ms = hit.end_ms + (1 + hit.bits % 48) * hit.interval_ms
    return encode(wrong), [(due_ms, encode(right))], hit.truth("corrected", sent_kwh=wrong_kwh)


def out_of_order(hit: HitReading) -> Effect:
    """Send after the meter's next reading, or the one after it."""
    due_ms = hit.end_ms + (1 + hit.bits % 2) * hit.interval_ms
    return None, [(due_ms, hit.value)], hit.truth("out_of_order")


def malformed_json(hit: HitReading) -> Effect:
    """Send bytes that are no JSON: cut, without a brace, not UTF-8, or an error text."""
    cut = hit.value[: len(hit.value) // 4 + hit.bits % (len(hit.value) // 2)]
    variants = (cut, hit.value[:-1], b"\xff\xfe" + cut, b"ERR 17 no measurement", b"{}}")
    return variants[(hit.bits >> 32) % len(variants)], [], hit.truth("malformed_json")


def wrong_type(hit: HitReading) -> Effect:
    """Send one field with a value of another type, which no cast can fix."""
    record = json.loads(hit.value)
    variants: tuple[tuple[str, Any], ...] = (
        ("energy_kwh", "n/a"),
        ("energy_kwh", True),
        ("voltage", "230V"),
        ("battery_pct", "full"),
        ("timestamp", hit.end_ms),
    )
    field, value = variants[hit.bits % len(variants)]
    target = record if field == "timestamp" else record["metrics"]
    target[field] = value
    return encode(record), [], hit.truth("wrong_type", field=field, sent=value)


def missing_field(hit: HitReading) -> Effect:
    """Send without one of the fields that are always there."""
    record = json.loads(hit.value)
    top = ("device_id", "customer_id", "timestamp", "status", "metrics")
    fields = (*top, "energy_kwh", "voltage", "battery_pct")
    field = fields[hit.bits % len(fields)]
    del (record if field in top else record["metrics"])[field]
    return encode(record), [], hit.truth("missing_field", field=field)


def future_clock(hit: HitReading) -> Effect:
    """Send with the stamp of a clock that runs an hour to 400 days ahead of the sending.

    All readings of a run are ahead by the same time, half an interval off the grid, so that
    no honest reading ever has the same stamp.
    """
    share = (hit.run_bits >> 11) * 2.0**-53
    ahead_ms = hit.behind_ms + 60 * MINUTE_MS * (LONGEST_AHEAD_DAYS * 24) ** share
    intervals = int(ahead_ms // hit.interval_ms) + 1
    sent_ms = hit.end_ms + intervals * hit.interval_ms + hit.interval_ms // 2
    record = json.loads(hit.value) | {"timestamp": stamp(sent_ms)}
    truth = hit.truth("future_clock", sent_timestamp=record["timestamp"])
    return encode(record), [], truth


def silent_meter(hit: HitReading) -> Effect:
    """Send nothing; the register goes on counting."""
    return None, [], hit.truth("silent_meter")


def encode(record: Mapping[str, Any]) -> bytes:
    """A record as the bytes of a message."""
    return json.dumps(record).encode()


MESSAGE_EFFECTS: Mapping[str, Callable[[HitReading], Effect]] = {
    "late": late,
    "duplicate": duplicate,
    "corrected": corrected,
    "out_of_order": out_of_order,
    "malformed_json": malformed_json,
    "wrong_type": wrong_type,
    "missing_field": missing_field,
    "future_clock": future_clock,
    "silent_meter": silent_meter,
}
