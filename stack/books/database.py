"""Ask PostgreSQL what producers report, which state of each table is the newest, which backup."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.books.evidence import Acknowledged
from stack.books.plan import Plan
from stack.writing.lock import connect, first_line

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
BACKUP_SQL = """
select
    extract(epoch from taken_at)::float8,
    extract(epoch from fills_gap_until)::float8
from public.backups
order by taken_at desc
limit 1
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


def newest_backup(settings: Settings) -> dict[str, float]:
    """taken_at and fills_gap_until of the newest backup, in seconds since 1970, as far as known.

    Raises RetriableError if PostgreSQL does not answer.
    """
    found = rows(settings, "meterhouse", BACKUP_SQL)
    pairs = zip(("taken_at", "fills_gap_until"), found[0], strict=True) if found else ()
    return {name: float(at) for name, at in pairs if at is not None}


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
