"""Lose the catalog, the bucket or both beside a running stack, restore, and judge what is there.

Usage: python -m tests.drill [catalog|bucket|both ...]   (all three; METERHOUSE_ENV names the stack)

It takes minutes, and the stack is as it was afterwards. docs/backup.md says what is done and seen.
"""

from __future__ import annotations

import json
import logging
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from minio.deleteobjects import DeleteObject

from lander.catalog import open_catalog
from lander.table import NAMESPACE
from stack.backup import folder
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings, load_settings
from stack.clients import s3
from stack.maintenance.tables import Table
from stack.modes.choice import runtime_of
from stack.provision import ready
from tests.faults.case import RUN_SECONDS, Case, Grounds, grounds_of
from tests.faults.ledger import Stream
from tests.faults.oracle import Finding, judge
from tests.integration.actors import Actors
from tests.integration.lakehouse import Lakehouse, reading
from tests.integration.test_maintenance import EAGER, SECOND_HOURS, maintained
from tests.postgres import admin_connection

LOG = logging.getLogger(__name__)
CATALOG, BUCKET, BOTH = LOSSES = ("catalog", "bucket", "both")
# What each loss takes, and what is put back: with the bucket the catalog goes back too, for it
# would name files that came after the backup.
DATABASES = {
    CATALOG: ("iceberg_catalog",),
    BUCKET: (),
    BOTH: ("iceberg_catalog", "meterhouse"),
}
OPTIONS = {
    CATALOG: ("--catalog", "--objects"),
    BUCKET: ("--catalog", "--objects", "--replace"),
    BOTH: (),
}
WRITERS = ("lander", "dbt")
SEED = 8831
MESSAGES = 250
STACK_SECONDS = 240
COMMAND_SECONDS = 300
OF_THE_LANDING = {"batch_id", "landed_at", "load_id"}
MARTS = ("device_daily_metrics", "customer_usage_summary")


@dataclass(frozen=True)
class Report:
    """How a drill went. seconds: step -> time it took. said: what `restore` printed.

    orphans: files of the judged table that came after the backup and that no table named then;
    maintenance has removed them.
    """

    backup: folder.Backup
    finding: Finding
    marts_before: list[str]
    marts_after: list[str]
    said: str
    orphans: int
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing duplicated, the marts as before."""
        return self.finding.is_good and self.marts_before == self.marts_after


def play(lakehouse: Lakehouse, loss: str, root: Path) -> Report:
    """Back up while landing goes on, go on, lose, restore, catch up, and look.

    root: folder of backups. A topic of its own is judged message by message, the stack's own one
    by its marts.
    """
    settings, seconds = lakehouse.settings, dict[str, float]()
    (device,) = lakehouse.new_devices()
    with grounds_of(settings, Case(LOSSES.index(loss), SEED, ())) as grounds:
        with Stream(settings, grounds.topic, random.Random(SEED)) as stream:
            send_day(lakehouse, device, 1)
            lakehouse.land()
            stream.burst(MESSAGES)
            assert not grounds.run()
            with timed(seconds, "backup"), landing(grounds):
                command("backup", "--to", str(root))
            stream.burst(MESSAGES)
        assert not grounds.run()
        send_day(lakehouse, device, 2)
        send_day(lakehouse, device, 1, energy_kwh=2.5)
        lakehouse.land_and_round()
        before, files = marts(lakehouse, device), data_files(settings, grounds.topic)
        lose(settings, loss)
        with timed(seconds, "everything back"):
            said = restored(lakehouse, loss, root, seconds)
            with timed(seconds, "lander and round catch up"):
                assert not grounds.run()
                lakehouse.land_and_round()
        lakehouse.offsets_exactly_once()
        command("reconcile", "--full")
        orphans = there(settings, files - data_files(settings, grounds.topic))
        if orphans:
            hasty = replace(EAGER, orphan_hours=10 * SECOND_HOURS)
            maintained(settings, Table(NAMESPACE, grounds.topic), hasty)
            assert not there(settings, orphans)
        LOG.info("loss of %s: %s", loss, seconds)
        return Report(
            backup=folder.choose(root),
            finding=judge(settings, grounds.topic, stream.ledger),
            marts_before=before,
            marts_after=marts(lakehouse, device),
            said=said,
            orphans=len(orphans),
            seconds=seconds,
        )


def restored(lakehouse: Lakehouse, loss: str, root: Path, seconds: dict[str, float]) -> str:
    """Stop, restore, start; what `restore` said."""
    actors = Actors(lakehouse.settings)
    # Trino would go on with sessions of the database that is gone.
    for service in (*WRITERS, "trino"):
        actors.stop(service)
    try:
        with timed(seconds, "restore"):
            return command("restore", "--from", str(root), *OPTIONS[loss])
    finally:
        with timed(seconds, "start"):
            for service in ("trino", *WRITERS):
                actors.start(service)
            ready.wait(lakehouse.settings, STACK_SECONDS, lambda text: None)
            states = runtime_of(lakehouse.settings).states
            wait_until(lambda: all(each.is_good for each in states(lakehouse.settings)))


@contextmanager
def landing(grounds: Grounds) -> Iterator[None]:
    """A lander at work meanwhile."""
    process = grounds.start()
    yield
    process.join(RUN_SECONDS)
    assert process.exitcode == 0


@contextmanager
def timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Note how long a step takes."""
    started = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - started, 1)


