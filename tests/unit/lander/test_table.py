"""The landing table: one commit for rows and offsets, and the fence, on a real Iceberg catalog.

The catalog is SQLite and the warehouse a folder, so no service is needed; DuckDB reads the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table.snapshots import Snapshot

from lander.batch import Batch, Chunk, Stamp
from lander.parse import parser_for
from lander.properties import known_losses, watermark_of
from lander.table import IcebergTable, QuickTransaction, StaleTableError, hourly
from lander.topics import Field, Topic
from stack.base.errors import ConfigurationError, FatalError
from stack.watermarks.landed import LANDED_PROPERTY, Loss, Watermark

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FIELDS = (
    Field(("meter",), "meter", "string", True, "Meter number."),
    Field(("at",), "read_at", "timestamp", True, "Time."),
)
TOPIC = Topic("pings", "json", "Pings.", ("meter", "read_at"), FIELDS)
NEW = Watermark(batch_id=0, landed_at=NOON, offsets={0: 0, 1: 0}, topic_id="first")
MESSAGES = [
    b'{"meter": "B", "at": "2026-01-01T00:00Z"}',
    b"\xff",
    b'{"meter": "A", "at": "x"}',
    None,
]


@pytest.fixture
def catalog(tmp_path: Path) -> SqlCatalog:
    return SqlCatalog(
        "lakehouse",
        uri=f"sqlite:///{tmp_path}/catalog.db",
        warehouse=f"file://{tmp_path}/warehouse",
    )


def handle(catalog: SqlCatalog, topic: Topic = TOPIC) -> IcebergTable:
    """One lander's own view of the table."""
    return IcebergTable(topic, lambda: catalog)


def rows(stamp: Watermark, start: int = 0, topic: Topic = TOPIC) -> Iterator[pa.Table]:
    """The four messages as rows of partition 0 from an offset on."""
    batch = Batch(parser_for(topic))
    count = len(MESSAGES)
    coordinates = np.arange(start, start + count)
    batch.add(
        Chunk(
            np.zeros(count, np.int32), coordinates, coordinates, [b"key"] * count, list(MESSAGES)
        ),
        now=0.0,
    )
    ends = {0: start}
    shared = Stamp(stamp.batch_id, stamp.landed_at, stamp.topic_id, ends)
    return batch.sorted_rows(topic.sort_by, shared)


def land(table: IcebergTable, watermark: Watermark, offsets: Mapping[int, int]) -> Watermark:
    """Commit four rows that end at these offsets."""
    landed_at = NOON + timedelta(seconds=watermark.batch_id)
    following = watermark.following(offsets, landed_at, "first", {})
    table.commit(rows(following, offsets[0] - len(MESSAGES)), watermark, following)
    return following


def data_files(catalog: SqlCatalog) -> list[str]:
    files = catalog.load_table("landing.pings").inspect.files().column("file_path").to_pylist()
    return [str(file).removeprefix("file://") for file in files]


def test_a_new_table_says_where_it_begins(catalog: SqlCatalog) -> None:
    assert handle(catalog).open(NEW) == NEW
    assert handle(catalog).open(replace(NEW, offsets={0: 99})) == NEW


def test_rows_and_offsets_change_in_one_snapshot(catalog: SqlCatalog) -> None:
    table = handle(catalog)
    watermark = land(table, table.open(NEW), {0: 4})

    stored = catalog.load_table("landing.pings")
    assert len(stored.metadata.snapshots) == 1
    assert Watermark.from_json(stored.properties[LANDED_PROPERTY]) == watermark
    assert handle(catalog).open(NEW).offsets == {0: 4, 1: 0}


def test_metadata_is_worked_out_once_for_each_change(catalog: SqlCatalog) -> None:
    handle(catalog).open(NEW)
    transaction = QuickTransaction(catalog.load_table(("landing", TOPIC.name)))
    before = transaction.table_metadata
    assert transaction.table_metadata is before
    transaction.set_properties(changed="yes")
    assert transaction.table_metadata is transaction.table_metadata
    assert transaction.table_metadata.properties == before.properties | {"changed": "yes"}


