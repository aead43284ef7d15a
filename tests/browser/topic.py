"""A Kafka topic of a test's own, with every kind of message in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from stack.base.settings import Settings
from stack.clients.kafka import client_options
from tests.integration.lakehouse import Lakehouse

PARTITIONS = 2
HTML = '<b>bold</b><img src=x onerror="window.harmed=1"><script>window.harmed=1</script>'
JSON = '{"device_id": "MTR-\\"1\\"", "metrics": {"voltage": 231.5}, "note": "wärmer"}'
BINARY = b"\xff\xfe\x00meter"
MESSAGES: list[tuple[bytes | None, bytes | None]] = [
    (b"json", JSON.encode()),
    (b"html", HTML.encode()),
    (b"binary", BINARY),
    (b"empty", None),
    (b"plain", b"meter MTR-1 lost power"),
    *[(f"many-{number}".encode(), f"line {number}".encode()) for number in range(30)],
]


@contextmanager
def filled_topic(lakehouse: Lakehouse) -> Iterator[str]:
    """The name of a new topic that holds MESSAGES; it is deleted at the end."""
    name = f"browser_{uuid.uuid4().hex[:8]}"
    admin = admin_of(lakehouse.settings)
    admin.create_topics([NewTopic(name, PARTITIONS)])[name].result(20)
    try:
        lakehouse.send_raw(MESSAGES, name)
        yield name
    finally:
        admin.delete_topics([name])[name].result(20)


def admin_of(settings: Settings) -> AdminClient:
    """A client that asks the broker."""
    return AdminClient(client_options(settings))


def group_names(settings: Settings) -> set[str]:
    """Every consumer group the broker knows."""
    # The client must outlive its answer: one that is already collected may never give it.
    admin = admin_of(settings)
    listing = admin.list_consumer_groups(request_timeout=60).result(60)
    return {group.group_id for group in listing.valid}
