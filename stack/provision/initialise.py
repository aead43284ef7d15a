"""Make what the pipeline needs before it starts: topics, bucket, users, schemas, zones."""

from __future__ import annotations

from collections.abc import Callable

from confluent_kafka.admin import AdminClient

from stack.base.settings import Settings
from stack.clients import postgres, trino
from stack.clients.kafka import client_options
from stack.clients.trino import Trino
from stack.provision import kafka_access, objectstore_access, ready
from stack.provision.master_data import check_master_data
from stack.provision.topics import create_topics

READY_SECONDS = 180.0
# The lander makes its own: in Trino nobody owns landing.
SCHEMAS = ("staging", "quality", "intermediate", "marts", "ops")

Say = Callable[[str], None]


def initialise(
    settings: Settings, say: Say, trouble: Callable[[str], str] = ready.nothing_known
) -> None:
    """Wait for Kafka, the object store and Trino, and make what is missing in each.

    trouble: as ready.wait wants it. Raises RetriableError where one of them does not answer.
    """
    ready.wait(settings, READY_SECONDS, say, [ready.KAFKA, ready.OBJECTSTORE], trouble)
    create_topics(AdminClient(client_options(settings)), say)
    kafka_access.apply(settings, say)
    make_users(settings, say)
    ready.wait(settings, READY_SECONDS, say, [ready.TRINO], trouble)
    operator = trino.client(settings)
    create_schemas(operator)
    check_master_data(postgres.client(settings, postgres.OWNER), operator, say)


def make_users(settings: Settings, say: Say) -> None:
    """Give the object store its users."""
    if not objectstore_access.apply(settings):
        say("object store: one login for all, prefixes are not kept apart")


def create_schemas(operator: Trino) -> None:
    """Create the lakehouse's schemas that do not exist yet."""
    for schema in SCHEMAS:
        operator.rows(f"create schema if not exists iceberg.{schema}")
