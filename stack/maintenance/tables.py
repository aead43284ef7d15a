"""What maintenance finds in a table: its state, partitions to compact, history to expire."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from stack.clients.postgres import CATALOG, Postgres
from stack.clients.trino import Trino
from stack.maintenance.partitions import predicate
from stack.maintenance.policy import Policy

SCHEMAS = ("landing", "staging", "quality", "intermediate", "marts", "ops")
METADATA = ("files", "manifests", "snapshots", "partitions")
MEGABYTE = 2**20
# Rewritten manifests hold one partition each, up to this size; so many beside them do no harm,
# and each commit puts 50 (the lander's) to 100 of them together.
MANIFEST_BYTES = 8 * MEGABYTE
SPARE_MANIFESTS = 10

TABLES_SQL = """
select table_namespace, table_name
from iceberg_tables
where
    catalog_name = 'lakehouse'
    and coalesce(iceberg_type, 'TABLE') = 'TABLE'
    and table_namespace = any(%s)
    and table_name not like '%%\\_\\_dbt\\_%%'
order by 1, 2
"""
TYPES_SQL = """
select column_name, data_type from iceberg.information_schema.columns
where table_schema = '{schema}' and table_name = '{name}'
"""
STATE_SQL = """
select
    (select count(*) from {files} where content = 0),
    (select count(*) from {files} where content != 0),
    (select coalesce(sum(file_size_in_bytes), 0) from {files}),
    (select count(*) from {manifests}),
    (select coalesce(sum(length), 0) from {manifests}),
    (select count(*) from {snapshots}),
    (select count(*) from {partitions})
"""
PARTITIONS_SQL = """
select
    {partition},
    count_if(content = 0 and file_size_in_bytes < {small_bytes}),
    count_if(content != 0)
from {files}
group by 1
"""
# The state that was current when the time to keep began: what came before it has not been read
# from since then. A snapshot's own age says less: one made last week may be the newest but one.
HISTORY_SQL = """
with kept as (
    select max_by(snapshot_id, made_current_at) as snapshot_id
    from {history}
    where made_current_at <= current_timestamp - interval '{seconds}' second
),
edge as (
    select committed_at
    from {snapshots} as snapshots
    inner join kept on snapshots.snapshot_id = kept.snapshot_id
)
select
    to_milliseconds(current_timestamp - max(edge.committed_at)),
    count_if(snapshots.committed_at < edge.committed_at)
from {snapshots} as snapshots
cross join edge
"""


@dataclass(frozen=True)
class Table:
    """A table of catalog iceberg."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """The table's full name in SQL."""
        return f'iceberg."{self.schema}"."{self.name}"'

    def metadata(self, kind: str) -> str:
        """One of its metadata tables in SQL, such as files."""
        return f'iceberg."{self.schema}"."{self.name}${kind}"'


@dataclass(frozen=True)
class TableState:
    """How a table is. bytes: of the files its newest snapshot reads, delete files included."""

    files: int
    delete_files: int
    bytes: int
    manifests: int
    manifest_bytes: int
    snapshots: int
    partitions: int

    @property
    def has_small_manifests(self) -> bool:
        """Whether the files are listed in many more manifests than needed."""
        needed = max(self.partitions, ceil(self.manifest_bytes / MANIFEST_BYTES))
        return self.manifests > needed + SPARE_MANIFESTS


def tables(server: Postgres) -> list[Table]:
    """The lakehouse's tables, without those that dbt makes in passing.

    Raises RetriableError if PostgreSQL does not answer.
    """
    found = server.rows(CATALOG, "maintenance, looking", TABLES_SQL, (list(SCHEMAS),))
    return [Table(schema, name) for schema, name in found]


def state(trino: Trino, table: Table) -> TableState:
    """How a table is now."""
    kinds = {kind: table.metadata(kind) for kind in METADATA}
    return TableState(*map(int, trino.rows(STATE_SQL.format(**kinds))[0]))


def column_types(trino: Trino, table: Table) -> dict[str, str]:
    """Column -> Trino type."""
    found = trino.rows(TYPES_SQL.format(schema=table.schema, name=table.name))
    return {str(name): str(kind) for name, kind in found}


def is_partitioned(trino: Trino, table: Table) -> bool:
    """Whether the table's files carry a partition."""
    columns = trino.rows(f"describe {table.metadata('files')}")
    return "partition" in {str(column[0]) for column in columns}


def touched(trino: Trino, table: Table, policy: Policy) -> list[str]:
    """Predicates of the partitions in which small files or delete files have gathered."""
    partitioned = is_partitioned(trino, table)
    sql = PARTITIONS_SQL.format(
        partition="cast(partition as json)" if partitioned else "json '{}'",
        small_bytes=policy.file_mb * MEGABYTE // 2,
        files=table.metadata("files"),
    )
    types = column_types(trino, table) if partitioned else {}
    return due(trino.rows(sql), types, policy.min_files)


def due(rows: Iterable[list[object]], types: Mapping[str, str], min_files: int) -> list[str]:
    """Predicates of the partitions with enough to put together.

    rows: partition as JSON text, number of small data files, number of delete files.
    """
    return sorted(
        predicate(json.loads(str(partition)), types)
        for partition, small, deletes in rows
        if max(int(str(small)), int(str(deletes))) >= min_files
    )


def expiry_ms(trino: Trino, table: Table, policy: Policy) -> int | None:
    """The age, in milliseconds, beyond which no snapshot was current within the time to keep.

    None if there is none to expire.
    """
    sql = HISTORY_SQL.format(
        snapshots=table.metadata("snapshots"),
        history=table.metadata("history"),
        seconds=round(policy.snapshot_hours * 3600),
    )
    age_ms, older = trino.rows(sql)[0]
    return int(age_ms) + round(policy.margin_seconds * 1_000) if older else None
