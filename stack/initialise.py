"""Make what the pipeline needs before it starts: topics, bucket, schemas. Safe to run again."""

from __future__ import annotations

from collections.abc import Callable

from stack import ready
from stack.services import trino
from stack.settings import Settings
from stack.topics import create_topics

READY_SECONDS = 180.0
SCHEMAS = ("landing", "staging", "quality", "intermediate", "marts", "ops")

Say = Callable[[str], None]


def initialise(settings: Settings, say: Say) -> None:
    """Wait for Kafka, the object store and Trino, and make what is missing in each.

    Raises RetriableError where one of them does not answer.
    """
    ready.wait(settings, READY_SECONDS, say, [ready.KAFKA, ready.OBJECTSTORE])
    create_topics(settings, say)
    ready.wait(settings, READY_SECONDS, say, [ready.TRINO])
    create_schemas(settings)


def create_schemas(settings: Settings) -> None:
    """Create the lakehouse's schemas that do not exist yet."""
    for schema in SCHEMAS:
        trino.query(settings, f"create schema if not exists iceberg.{schema}")
