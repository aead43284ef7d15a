"""Ask PostgreSQL what producers report, which state of each table is the newest, which backup."""

from __future__ import annotations

from stack.books.evidence import Acknowledged
from stack.books.plan import Plan
from stack.clients.postgres import CATALOG, MASTER_DATA, Postgres

SESSION_NAME = "reconciliation"
LOCATIONS_SQL = """
select table_namespace || '.' || table_name, coalesce(metadata_location, '')
from iceberg_tables
where catalog_name = 'lakehouse' and coalesce(iceberg_type, 'TABLE') = 'TABLE'
"""
VIEW_SQL = """
select table_namespace || '.' || table_name
from iceberg_tables
where catalog_name = 'lakehouse' and iceberg_type = 'VIEW'
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


def locations(server: Postgres, plan: Plan) -> dict[str, str]:
    """Where the newest metadata of each watched schema.table is; every commit moves it.

    Raises RetriableError if PostgreSQL does not answer.
    """
    found = server.rows(CATALOG, SESSION_NAME, LOCATIONS_SQL)
    return {str(name): str(place) for name, place in found if plan.is_watched(name)}


def views(server: Postgres) -> set[str]:
    """Every schema.view. Raises RetriableError if PostgreSQL does not answer."""
    return {str(name) for (name,) in server.rows(CATALOG, SESSION_NAME, VIEW_SQL)}


def acknowledged(server: Postgres) -> list[Acknowledged]:
    """What producers reported, added up. Raises RetriableError if PostgreSQL does not answer."""
    found = server.rows(MASTER_DATA, SESSION_NAME, ACKNOWLEDGED_SQL)
    return [Acknowledged(*row) for row in found]


def newest_backup(server: Postgres) -> dict[str, float]:
    """taken_at and fills_gap_until of the newest backup, in seconds since 1970, as far as known.

    Raises RetriableError if PostgreSQL does not answer.
    """
    found = server.rows(MASTER_DATA, SESSION_NAME, BACKUP_SQL)
    pairs = zip(("taken_at", "fills_gap_until"), found[0], strict=True) if found else ()
    return {name: float(at) for name, at in pairs if at is not None}
