"""Maintenance beside a lander that writes: fewer files, the same rows, nothing of a reader lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import pyarrow as pa
import pyiceberg.table
import pytest

from lander.catalog import open_catalog
from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients.kafka import DBT, administrator
from stack.clients.trino import client
from stack.maintenance import retention
from stack.maintenance.policy import Policy
from stack.maintenance.service import run_maintenance
from stack.maintenance.tables import Table, TableState, state
from stack.maintenance.work import Done, client_of, maintain
from stack.writing import lock
from tests.integration.lakehouse import LANDED_PROPERTY, TOPIC, Lakehouse, no_word, reading
from tests.integration.stream import streaming
from tests.integration.test_marts import contents, day

pytestmark = pytest.mark.same_in_both_modes

LANDING = Table("landing", TOPIC)
FROM_READINGS_TO_DAYS = (
    Table("staging", "stg_telemetry_raw"),
    Table("intermediate", "int_meter_readings"),
    Table("marts", "device_daily_metrics"),
)
TURN_SECONDS = 180.0
SECOND_HOURS = 1 / 3600
# Ages that no stack allows: the tests cannot wait for hours.
EAGER = Policy(
    snapshot_hours=0,
    orphan_hours=60 * SECOND_HOURS,
    file_mb=128,
    min_files=2,
    margin_seconds=0,
)


def maintained(settings: Settings, table: Table, policy: Policy) -> Done:
    """Maintain one table as its only writer."""
    with lock.hold_lock(settings, lock.MAINTENANCE, TURN_SECONDS, no_word):
        done = maintain(client_of(settings, policy), table, policy, lambda: False)
    assert done is not None
    assert not done.error
    return done


@dataclass(frozen=True)
class Scratch:
    """A landing table of the test's own, written as the lander writes."""

    settings: Settings
    lakehouse: Lakehouse
    name: str

    @property
    def table(self) -> Table:
        """The table as maintenance knows it."""
        return Table("landing", self.name)

    @property
    def iceberg(self) -> pyiceberg.table.Table:
        """The table as PyIceberg knows it."""
        return open_catalog(self.settings).load_table(("landing", self.name))

    def land(self, *numbers: int) -> int:
        """Add a file of rows; the snapshot it made."""
        table = self.iceberg
        table.append(pa.table({"n": pa.array(numbers, pa.int32())}))
        snapshot = table.current_snapshot()
        assert snapshot is not None
        return snapshot.snapshot_id

    def rows(self, snapshot: int | None = None) -> list[int]:
        """What a query reads, of the newest state or an older one."""
        version = f" for version as of {snapshot}" if snapshot else ""
        found = self.lakehouse.sql(f"select n from {self.table.sql}{version} order by n")
        return [row[0] for row in found]


@pytest.fixture
def scratch(lakehouse: Lakehouse) -> Iterator[Scratch]:
    made = Scratch(lakehouse.settings, lakehouse, f"upkeep_{uuid.uuid4().hex[:12]}")
    catalog = open_catalog(lakehouse.settings)
    catalog.create_table(("landing", made.name), pa.schema([("n", pa.int32())]))
    yield made
    catalog.purge_table(("landing", made.name))


def has_landed(lakehouse: Lakehouse, batch: int) -> bool:
    return last_batch(lakehouse) >= batch


def test_a_lander_that_writes_all_the_while_loses_and_duplicates_nothing(
    lakehouse: Lakehouse,
) -> None:
    compactions = 0
    seen = [0]
    with streaming(lakehouse):
        for _ in range(3):
            batch = last_batch(lakehouse)
            lakehouse.wait_until(partial(has_landed, lakehouse, batch + 2))
            compactions += "compact" in maintained(lakehouse.settings, LANDING, EAGER).steps
            seen.append(sum(lakehouse.landed_offsets().values()))
    # The lander went on between any two, and its offsets never went back.
    assert seen == sorted(set(seen))
    assert compactions >= 2


def last_batch(lakehouse: Lakehouse) -> int:
    """The number of the newest batch in landing."""
    return int(lakehouse.value(f"select max(batch_id) from {LANDING.sql}"))


def test_compaction_keeps_the_offsets_and_the_rows(scratch: Scratch) -> None:
    for number in range(6):
        scratch.land(number)
    with scratch.iceberg.transaction() as transaction:
        transaction.set_properties({LANDED_PROPERTY: "kept"})

    done = maintained(scratch.settings, scratch.table, EAGER)

    assert (done.before.files, done.after.files) == (6, 1)
    assert done.after.snapshots == 1
    assert scratch.iceberg.properties[LANDED_PROPERTY] == "kept"
    assert scratch.rows() == list(range(6))


