"""Sizes of heaps and containers: how they are written, and the least that works."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stack.base.settings import COMPOSE, Settings

SIZE = re.compile(r"(\d+)([kmgKMG]?)")
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
# With less Trino does not start, or ends in the first round of the models.
LEAST_TRINO_MB = 1024
LEAST_KAFKA_MB = 256
# trino/etc/jvm.config: the heap's share of a container.
TRINO_SHARE = 0.7
# What runs beside the two heaps: JVMs without them, PostgreSQL, the store, lander, dbt and pages.
OTHERS_GB = 2.2
# The limits of the other containers add up to 5.1 GB, of which not all is used at once.
OTHER_CONTAINERS_GB = 4.3


def size(text: str) -> int:
    """Bytes of a size such as 512m or 3G; 0 for what Java and Docker do not both read."""
    found = SIZE.fullmatch(text)
    return int(found[1]) * UNITS[found[2].lower()] if found else 0


def least(settings: Settings) -> dict[str, tuple[str, int]]:
    """The memory settings in use with their values and the least megabytes of each."""
    heaps = {"KAFKA_HEAP": (settings.kafka_heap, LEAST_KAFKA_MB)}
    if settings.run_mode == COMPOSE:
        in_container = round(LEAST_TRINO_MB / TRINO_SHARE)
        return heaps | {"TRINO_MEMORY": (settings.trino_memory, in_container)}
    return heaps | {"TRINO_HEAP": (settings.trino_heap, LEAST_TRINO_MB)}


def too_small(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Settings that no service can work with: name, value, what to write instead."""
    for name, (text, least_mb) in least(settings).items():
        if size(text) < least_mb * UNITS["m"]:
            yield name, text, f"set {name} in .env to {least_mb}m or more, as a number with m or g"


def needed_gb(settings: Settings) -> float:
    """Memory of a machine that runs the native services with these heaps, in GB."""
    return (size(settings.kafka_heap) + size(settings.trino_heap)) / 1e9 + OTHERS_GB


def engine_needed_gb(settings: Settings) -> float:
    """Memory of a container engine that runs the stack, in GB."""
    return size(settings.trino_memory) / 1e9 + OTHER_CONTAINERS_GB
