"""Commit landed batches to Iceberg so that rows and offsets change together."""

from __future__ import annotations

import contextlib
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    schema_to_pyarrow,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update import TableUpdate
from pyiceberg.table.update.snapshot import ExpireSnapshots
from pyiceberg.typedef import Record

from lander import schema
from lander.properties import (
    check_rows_against_property,
    known_losses,
    lost_before,
    watermark_of,
)
from lander.topics import Topic
from stack.base.errors import ConfigurationError, RetriableError
from stack.watermarks.landed import (
    LANDED_PROPERTY,
    LOST_PROPERTY,
    Loss,
    Watermark,
    losses_to_json,
    record_losses,
)

NAMESPACE = "landing"
# Snapshots kept once this many more have gathered: metadata is read and written by each commit.
KEPT_SNAPSHOTS = 50
SNAPSHOT_SLACK = 10
# Of older ones those that were current at a full hour of the last day: what maintenance has put
# together since can still be read as it was by queries that began before.
KEPT_HOURS = 24
HOUR_MS = 3_600_000
PLAIN_COLUMNS = ("message", "extra_fields")
DICTIONARY = pa.dictionary(pa.int8(), pa.string())
EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).date()


class StaleTableError(RetriableError):
    """The table moved since its offsets were read: another lander or maintenance committed."""


class LandingTable(Protocol):
    """What the lander asks of the table."""

    def open(self, start: Watermark) -> Watermark:
        """The watermark; a table that does not exist is made, with `start` as its watermark."""

    def commit(self, groups: Iterable[pa.Table], watermark: Watermark, following: Watermark) -> int:
        """Append the rows and store the watermark that follows, in one commit."""

    def record(self, losses: Sequence[Loss]) -> None:
        """Note losses that nobody has accepted yet."""

    def move(self, watermark: Watermark, following: Watermark, losses: Sequence[Loss] = ()) -> None:
        """Store where reading goes on, and accepted losses before it, in a commit without rows."""