def test_the_file_holds_the_rows_sorted_and_readable_by_another_engine(catalog: SqlCatalog) -> None:
    table = handle(catalog)
    land(table, table.open(NEW), {0: 4})

    found = duckdb.execute(
        "select kafka_partition, kafka_offset, meter, message, message_encoding, message_key, "
        f"parse_error, batch_id from read_parquet({data_files(catalog)}, hive_partitioning=false)"
    ).fetchall()

    bad = '{"meter": "A", "at": "x"}'
    good = '{"meter": "B", "at": "2026-01-01T00:00Z"}'
    assert found == [
        (0, 1, None, "/w==", "base64", "key", "not_json", 1),
        (0, 3, None, None, None, "key", "not_json", 1),
        (0, 2, "A", bad, "utf8", "key", "type:at", 1),
        (0, 0, "B", good, "utf8", "key", None, 1),
    ]


def test_files_are_laid_out_by_the_day_of_landing(catalog: SqlCatalog) -> None:
    table = handle(catalog)
    land(table, table.open(NEW), {0: 4})

    (partition,) = catalog.load_table("landing.pings").inspect.files().column("partition")
    assert str(partition.as_py()["landed_at_day"]) in {"2026-01-02", "20455"}
    assert "landed_at_day=2026-01-02" in data_files(catalog)[0]


def test_a_commit_on_a_state_that_others_changed_is_refused_and_writes_nothing(
    catalog: SqlCatalog,
) -> None:
    winner, loser = handle(catalog), handle(catalog)
    watermark = winner.open(NEW)
    loser.open(NEW)
    land(winner, watermark, {0: 4})

    with pytest.raises(StaleTableError):
        land(loser, watermark, {0: 4})

    assert len(data_files(catalog)) == 1
    assert catalog.load_table("landing.pings").scan().to_arrow().num_rows == 4
    folder = Path(data_files(catalog)[0]).parent
    assert len(list(folder.glob("*.parquet"))) == 1


def test_a_commit_that_does_not_follow_what_was_read_is_refused(catalog: SqlCatalog) -> None:
    table = handle(catalog)
    table.open(NEW)

    with pytest.raises(StaleTableError):
        land(table, replace(NEW, offsets={0: 77}), {0: 81})


def test_commits_follow_one_another_on_one_handle(catalog: SqlCatalog) -> None:
    table = handle(catalog)
    watermark = land(table, table.open(NEW), {0: 4})
    land(table, watermark, {0: 8})

    assert handle(catalog).open(NEW).batch_id == 2
    assert catalog.load_table("landing.pings").scan().to_arrow().num_rows == 8


