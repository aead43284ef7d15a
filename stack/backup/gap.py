"""Whether Kafka still holds what came after a backup: the topics fill the gap, or they cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from stack.backup.databases import CatalogEntry
from stack.backup.tables import Walk
from stack.clients.kafka import Administrator
from stack.maintenance import retention
from stack.maintenance.retention import Retention
from stack.watermarks.landed import LANDED_PROPERTY, Watermark

LANDING = "landing."


def landed_of(entries: list[CatalogEntry], walk: Walk) -> dict[str, str]:
    """Topic -> what its landing table says has landed, as the table's property has it."""
    found = {}
    for entry in entries:
        if entry.name.startswith(LANDING) and not entry.is_view:
            text = walk.metadata(entry).properties.get(LANDED_PROPERTY)
            if text:
                found[entry.name.removeprefix(LANDING)] = text
    return found


def look(
    kafka: Administrator,
    landed: Mapping[str, str],
    now: datetime,
    since: datetime | None = None,
) -> list[Retention]:
    """How long Kafka will hold what has not landed by this account, and what is gone already.

    since: nothing that has not landed came before; None for each table's last commit. Raises
    RetriableError if Kafka does not answer.
    """
    watermarks = {topic: Watermark.from_json(text) for topic, text in landed.items()}
    held = retention.held_of(kafka, sorted(watermarks))
    return [
        retention.judge(
            topic,
            replace(watermarks[topic], landed_at=since) if since else watermarks[topic],
            each,
            now,
        )
        for topic, each in sorted(held.items())
    ]


def fills_until(topics: list[Retention], restore_hours: float, now: datetime) -> datetime | None:
    """Until when a restore can still begin so that nothing is lost; None where there is no limit.

    The inequality: a topic's retention >= the backup's age + restore_hours.
    """
    hours = [each.hours for each in topics if each.hours is not None]
    return now + timedelta(hours=min(hours) - restore_hours) if hours else None
