"""What faults of the metering do to a message: energy, length and version that are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from simulator.fault_effects import Effect, HitReading, encode
from simulator.serialiser import seconds, stamp

P99_OF_MEAN = 4.8  # a meter's 99th percentile of half-hours, in mean half-hours
WATT_HOURS = 1000
LEAST_FLAT_KWH = 0.05


def negative(hit: HitReading) -> Effect:
    """Send the energy with a minus, and one watt hour more so that it is never zero."""
    return changed(hit, "negative", -round(hit.energy_kwh + 0.001, 6))


def spike(hit: HitReading) -> Effect:
    """Send 4 to 10 times the highest percent of the meter's readings."""
    return changed(
        hit, "spike", round(hit.mean_kwh * P99_OF_MEAN * (4 + 6 * hit.share()) + 0.001, 3)
    )


def zero_run(hit: HitReading) -> Effect:
    """Send no energy; the register goes on counting."""
    return changed(hit, "zero_run", 0.0)


def flat_run(hit: HitReading) -> Effect:
    """Send the same energy throughout a run: 0.3 to 1.7 mean readings, to the watt hour."""
    share = (hit.run_bits >> 11) * 2.0**-53
    flat_kwh = max(hit.mean_kwh * (0.3 + 1.4 * share), LEAST_FLAT_KWH)
    # An odd number of watt hours: three decimals, as rules for equal readings ask for.
    return changed(hit, "flat_run", (int(flat_kwh * WATT_HOURS / 2) * 2 + 1) / WATT_HOURS)


def wh_as_kwh(hit: HitReading) -> Effect:
    """Send watt hours where kWh are meant."""
    return changed(hit, "wh_as_kwh", round(hit.energy_kwh * WATT_HOURS, 3))


def multiplier_missed(hit: HitReading) -> Effect:
    """Send what the dial counted, without the multiplier of the meter's transformers."""
    return changed(hit, "multiplier_missed", round(hit.energy_kwh / hit.multiplier, 6))


def stale_revision(hit: HitReading) -> Effect:
    """Send a wrong energy, later the right one as revision 1, and then the first one again."""
    record = json.loads(hit.value)
    wrong_kwh = round(hit.energy_kwh * (1.2 + hit.share()) + 0.001, 6)
    wrong = encode(with_metrics(record, energy_kwh=wrong_kwh))
    right = encode(record | {"message_id": f"{record['message_id']}-r1", "revision": 1})
    corrected_ms = hit.end_ms + (1 + hit.bits % 24) * hit.interval_ms
    stale_ms = corrected_ms + (1 + (hit.bits >> 8) % 24) * hit.interval_ms
    later = [(corrected_ms, right), (stale_ms, wrong)]
    return wrong, later, hit.truth("stale_revision", sent_kwh=wrong_kwh)


def estimated_then_actual(hit: HitReading) -> Effect:
    """Send an estimate as quality E, within 48 intervals the actual reading as quality A."""
    record = json.loads(hit.value)
    estimate_kwh = round(hit.energy_kwh * (0.5 + hit.share()) + 0.001, 3)
    estimate = with_metrics(record, energy_kwh=estimate_kwh) | {"quality": "E"}
    actual = record | {"message_id": f"{record['message_id']}-a", "quality": "A"}
    due_ms = hit.end_ms + (1 + hit.bits % 48) * hit.interval_ms
    truth = hit.truth("estimated_then_actual", sent_kwh=estimate_kwh)
    return encode(estimate), [(due_ms, encode(actual))], truth


def overlap(hit: HitReading) -> Effect:
    """Send the reading, and another one of its first half, with half of the energy."""
    record = json.loads(hit.value)
    half_ms = hit.interval_ms // 2
    half_kwh = round(hit.energy_kwh / 2, 3)
    half_s = json.loads(seconds(half_ms))
    metrics = record["metrics"] | {"energy_kwh": half_kwh, "interval_s": half_s}
    for name in ("register_kwh", "export_kwh", "register_export_kwh"):
        metrics.pop(name, None)
    half = record | {
        "timestamp": stamp(hit.end_ms - half_ms),
        "metrics": metrics,
        "message_id": f"{record['message_id']}-half",
    }
    truth = hit.truth("overlap", sent_timestamp=half["timestamp"], sent_kwh=half_kwh)
    return hit.value, [(hit.end_ms, encode(half))], truth


def export_sign(hit: HitReading) -> Effect:
    """Send the export with a minus, and one watt hour more so that it is never zero."""
    record = json.loads(hit.value)
    sent_kwh = -round(record["metrics"].get("export_kwh", 0.0) + 0.001, 6)
    sent = with_metrics(record, export_kwh=sent_kwh)
    return encode(sent), [], hit.truth("export_sign", sent_export_kwh=sent_kwh)


def changed(hit: HitReading, kind: str, sent_kwh: float) -> Effect:
    """Send another energy; the register stays what it is."""
    sent = with_metrics(json.loads(hit.value), energy_kwh=sent_kwh)
    return encode(sent), [], hit.truth(kind, sent_kwh=sent_kwh)


def with_metrics(record: Mapping[str, Any], **metrics: Any) -> dict[str, Any]:
    """The record with other metrics."""
    return {**record, "metrics": record["metrics"] | metrics}


METERING_EFFECTS: Mapping[str, Callable[[HitReading], Effect]] = {
    "zero_run": zero_run,
    "flat_run": flat_run,
    "wh_as_kwh": wh_as_kwh,
    "multiplier_missed": multiplier_missed,
    "negative": negative,
    "spike": spike,
    "stale_revision": stale_revision,
    "estimated_then_actual": estimated_then_actual,
    "overlap": overlap,
    "export_sign": export_sign,
}