class QuickTransaction(Transaction):
    """A transaction that works its metadata out once for each change of it.

    PyIceberg does so at each look, some fifteen in a commit, with a copy of every snapshot each.
    """

    _worked_out: tuple[tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata with the changes so far."""
        if self._worked_out is None or self._worked_out[0] is not self._updates:
            self._worked_out = self._updates, super().table_metadata
        return self._worked_out[1]


class IcebergTable:
    """The landing table of one topic. Not for use by several threads at once."""

    def __init__(self, topic: Topic, open_catalog: Callable[[], SqlCatalog]) -> None:
        self._topic = topic
        self._open_catalog = open_catalog
        self._catalog: SqlCatalog | None = None
        self._table: Table | None = None

    def open(self, start: Watermark) -> Watermark:
        """Read the table again and return its watermark.

        start: the state a new table begins with.
        Raises FatalError if the table's rows and its property tell different stories.
        """
        if self._catalog is None:
            self._catalog = self._open_catalog()
            self._table = self._load_or_create(self._catalog, start)
            self._add_new_columns(self._table)
            check_rows_against_property(self._table)
        else:
            self._table = self._load_or_create(self._catalog, start)
        return watermark_of(self._table)

    def commit(self, groups: Iterable[pa.Table], watermark: Watermark, following: Watermark) -> int:
        """Append the rows and move the watermark, in one snapshot; return the file's bytes.

        groups: tables of landing rows, each a row group; watermark: the table's, to which
        `following` is the next.
        Raises StaleTableError if the table is at another one: nothing was written then. After
        any other error the outcome is unknown until `open` has looked.
        """
        table = self._opened_at(watermark)
        data_file = write_data_file(table, groups, following.landed_at)
        try:
            self._append(table, [data_file], {LANDED_PROPERTY: following.to_json()})
        except StaleTableError:
            with contextlib.suppress(OSError):
                table.io.delete(data_file.file_path)
            raise
        return data_file.file_size_in_bytes

    def record(self, losses: Sequence[Loss]) -> None:
        """Note losses in the table's property without touching rows or offsets.

        Raises StaleTableError if the table has a newer snapshot: nothing was noted then.
        """
        table = self._opened()
        text = losses_to_json(record_losses(known_losses(table), losses))
        if text != table.properties.get(LOST_PROPERTY):
            self._append(table, [], {LOST_PROPERTY: text})

    def move(self, watermark: Watermark, following: Watermark, losses: Sequence[Loss] = ()) -> None:
        """Store where reading goes on, and accepted losses before it, in a snapshot without rows.

        watermark: the table's, to which `following` is the next.
        Raises StaleTableError if the table is at another state: nothing was stored then.
        """
        table = self._opened_at(watermark)
        accepted = [replace(loss, is_accepted=True) for loss in losses]
        text = losses_to_json(record_losses(known_losses(table), accepted))
        self._append(table, [], {LANDED_PROPERTY: following.to_json(), LOST_PROPERTY: text})

    def _append(
        self, table: Table, data_files: Sequence[DataFile], properties: Mapping[str, str]
    ) -> None:
        """Make a snapshot with these files more. Raises StaleTableError if there is a newer one.

        A change of properties alone would be put onto any newer state, and undo what that says.
        """
        try:
            with QuickTransaction(table) as transaction:
                with transaction.update_snapshot().merge_append() as append:
                    for data_file in data_files:
                        append.append_data_file(data_file)
                transaction.set_properties(dict(properties))
                if expired := snapshots_to_expire(table):
                    ExpireSnapshots(transaction).by_ids(expired).commit()
        except CommitFailedException as error:
            raise self._stale(str(error)) from error

    def _opened_at(self, watermark: Watermark) -> Table:
        """The table as it was last read. Raises StaleTableError unless it is at `watermark`."""
        table = self._opened()
        if watermark_of(table) != watermark:
            raise self._stale("another")
        return table

    def _stale(self, found: str) -> StaleTableError:
        return StaleTableError(f"table {self._topic.name} as it was read", found, "read it again")

    def _opened(self) -> Table:
        if self._table is None:
            raise RuntimeError("open() comes first")
        return self._table

    def _load_or_create(self, catalog: SqlCatalog, start: Watermark) -> Table:
        identifier = (NAMESPACE, self._topic.name)
        try:
            return catalog.load_table(identifier)
        except NoSuchTableError:
            columns = schema.table_schema(self._topic)
        catalog.create_namespace_if_not_exists(NAMESPACE)
        try:
            return catalog.create_table(
                identifier,
                columns,
                partition_spec=schema.partition_spec(columns),
                sort_order=schema.sort_order(columns, self._topic),
                properties=schema.PROPERTIES
                | {
                    "comment": self._topic.description,
                    LANDED_PROPERTY: start.to_json(),
                    LOST_PROPERTY: losses_to_json(lost_before(start)),
                },
            )
        except TableAlreadyExistsError:
            return catalog.load_table(identifier)

    def _add_new_columns(self, table: Table) -> None:
        """Add columns the topic file declares and the table lacks; refuse changed types."""
        there = {field.name: field for field in table.schema().fields}
        wanted = schema.table_schema(self._topic).fields
        for field in wanted:
            if field.name in there and there[field.name].field_type != field.field_type:
                raise ConfigurationError(
                    f"{field.name} as {field.field_type}, as the topic file says",
                    f"{there[field.name].field_type} in landing.{self._topic.name}",
                    "give the field a new column name in the topic file",
                )
        added = [field for field in wanted if field.name not in there]
        if added:
            with table.update_schema() as update:
                for field in added:
                    update.add_column(field.name, field.field_type, doc=field.doc)


def snapshots_to_expire(table: Table) -> list[int]:
    """Ids of the oldest snapshots beyond those kept; tags and branches keep theirs.

    Only the metadata forgets them: files stay until maintenance removes what nothing refers to.
    """
    protected = {reference.snapshot_id for reference in table.metadata.refs.values()}
    snapshots = sorted(table.metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms)
    kept = protected | hourly(snapshots)
    old = [s.snapshot_id for s in snapshots[:-KEPT_SNAPSHOTS] if s.snapshot_id not in kept]
    return old if len(old) >= SNAPSHOT_SLACK else []


def hourly(snapshots: Sequence[Snapshot]) -> set[int]:
    """Ids of those that were current at the last KEPT_HOURS full hours before the newest.

    snapshots: in order of time.
    """
    if not snapshots:
        return set()
    times = [snapshot.timestamp_ms for snapshot in snapshots]
    last_hour = times[-1] // HOUR_MS
    places = {bisect_right(times, (last_hour - n) * HOUR_MS) - 1 for n in range(KEPT_HOURS)}
    return {snapshots[place].snapshot_id for place in places if place >= 0}


def write_data_file(table: Table, groups: Iterable[pa.Table], landed_at: datetime) -> DataFile:
    """Write the rows as one Parquet file of the table, which no snapshot knows yet."""
    day = (landed_at.date() - EPOCH_DAY).days
    location = table.location_provider().new_data_location(
        f"landed_at_day={landed_at.date()}/{uuid.uuid4()}.parquet"
    )
    output = table.io.new_output(location)
    with output.create() as stream:
        arrow_schema = file_schema(table)
        writer = pq.ParquetWriter(stream, arrow_schema, **parquet_options(arrow_schema))
        with writer:
            for group in groups:
                writer.write_table(fitted(group, arrow_schema))
        size = stream.tell()
    statistics = data_file_statistics_from_parquet_metadata(
        writer.writer.metadata,
        compute_statistics_plan(table.schema(), table.properties),
        parquet_path_to_id_mapping(table.schema()),
    )
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record(day),
        file_size_in_bytes=size,
        sort_order_id=None,
        spec_id=table.metadata.default_spec_id,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )


def file_schema(table: Table) -> pa.Schema:
    """The table's columns with their field ids; those that come as dictionaries stay so."""
    columns = schema_to_pyarrow(table.schema())
    return pa.schema(
        column.with_type(DICTIONARY) if column.name in schema.DICTIONARY_COLUMNS else column
        for column in columns
    )


def fitted(group: pa.Table, arrow_schema: pa.Schema) -> pa.Table:
    """The columns in the table's order and types; a column no longer declared is null."""
    columns = [
        group.column(field.name).cast(field.type)
        if field.name in group.column_names
        else pa.nulls(len(group), field.type)
        for field in arrow_schema
    ]
    return pa.Table.from_arrays(columns, schema=arrow_schema)


def parquet_options(arrow_schema: pa.Schema) -> Mapping[str, Any]:
    """Writer settings: zstd at its fastest; encodings and statistics where they pay."""
    times = [c.name for c in arrow_schema if pa.types.is_timestamp(c.type)]
    # Columns that mostly count up; landed_at is one value, a dictionary of one.
    counting = [name for name in ("kafka_offset", *times) if name != "landed_at"]
    dictionary = [n for n in arrow_schema.names if n not in (*counting, *PLAIN_COLUMNS)]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": dictionary,
        "column_encoding": dict.fromkeys(counting, "DELTA_BINARY_PACKED"),
        "write_statistics": [n for n in arrow_schema.names if n not in PLAIN_COLUMNS],
        "store_schema": False,
    }
