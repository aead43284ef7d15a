"""Look at what is there: landing tables, model tables and master data, all in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stack.base.settings import Settings
from stack.clients import postgres
from stack.clients.trino import client
from stack.rounds.decision import LANDING, Found, MasterData, Seen
from stack.writing.statements import ANSWER_SECONDS, WRITER_USER

SESSION_NAME = "scheduled round, looking"
MODEL_SCHEMAS = ("staging", "quality", "intermediate", "marts")

TABLES_SQL = """
select
    table_namespace,
    table_name,
    coalesce(metadata_location, ''),
    lower(coalesce(iceberg_type, 'TABLE'))
from iceberg_tables
where catalog_name = 'lakehouse'
"""

# One text a row, so that neither the order of rows nor their physical place matters. What readings
# are judged by stands apart from what is only stored beside them, or holds for a time: the models
# follow the changes of that by themselves. A meter that was deleted is still judged as it was.
MASTER_DATA_SQL = """
with meters as (
    select
        device_id,
        created_at,
        is_active,
        md5(row(
            device_id, nominal_voltage_v, service_size_kw, interval_minutes, is_time_zone_listed
        )::text) as judged,
        md5(row(
            device_id, customer_id, transformer_id, time_zone, meter_multiplier, register_digits
        )::text) as stored
    from public.known_device
),
customers as (
    select customer_id, row(customer_id, customer_class, tariff_code, is_active)::text as facts
    from public.customer_master
),
meter_digests as (
    select
        md5(string_agg(judged, '' order by device_id)) as counted,
        md5(string_agg(judged, '' order by device_id) filter (where
            created_at is null or created_at <= nullif(%(newest_at)s, '')::timestamptz
        )) as counted_before,
        md5(string_agg(stored, '' order by device_id)) as stored,
        md5(string_agg(judged, '' order by device_id) filter (where is_active)) as active,
        max(created_at)::text as newest_at
    from meters
),
customer_digests as (
    select md5(string_agg(facts, '' order by customer_id)) as facts from customers
),
period_changes as (
    select change_id || ':' || token as newest from public.device_period_change
    order by change_id desc limit 1
)
select
    coalesce(counted, ''),
    coalesce(counted_before, ''),
    md5(row(counted, stored, active, facts, newest)::text),
    coalesce(newest_at, ''),
    newest
from meter_digests cross join customer_digests cross join period_changes
"""

RESTORED_SQL = "select coalesce(max(restored_at)::text, '') from public.backups"
QUARANTINE_SQL = """
select table_name from iceberg.information_schema.tables
where table_schema = 'quality' and table_name = 'quarantine_telemetry_raw'
"""
RETURNING_SQL = """
select count(*)
from iceberg.quality.quarantine_telemetry_raw as quarantine
inner join postgresql.public.device_master as meters
    on quarantine.device_id = meters.device_id
-- A meter whose size is NaN stays unknown to the models: see staging.stg_devices.
where quarantine.reason = 'unknown_device' and meters.service_size_kw <= 999999.99
"""


def look(settings: Settings, seen: Seen | None, project: str) -> Found:
    """What is there now. project: fingerprint of the dbt project's files.

    Raises RetriableError if PostgreSQL does not answer.
    """
    server = postgres.client(settings, postgres.DBT)
    tables = server.rows(postgres.CATALOG, SESSION_NAME, TABLES_SQL)
    with server.transaction(postgres.MASTER_DATA, SESSION_NAME) as cursor:
        cursor.execute(MASTER_DATA_SQL, {"newest_at": seen.newest_at if seen else ""})
        master_data = cursor.fetchall()
        cursor.execute(RESTORED_SQL)
        restored = cursor.fetchall()
    return Found(
        landing={name: location for schema, name, location, _ in tables if schema == LANDING},
        model_tables=model_tables(tables),
        master_data=MasterData(*master_data[0]),
        project=project,
        restored_at=str(restored[0][0]),
        relations=relations_of(tables),
    )


def relations_of(tables: Sequence[tuple[Any, ...]]) -> dict[str, dict[str, str]]:
    """Tables and views of each schema; dbt creates an empty one again, which changes nothing."""
    found: dict[str, dict[str, str]] = {}
    for schema, name, _, kind in tables:
        found.setdefault(schema, {})[name] = kind
    return found


def model_tables(tables: list[tuple[Any, ...]]) -> set[str]:
    """schema.table of the models, without the ones dbt makes in passing."""
    return {
        f"{schema}.{name}"
        for schema, name, *_ in tables
        if schema in MODEL_SCHEMAS and "__dbt_" not in name
    }


def count_returning(settings: Settings) -> int:
    """Messages quarantined as of an unknown meter whose meter is in master data by now.

    0 where nothing is quarantined yet. Raises RetriableError if Trino does not answer.
    """
    trino = client(settings, f"{WRITER_USER}-lock", answer_seconds=ANSWER_SECONDS)
    if not trino.rows(QUARANTINE_SQL):
        return 0
    return int(trino.rows(RETURNING_SQL)[0][0])
