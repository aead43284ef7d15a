"""Who may see what in Trino: every principal tries every action."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pytest

from lander.catalog import open_catalog
from stack.maintenance import record
from tests.integration.access import (
    KNOWN,
    LOCKS,
    MAINTENANCE,
    NOBODY,
    OPERATOR,
    PRINCIPALS,
    READERS,
    WRITERS,
    Access,
    fill,
)
from tests.integration.lakehouse import Lakehouse

pytestmark = pytest.mark.same_in_both_modes

MART = "iceberg.marts.device_daily_metrics"


@dataclass(frozen=True)
class Action:
    """A statement and who may run it. {scratch}: a landing table; {own}: a name for each."""

    name: str
    sql: str
    allowed: set[str]


ACTIONS = (
    Action("ask", "select 1", KNOWN),
    # Landing: the lander's alone.
    Action(
        "read landing",
        "select message from iceberg.landing.telemetry_raw limit 1",
        OPERATOR | WRITERS | MAINTENANCE,
    ),
    Action(
        "read what has landed",
        """select value from iceberg.landing."telemetry_raw$properties" where key = 'x'""",
        OPERATOR | WRITERS | MAINTENANCE | {"explorer"},
    ),
    Action(
        "read landing's values in statistics",
        'select lower_bounds from iceberg.landing."telemetry_raw$files" limit 1',
        OPERATOR | WRITERS | MAINTENANCE,
    ),
    Action("insert into landing", "insert into iceberg.landing.{scratch} values 1", NOBODY),
    Action("update landing", "update iceberg.landing.{scratch} set n = 2", NOBODY),
    Action("delete from landing", "delete from iceberg.landing.{scratch} where n = 1", NOBODY),
    Action("truncate a landing table", "truncate table iceberg.landing.{scratch}", NOBODY),
    Action("drop a landing table", "drop table iceberg.landing.{scratch}", NOBODY),
    Action("make a landing table", "create table iceberg.landing.{own} (n integer)", NOBODY),
    Action(
        "change a landing table",
        "alter table iceberg.landing.{scratch} set properties format_version = 2",
        NOBODY,
    ),
    Action("rename landing", "alter schema iceberg.landing rename to {own}", NOBODY),
    Action("own landing", "create schema if not exists iceberg.landing", NOBODY),
    Action(
        "compact landing", "alter table iceberg.landing.{scratch} execute optimize", MAINTENANCE
    ),
    Action(
        "expire landing's snapshots",
        "alter table iceberg.landing.{scratch} execute "
        "expire_snapshots(retention_threshold => '3000d')",
        MAINTENANCE,
    ),
    # The models' tables.
    Action(
        "read staging",
        "select device_id from iceberg.staging.stg_telemetry_raw limit 1",
        OPERATOR | WRITERS | MAINTENANCE | READERS,
    ),
    Action(
        "read quality",
        "select message from iceberg.quality.quarantine_telemetry_raw limit 1",
        OPERATOR | WRITERS | MAINTENANCE | READERS | {"dbt-lock"},
    ),
    Action(
        "read intermediate",
        "select device_id from iceberg.intermediate.int_meter_readings limit 1",
        OPERATOR | WRITERS | MAINTENANCE | READERS,
    ),
    Action(
        "read marts",
        f"select device_id from {MART} limit 1",
        OPERATOR | WRITERS | MAINTENANCE | READERS,
    ),
    # Views that look at all readings: Trino asks for the rights before it reads a row.
    Action(
        "read a live mart, which counts landing",
        "select device_id from iceberg.marts.device_daily_metrics_live where false",
        OPERATOR | WRITERS | MAINTENANCE | READERS,
    ),
    Action(
        "read a live mart of customers",
        "select customer_id from iceberg.marts.customer_usage_live where false",
        OPERATOR | WRITERS | MAINTENANCE | READERS,
    ),
    Action(
        "insert into a mart",
        f"insert into {MART} select * from {MART} where false",
        WRITERS,
    ),
    Action("delete from a mart", f"delete from {MART} where false", WRITERS),
    Action(
        "expire a mart's snapshots",
        f"alter table {MART} execute expire_snapshots(retention_threshold => '3000d')",
        WRITERS | MAINTENANCE,
    ),
    Action(
        "read the books",
        "select result from iceberg.ops.reconciliation limit 1",
        OPERATOR | WRITERS | MAINTENANCE | READERS,
    ),
    Action(
        "write the books",
        "insert into iceberg.ops.reconciliation "
        "select * from iceberg.ops.reconciliation where false",
        WRITERS,
    ),
    Action("strike from the books", "delete from iceberg.ops.reconciliation where false", WRITERS),
    Action(
        "expire the books' snapshots",
        "alter table iceberg.ops.reconciliation execute "
        "expire_snapshots(retention_threshold => '3000d')",
        WRITERS | MAINTENANCE,
    ),
    Action(
        "keep the record of maintenance",
        "insert into iceberg.ops.maintenance select * from iceberg.ops.maintenance where false",
        WRITERS | MAINTENANCE,
    ),
    Action("make a table", "create table iceberg.ops.{own} (n integer)", WRITERS),
    Action("make a view", "create view iceberg.ops.{own}_view as select 1 as n", WRITERS),
    Action("own a schema", "create schema if not exists iceberg.ops", OPERATOR | WRITERS),
    # Topics and master data.
    Action("read topics", "select * from kafka.default.meter_logs limit 1", OPERATOR),
    Action(
        "read meters",
        "select device_id from postgresql.public.device_master limit 1",
        OPERATOR | WRITERS | READERS | {"dbt-lock"},
    ),
    Action(
        "read rules",
        "select rule_code from postgresql.public.vee_rule limit 1",
        OPERATOR | WRITERS | READERS,
    ),
    Action(
        "read what rules found",
        "select device_id from iceberg.intermediate.int_rule_hits where false",
        OPERATOR | WRITERS | READERS,
    ),
    Action(
        "read customers",
        "select customer_id from postgresql.public.customer_master limit 1",
        OPERATOR | WRITERS | READERS,
    ),
    Action("make master data", "create table postgresql.public.{own} (n integer)", NOBODY),
    Action("write rules", "delete from postgresql.public.vee_rule where false", NOBODY),
    Action("write meters", "delete from postgresql.public.device_master where false", NOBODY),
    Action(
        "ask PostgreSQL behind the rules",
        "select * from table(postgresql.system.query(query => 'select 1 as n'))",
        NOBODY,
    ),
    Action("call a catalog", "call postgresql.system.flush_metadata_cache()", NOBODY),
    # Trino itself.
    Action(
        "look at queries",
        "select query_id from system.runtime.queries limit 1",
        OPERATOR | READERS | LOCKS,
    ),
    Action("look at nodes", "select node_id from system.runtime.nodes limit 1", OPERATOR),
    Action(
        "limit the time",
        "set session query_max_run_time = '1m'",
        OPERATOR | WRITERS | MAINTENANCE | READERS,
    ),
    Action(
        "change a limit of memory",
        "set session query_max_memory = '1GB'",
        OPERATOR | WRITERS | MAINTENANCE,
    ),
    Action(
        "change how the catalog works",
        "set session iceberg.target_max_file_size = '1GB'",
        WRITERS | MAINTENANCE,
    ),
    Action("be somebody else", "set session authorization somebody", NOBODY),
)


@pytest.fixture(scope="module")
def access(lakehouse: Lakehouse) -> Iterator[Access]:
    """Every schema filled, and a table in landing that may be lost."""
    fill(lakehouse)
    made = Access(lakehouse.settings, f"access_{uuid.uuid4().hex[:12]}")
    catalog = open_catalog(lakehouse.settings)
    columns = pa.schema([("n", pa.int32())])
    table = catalog.create_table(("landing", made.mark), columns)
    table.append(pa.table({"n": [1]}, columns))
    made.ask("maintenance", record.CREATE_SQL)
    yield made
    catalog.purge_table(("landing", made.mark))
    for writer in WRITERS:
        made.ask(writer, f"drop table if exists iceberg.ops.{made.mark}_{writer}")
        made.ask(writer, f"drop view if exists iceberg.ops.{made.mark}_{writer}_view")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_who_may_do_it_in_trino(access: Access, action: Action) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda principal: access.may(principal, action.sql), PRINCIPALS)
        allowed = {principal for principal, may in zip(PRINCIPALS, answers, strict=True) if may}
    assert allowed == action.allowed


def test_what_landed_is_as_it_was_after_everybody_tried(access: Access) -> None:
    assert access.ask("operator", f"select n from iceberg.landing.{access.mark}") == [[1]]


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("operator", {"iceberg", "kafka", "postgresql", "system"}),
        ("analyst", {"iceberg", "postgresql", "system"}),
        ("health", set()),
    ],
)
def test_a_catalog_without_rights_is_not_shown(
    access: Access, principal: str, expected: set[str]
) -> None:
    assert {name for (name,) in access.ask(principal, "show catalogs")} == expected


def test_landing_is_not_shown_to_analysts(access: Access) -> None:
    seen = access.ask("analyst", "show schemas from iceberg")
    columns = access.ask(
        "analyst", "select distinct table_schema from iceberg.information_schema.columns"
    )
    assert ["marts"] in seen
    assert ["landing"] not in seen + columns
