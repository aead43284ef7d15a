"""How a short-lived Kafka client of this project connects."""

from __future__ import annotations

from stack.settings import Settings


def client_options(settings: Settings) -> dict[str, str | int | float | bool]:
    """Options of a short-lived Kafka client that does not chatter while the broker is away."""
    return {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "broker.address.family": "v4",
        "log_level": 0,
    }
