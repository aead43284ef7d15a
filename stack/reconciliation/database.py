"""Ask PostgreSQL what producers report, and which state of each table is the newest."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2

from stack.errors import RetriableError
from stack.lock import connect, first_line
from stack.reconciliation.evidence import Acknowledged
from stack.reconciliation.plan import Plan
from stack.settings import Settings

APPLICATION_NAME = "reconciliation"
LOCATIONS_SQL = """
select table_namespace || '.' || table_name, coalesce(metadata_location, '')
from iceberg_tables
where catalog_name = 'lakehouse' and coalesce(iceberg_type, 'TABLE') = 'TABLE'
"""
ACKNOWLEDGED_SQL = """
select topic, topic_id, kafka_partition, sum(acknowledged)::bigint, max(last_offset)
from public.producer_reports
group by topic, topic_id, kafka_partition
order by topic, topic_id, kafka_partition
"""


def locations(settings: Settings, plan: Plan) -> dict[str, str]:
    """Where the newest metadata of each watched schema.table is; every commit moves it.

    Raises RetriableError if PostgreSQL does not answer.
    """
    found = rows(settings, "iceberg_catalog", LOCATIONS_SQL)
    return {str(name): str(place) for name, place in found if plan.is_watched(name)}


def acknowledged(settings: Settings) -> list[Acknowledged]:
    """What producers reported, added up. Raises RetriableError if PostgreSQL does not answer."""
    return [Acknowledged(*row) for row in rows(settings, "meterhouse", ACKNOWLEDGED_SQL)]


def rows(settings: Settings, database: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one statement."""
    try:
        session = connect(settings, APPLICATION_NAME, database)
        with closing(session), session.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()
    except psycopg2.Error as error:
        raise RetriableError(
            f"the reports and tables in PostgreSQL's database {database}",
            first_line(error),
            "run ./initial-setup.sh: it makes what is missing",
        ) from error