def command(*words: str) -> str:
    """What a command of the stack prints. Raises AssertionError if it fails."""
    result = subprocess.run(
        [PROJECT_ROOT / "bin" / "stack", *words],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def send_day(lakehouse: Lakehouse, device: str, day: int, **changes: float) -> None:
    """Readings of one day, some of them broken."""
    hours = (f"2026-02-{day:02}T{hour:02}:00:00Z" for hour in range(24))
    lakehouse.send(*(reading(device, hour, **changes) for hour in hours))
    lakehouse.send_raw([(device.encode(), b"no json"), (device.encode(), b"\xff")])


def marts(lakehouse: Lakehouse, device: str) -> list[str]:
    """Every row of the daily marts and the device's health, without when and how they came."""
    found = [(name, "true") for name in MARTS]
    found.append(("device_health_status", f"device_id = '{device}'"))
    lines: list[str] = []
    for name, condition in found:
        columns = [row[0] for row in lakehouse.sql(f"show columns from iceberg.marts.{name}")]
        kept = ", ".join(column for column in columns if column not in OF_THE_LANDING)
        rows = lakehouse.sql(f"select {kept} from iceberg.marts.{name} where {condition}")
        lines += (f"{name} {json.dumps(row, default=str)}" for row in rows)
    assert any(device in line for line in lines)
    return sorted(lines)


def data_files(settings: Settings, topic: str) -> set[str]:
    """Keys of the files that a landing table reads."""
    table = open_catalog(settings).load_table((NAMESPACE, topic))
    prefix = f"s3://{settings.s3_bucket}/"
    return {task.file.file_path.removeprefix(prefix) for task in table.scan().plan_files()}


def there(settings: Settings, keys: set[str]) -> set[str]:
    """Those of the keys that the bucket has."""
    listed = s3.client(settings).list_objects(settings.s3_bucket, recursive=True)
    return keys & {str(each.object_name) for each in listed}


def lose(settings: Settings, loss: str) -> None:
    """Do the harm."""
    for database in DATABASES[loss]:
        with closing(admin_connection(settings)) as session:
            session.cursor().execute(f"drop database {database} with (force)")
    if loss != CATALOG:
        empty_bucket(settings)


def empty_bucket(settings: Settings) -> None:
    """Delete every object, and the bucket."""
    store, bucket = s3.client(settings), settings.s3_bucket
    keys = [str(each.object_name) for each in store.list_objects(bucket, recursive=True)]
    assert not list(store.remove_objects(bucket, [DeleteObject(key) for key in keys]))
    store.remove_bucket(bucket)


def wait_until(is_true: Callable[[], bool]) -> None:
    """Poll a condition to a limit."""
    end = time.monotonic() + STACK_SECONDS
    while not is_true():
        assert time.monotonic() < end, f"not true within {STACK_SECONDS} s"
        time.sleep(1)


def main(losses: list[str]) -> int:
    """Play the drills and print their times as a table; 1 if one failed."""
    lakehouse = Lakehouse(load_settings())
    results = []
    for loss in losses or LOSSES:
        with tempfile.TemporaryDirectory() as root:
            report = play(lakehouse, loss, Path(root))
            results.append(report.is_good)
            print(f"{loss}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: ", end="")
            size = f"{report.backup.objects} objects, {report.backup.bytes / 1e6:.1f} MB"
            print(f"{'good' if report.is_good else 'BAD'}; {size}; {report.seconds}")
            print(f"  {replace(report.finding, snapshot=None)}")
            print(f"  {len(report.marts_after)} mart rows; {report.orphans} orphans swept")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
