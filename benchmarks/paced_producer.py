"""Send readings at a steady rate, each at its own time: `python -m benchmarks.paced_producer`.

Run by benchmarks.freshness. A reading's time is when it is due; where the sender falls behind, the
delay is in the figures. Times differ by microseconds, so no two readings are one.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from confluent_kafka import Producer

from stack.base.settings import load_settings
from stack.clients.kafka import ADMIN, connection

SEED = 8831
TICK_SECONDS = 0.02
SHAPES = 1_000
FLUSH_SECONDS = 60


def bodies(random_numbers: random.Random) -> list[str]:
    """What follows a reading's time: measurements, drawn once and sent again and again."""
    return [
        f'"metrics": {{"energy_kwh": {random_numbers.random():.3f}, '
        f'"voltage": {random_numbers.gauss(230, 4):.1f}, '
        f'"battery_pct": {random_numbers.randrange(20, 100)}}}, "status": "OK"}}'
        for _ in range(SHAPES)
    ]


def readings(
    numbers: range, start: float, rate: int, meters: int, texts: list[str]
) -> Iterator[tuple[str, str]]:
    """Keys and values of the readings of these numbers."""
    for number in numbers:
        key = f"MTR-{10_000 + number % meters}"
        due = datetime.fromtimestamp(start + number / rate, UTC)
        moment = f"{due:%Y-%m-%dT%H:%M:%S}.{due.microsecond:06}Z"
        yield (
            key,
            f'{{"device_id": "{key}", "customer_id": "CUST-8000", "timestamp": "{moment}", '
            + texts[number % SHAPES],
        )


def main(topic: str, rate: int, seconds: int, meters: int) -> None:
    """Send until the time is over, then wait for the broker."""
    options = {"enable.idempotence": True, "linger.ms": 5, "queue.buffering.max.messages": 500_000}
    producer = Producer(connection(load_settings(), ADMIN) | options)
    texts = bodies(random.Random(SEED))  # noqa: S311
    start, sent, count = time.time(), 0, rate * seconds
    while sent < count:
        due = min(count, int((time.time() - start) * rate))
        for key, value in readings(range(sent, due), start, rate, meters, texts):
            producer.produce(topic, value, key)
        sent = max(sent, due)
        producer.poll(TICK_SECONDS)
    if producer.flush(FLUSH_SECONDS):
        raise SystemExit(f"Kafka did not take all messages within {FLUSH_SECONDS} s")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