def test_a_second_maintenance_changes_nothing(scratch: Scratch) -> None:
    for number in range(6):
        scratch.land(number)
    maintained(scratch.settings, scratch.table, EAGER)
    before = scratch.lakehouse.snapshot("landing", scratch.name)

    done = maintained(scratch.settings, scratch.table, EAGER)

    assert done.steps == ("orphans",)
    assert scratch.lakehouse.snapshot("landing", scratch.name) == before


def test_many_batches_leave_no_more_behind_than_the_first_ones(scratch: Scratch) -> None:
    after: list[TableState] = []
    for start in range(0, 24, 6):
        for number in range(start, start + 6):
            scratch.land(number)
        after.append(maintained(scratch.settings, scratch.table, EAGER).after)

    assert {(each.files, each.snapshots) for each in after} == {(1, 1)}
    assert not any(each.has_small_manifests for each in after)
    assert scratch.rows() == list(range(24))


def test_a_state_that_was_just_replaced_stays_readable_however_old_it_is(
    scratch: Scratch,
) -> None:
    lakehouse, patient = (
        scratch.lakehouse,
        replace(EAGER, snapshot_hours=10 * SECOND_HOURS, margin_seconds=5),
    )
    scratch.land(1)
    oldest = scratch.land(2)
    made_at = datetime.now(UTC)
    lakehouse.wait_until(lambda: (datetime.now(UTC) - made_at).total_seconds() > 20)
    # A query may have begun on it a moment ago; by its own age it would be expired now.
    scratch.land(3)

    maintained(scratch.settings, scratch.table, patient)
    assert scratch.rows(oldest) == [1, 2]

    maintained(scratch.settings, scratch.table, EAGER)
    with pytest.raises(RetriableError):
        scratch.rows(oldest)


def test_files_that_nothing_refers_to_go_when_they_are_old_and_not_before(
    scratch: Scratch,
) -> None:
    scratch.land(1)
    table = scratch.iceberg
    orphan = table.location() + "/data/orphan.parquet"
    with table.io.new_output(orphan).create() as stream:
        stream.write(b"left by a writer that died")
    written_at = datetime.now(UTC)
    hasty = replace(EAGER, orphan_hours=10 * SECOND_HOURS)

    maintained(scratch.settings, scratch.table, replace(EAGER, orphan_hours=1))
    assert table.io.new_input(orphan).exists()

    scratch.lakehouse.wait_until(lambda: (datetime.now(UTC) - written_at).total_seconds() > 12)
    maintained(scratch.settings, scratch.table, hasty)
    assert not table.io.new_input(orphan).exists()
    assert scratch.rows() == [1]


def test_models_go_on_from_compacted_tables_as_if_nothing_had_happened(
    lakehouse: Lakehouse,
) -> None:
    (device,) = lakehouse.new_devices()
    for hour in range(1, 3):
        lakehouse.send(reading(device, f"{day(1)}T{hour:02}:00:00Z", energy_kwh=1.5))
        lakehouse.land_and_round()
    before = contents(lakehouse)

    for table in FROM_READINGS_TO_DAYS:
        assert "compact" in maintained(lakehouse.settings, table, EAGER).steps

    assert contents(lakehouse) == before
    snapshots = lakehouse.snapshots()
    lakehouse.round()
    assert lakehouse.snapshots() == snapshots
    lakehouse.send(reading(device, f"{day(1)}T05:00:00Z", energy_kwh=1.5))
    lakehouse.land_and_round()
    assert lakehouse.sql(
        "select total_energy_kwh, reading_count from iceberg.marts.device_daily_metrics "
        f"where device_id = '{device}'"
    ) == [[Decimal("4.5"), 3]]


def test_a_run_by_hand_is_recorded(
    scratch: Scratch,
) -> None:
    for number in range(6):
        scratch.land(number)
    said: list[str] = []

    code = run_maintenance(scratch.settings, said.append, {str(scratch.table)})

    assert code == 0
    rows = scratch.lakehouse.sql(
        "select steps, files_before, files_after, error from iceberg.ops.maintenance "
        f"where table_name = '{scratch.name}'"
    )
    assert rows == [["compact, orphans", 6, 1, ""]]


def test_kafka_keeps_a_week_of_what_has_not_landed(lakehouse: Lakehouse) -> None:
    lakehouse.land()
    trino = client(lakehouse.settings)
    kafka = administrator(lakehouse.settings, DBT)
    (found,) = retention.check(kafka, trino, [LANDING], datetime.now(UTC))
    held: TableState = state(trino, LANDING)
    assert found.problems == ()
    # kafka/topics.tsv: seven days.
    assert found.hours == 168.0
    assert held.files > 0