def test_old_snapshots_are_forgotten_but_not_their_rows(
    catalog: SqlCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lander.table.KEPT_SNAPSHOTS", 2)
    monkeypatch.setattr("lander.table.SNAPSHOT_SLACK", 1)
    monkeypatch.setattr("lander.table.KEPT_HOURS", 0)
    table = handle(catalog)
    watermark = table.open(NEW)
    for commit in range(1, 6):
        watermark = land(table, watermark, {0: 4 * commit})

    stored = catalog.load_table("landing.pings")
    assert len(stored.metadata.snapshots) == 3
    assert stored.scan().to_arrow().num_rows == 20


def described(minute: int) -> dict[str, object]:
    return {"snapshot-id": minute, "timestamp-ms": minute * 60_000, "manifest-list": ""}


def test_what_was_current_at_the_full_hours_of_a_day_is_kept() -> None:
    minutes = [-1500, 10, 50, 59, 61, 170, 200, 1499]
    snapshots = [Snapshot.model_validate(described(minute)) for minute in minutes]
    # Before the newest, at minute 1499, lie the full hours at minutes 1440, 1380 ... 60: from 240
    # on minute 200 was current, at 180 minute 170, at 120 minute 61, at 60 minute 59.
    assert hourly(snapshots) == {200, 170, 61, 59}


def test_a_table_whose_rows_were_rolled_back_is_not_written_on(catalog: SqlCatalog) -> None:
    table = handle(catalog)
    watermark = land(table, table.open(NEW), {0: 4})
    first = catalog.load_table("landing.pings").current_snapshot()
    assert first is not None
    land(table, watermark, {0: 8})
    stored = catalog.load_table("landing.pings")
    stored.manage_snapshots().rollback_to_snapshot(first.snapshot_id).commit()

    with pytest.raises(FatalError, match="last batch 0 in the rows, 2 in the property"):
        handle(catalog).open(NEW)


def test_a_table_of_somebody_else_is_not_written_on(catalog: SqlCatalog) -> None:
    catalog.create_namespace("landing")
    catalog.create_table("landing.pings", pa.schema([("x", pa.int64())]))

    with pytest.raises(FatalError, match="drop or rename"):
        handle(catalog).open(NEW)


def test_a_field_added_to_the_topic_file_becomes_a_column(catalog: SqlCatalog) -> None:
    table = handle(catalog)
    watermark = land(table, table.open(NEW), {0: 4})
    wider = replace(TOPIC, fields=(*FIELDS, Field(("level",), "level", "double", False, "Level.")))
    table = handle(catalog, wider)
    table.open(NEW)
    following = watermark.following({0: 8}, NOON, "first", {})
    table.commit(rows(following, 4, wider), watermark, following)

    assert catalog.load_table("landing.pings").scan().to_arrow().column("level").null_count == 8


def test_a_table_of_an_older_version_gets_the_column_of_field_errors(catalog: SqlCatalog) -> None:
    watermark = land(table := handle(catalog), table.open(NEW), {0: 4})
    with catalog.load_table("landing.pings").update_schema() as update:
        update.delete_column("field_errors")
    meter, at = FIELDS
    topic = replace(TOPIC, fields=(meter, replace(at, required=False)))
    table = handle(catalog, topic)
    table.open(NEW)
    following = watermark.following({0: 8}, NOON, "first", {})
    table.commit(rows(following, 4, topic), watermark, following)

    found = catalog.load_table("landing.pings").scan().to_arrow().to_pylist()
    # The third message says "x" for a time.
    errors = {row["kafka_offset"]: row["field_errors"] for row in found}
    assert errors == dict.fromkeys(range(8)) | {6: "type:at"}


def test_a_field_of_another_type_needs_another_column(catalog: SqlCatalog) -> None:
    handle(catalog).open(NEW)
    changed = replace(TOPIC, fields=(replace(FIELDS[0], type="long"), FIELDS[1]))

    with pytest.raises(ConfigurationError, match="meter as long"):
        handle(catalog, changed).open(NEW)


def test_losses_are_kept_in_the_table(catalog: SqlCatalog) -> None:
    table = handle(catalog)
    watermark = table.open(NEW)
    loss = Loss(0, 4, 9, "retention", NOON, topic_id="first")
    table.record([loss])
    table.record([loss])
    assert known_losses(catalog.load_table("landing.pings")) == [loss]
    moved = watermark.moved_to({0: 10}, "first")
    table.move(watermark, moved, [loss])

    stored = catalog.load_table("landing.pings")
    assert known_losses(stored) == [replace(loss, is_accepted=True)]
    # Another lander begins there, before any row has landed after the loss.
    assert handle(catalog).open(NEW) == moved


def test_a_position_that_moved_without_rows_is_stored(catalog: SqlCatalog) -> None:
    table = handle(catalog)
    land(table, table.open(NEW), {0: 4})
    watermark = table.open(NEW)
    moved = watermark.read_to({0: 6})
    table.move(watermark, moved)

    stored = catalog.load_table("landing.pings")
    assert (watermark_of(stored), known_losses(stored)) == (moved, [])
    assert moved.skipped == {0: 2}
    assert stored.scan().to_arrow().num_rows == 4
    # Rows and property agree for the next lander.
    assert handle(catalog).open(NEW) == moved


def test_losses_are_noted_only_where_the_table_is_as_it_was_read(catalog: SqlCatalog) -> None:
    table, other = handle(catalog), handle(catalog)
    watermark = table.open(NEW)
    land(other, other.open(NEW), {0: 4})
    loss = Loss(0, 4, 9, "retention", NOON, topic_id="first")

    with pytest.raises(StaleTableError):
        table.record([loss])
    with pytest.raises(StaleTableError):
        table.move(watermark, watermark.moved_to({0: 10}, "first"), [loss])

    stored = catalog.load_table("landing.pings")
    assert known_losses(stored) == []
    assert watermark_of(stored) == other.open(NEW) != watermark


def test_a_new_table_records_what_retention_had_taken_before(catalog: SqlCatalog) -> None:
    handle(catalog).open(replace(NEW, offsets={0: 5, 1: 0}))
    table = catalog.load_table(("landing", TOPIC.name))
    lost = Loss(0, 0, 4, "retention", NOON, is_accepted=True, topic_id="first")
    assert known_losses(table) == [lost]
