"""Measure the simulator: readings a second and cpu-seconds a million, step by step.

Run as `python -m benchmarks.simulator`. The steps: a plain loop that builds a dictionary and
calls json.dumps for each reading; the simulator's generation; generation and delivery to
Kafka, into a topic made for this run and deleted afterwards.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from benchmarks import figures
from benchmarks.figures import Figure, Report
from simulator.clock import by_days, interval_ends
from simulator.delivery import Delivery, connect
from simulator.devices import Device, build_fleet
from simulator.fleet import FleetPlan, customers, meters
from simulator.hashing import Integers
from simulator.load_profiles import DAY_MS
from simulator.serialiser import stamp
from simulator.simulation import Simulation
from stack.base.settings import Settings
from stack.clients.kafka import ADMIN, client_options, connection

INTERVAL_MS = 1_800_000
START_MS = round(datetime(2025, 11, 1, tzinfo=UTC).timestamp() * 1000)
PARTITIONS = 6
TOPIC_SECONDS = 30.0
CHECKED_MESSAGES = 1000


@dataclass(frozen=True)
class Cost:
    """What a step took. readings: made or delivered; seconds: wall; cpu_seconds: process."""

    readings: int
    seconds: float
    cpu_seconds: float

    @property
    def cpu_per_reading(self) -> float:
        """Seconds of the processor for one reading."""
        return self.cpu_seconds / self.readings


def measured(work: Callable[[], int]) -> Cost:
    """The cost of work that returns its number of readings."""
    wall, cpu = time.perf_counter(), time.process_time()
    readings = work()
    return Cost(readings, time.perf_counter() - wall, time.process_time() - cpu)


def sample_devices(count: int, seed: int) -> list[Device]:
    """A fleet as the master data would hold it, without a database."""
    plan = FleetPlan(seed, count, max(1, count // 2), "UTC")
    classes = {owner.customer_id: owner.customer_class for owner in customers(plan)}
    return [
        Device(
            meter.device_id,
            meter.customer_id,
            classes[meter.customer_id],
            meter.transformer_id,
            meter.time_zone,
            meter.meter_multiplier,
            meter.nominal_voltage_v,
            meter.service_size_kw,
            meter.register_digits,
            meter.installed_at,
        )
        for meter in meters(plan)
    ]


def plain_loop(devices: Sequence[Device], ends_ms: Integers) -> Iterator[bytes]:
    """The straightforward simulator: the same fields, one dictionary a reading."""
    dice = random.Random(1)  # noqa: S311
    registers = {device.device_id: dice.uniform(0, 99_999) for device in devices}
    for end_ms in ends_ms.tolist():
        hour = end_ms // 3_600_000 % 24
        timestamp = stamp(end_ms)
        for device in devices:
            energy_kwh = round(abs(dice.gauss(0.15 + 0.02 * hour, 0.05)), 3)
            registers[device.device_id] += energy_kwh
            record = {
                "device_id": device.device_id,
                "customer_id": device.customer_id,
                "timestamp": timestamp,
                "metrics": {
                    "energy_kwh": energy_kwh,
                    "voltage": round(dice.gauss(231.0, 2.0) - energy_kwh, 1),
                    "battery_pct": 78,
                    "register_kwh": round(registers[device.device_id], 3),
                    "interval_s": 1800,
                },
                "status": "OK" if dice.random() < 0.98 else "WARN_UNDER_VOLTAGE",
                "message_id": f"{device.device_id}-{end_ms // 1000}",
            }
            yield json.dumps(record).encode()


def generated(devices: Sequence[Device], ends_ms: Integers, seed: int) -> Iterator[Any]:
    """The simulator's chunks, from the fleet on."""
    simulation = Simulation(build_fleet(devices, seed), seed, INTERVAL_MS)
    for ends in by_days(ends_ms, simulation.days_a_chunk()):
        yield simulation.chunk(ends)


def shape(value: Any) -> Any:
    """Names and JSON types of a message, to any depth."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return type(value).__name__


def check_equal_shapes(devices: Sequence[Device], ends_ms: Integers, seed: int) -> None:
    """Raise ValueError unless both ways give the same names and types in the same order."""
    chunk = next(generated(devices, ends_ms[:48], seed))
    plain = plain_loop(devices, ends_ms[:48])
    for value, other in zip(chunk.values[:CHECKED_MESSAGES], plain, strict=False):
        fast, slow = shape(json.loads(value)), shape(json.loads(other))
        if fast != slow or list(fast) != list(slow):
            raise ValueError(f"messages differ in shape: {value!r} and {other!r}")


def deliver(settings: Settings, devices: Sequence[Device], ends_ms: Integers, seed: int) -> int:
    """Send the generated readings to a topic of this run; the number acknowledged."""
    topic = f"benchmark-simulator-{time.time_ns()}"
    admin = AdminClient(client_options(settings))
    created = admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    created[topic].result(timeout=TOPIC_SECONDS)
    try:
        producer = connect(connection(settings, ADMIN), [topic], linger_ms=50)
        delivery = Delivery(producer)
        for chunk in generated(devices, ends_ms, seed):
            delivery.send(topic, chunk.keys, chunk.values)
        delivery.finish(lambda: False)
        return delivery.total.acknowledged
    finally:
        admin.delete_topics([topic])[topic].result(timeout=TOPIC_SECONDS)


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Measure all steps."""
    devices = sample_devices(options.devices, settings.fleet_seed)
    ends_ms = interval_ends(START_MS, START_MS + options.days * DAY_MS, INTERVAL_MS)
    seed = settings.fleet_seed
    check_equal_shapes(devices, ends_ms, seed)
    plain_ends = ends_ms[: max(1, len(ends_ms) // 4)]
    plain = measured(lambda: sum(1 for _ in plain_loop(devices, plain_ends)))
    made = measured(lambda: sum(len(c.values) for c in generated(devices, ends_ms, seed)))
    costs = {"dictionary and json.dumps": plain, "generation": made}
    if not options.no_kafka:
        costs["generation and delivery"] = measured(
            lambda: deliver(settings, devices, ends_ms, seed)
        )
    ratio = plain.cpu_per_reading / made.cpu_per_reading
    return Report(
        f"{options.devices:,} meters, {options.days} days of half hours",
        "names, order and types of the fields are those of the plain loop",
        (
            *(
                Figure(f"{name}: a core", 1 / cost.cpu_per_reading, "readings/s")
                for name, cost in costs.items()
            ),
            *(
                Figure(f"{name}: on the wall", cost.readings / cost.seconds, "readings/s")
                for name, cost in costs.items()
            ),
            Figure("generation / dictionary and json.dumps: a core", ratio, "times", at_least=4),
        ),
    )


def main(words: Sequence[str]) -> int:
    """Run the command; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulator", description=__doc__)
    parser.add_argument("--devices", type=int, default=1000, help="meters (%(default)s)")
    parser.add_argument("--days", type=int, default=21, help="days of history (%(default)s)")
    parser.add_argument("--no-kafka", action="store_true", help="leave delivery out")
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
