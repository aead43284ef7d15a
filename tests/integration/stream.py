"""A producer that sends all the while that something happens to the stack."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from confluent_kafka import KafkaError, Message, Producer

from stack.clients.kafka import client_options
from stack.provision import ready
from tests.integration.lakehouse import TOPIC, Lakehouse, reading

MESSAGES_A_SECOND = 200
HEAL_SECONDS = 150.0


class Stream:
    """A producer that sends steadily in a thread and keeps a ledger of what was acknowledged."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.run = uuid.uuid4().hex
        self.acknowledged: set[str] = set()
        self.failed: list[KafkaError] = []
        self._ended = threading.Event()
        options = client_options(lakehouse.settings) | {
            "enable.idempotence": True,
            "message.timeout.ms": 240_000,
        }
        self._producer = Producer(options)
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._producer.flush(240)

    def _send(self) -> None:
        number = 0
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        while not self._ended.wait(0.05):
            for _ in range(MESSAGES_A_SECOND // 20):
                number += 1
                message = reading("MTR-10001", stamp, message_id=f"{self.run}/{number}")
                key = str(number % 50).encode()
                self._producer.produce(
                    TOPIC, json.dumps(message).encode(), key, on_delivery=self._on_delivery
                )
            self._producer.poll(0)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error:
            self.failed.append(error)
        else:
            self.acknowledged.add(json.loads(message.value() or b"")["message_id"])


@contextmanager
def streaming(lakehouse: Lakehouse) -> Iterator[Stream]:
    """Stream before, during and after what the test does; then check that all has landed once."""
    with Stream(lakehouse) as stream:
        time.sleep(3)
        yield stream
        time.sleep(3)
    ready.wait(lakehouse.settings, HEAL_SECONDS, lambda text: None)
    assert not stream.failed
    lakehouse.land(seconds=HEAL_SECONDS)
    lakehouse.offsets_exactly_once()
    landed = lakehouse.sql(
        "select message_id from iceberg.landing.telemetry_raw "
        f"where message_id like '{stream.run}/%'"
    )
    assert sorted(row[0] for row in landed) == sorted(stream.acknowledged)
