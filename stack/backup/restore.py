"""Put a backup back: the objects first, then the catalog, so that it never names a missing file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stack.backup import databases, folder, gap, objects, record, verify
from stack.backup.backup import SHOWN_PROBLEMS, damaged, row_of
from stack.backup.folder import Backup
from stack.backup.tables import Walk
from stack.base.errors import ConfigurationError, FatalError, MeterhouseError
from stack.base.settings import Settings
from stack.base.text import Say
from stack.clients import postgres
from stack.clients.kafka import DBT, Administrator, administrator
from stack.clients.postgres import CATALOG, MASTER_DATA
from stack.modes.choice import runtime_of
from stack.modes.runtime import State
from stack.provision import ready
from stack.provision.initialise import READY_SECONDS, make_users
from stack.writing.lock import OBJECTS_KEY, RESTORE, hold_lock

WAIT_SECONDS = 10.0
# Lander and dbt runner, natively and in containers, and what their runtimes call a service at rest.
WRITERS = {"lander", "dbt", "telemetry-lander", "dbt-transformations"}
AT_REST = ("STOPPED", "EXITED", "FATAL", "exited", "created", "dead")
NEXT_STEP = (
    "./initial-setup.sh starts the rest: the lander lands from Kafka what came after the backup, "
    "the next round brings the marts up to date; then bin/stack reconcile --full"
)


@dataclass(frozen=True)
class Parts:
    """What is put back. may_replace: what the databases hold now is given up for it."""

    catalog: bool = True
    objects: bool = True
    master_data: bool = True
    may_replace: bool = False

    @property
    def databases(self) -> list[str]:
        """The databases among them."""
        chosen = {CATALOG: self.catalog, MASTER_DATA: self.master_data}
        return [database for database, is_chosen in chosen.items() if is_chosen]


def restore(settings: Settings, place: Path, parts: Parts, say: Say) -> int:
    """Put the parts of a backup back; 0.

    place: a backup's folder, or a folder of backups, of which the newest finished one is taken.
    Raises ConfigurationError where there is no such backup or something must be said or stopped
    first, FatalError for a damaged backup, RetriableError if a service is away. The catalog is
    changed last and as a whole: until then nothing is lost by trying again.
    """
    started = time.monotonic()
    backup = folder.choose(place)
    say(f"from {backup.folder}")
    check_bucket(settings.s3_bucket, backup)
    problems = verify.problems_of_files(backup, backup.listed(), deep=False)
    if problems:
        raise damaged(backup, problems)
    runtime = runtime_of(settings)
    refuse_writers(runtime.states(settings))
    runtime.start_stores(settings, say)
    ready.wait(settings, READY_SECONDS, say, [ready.OBJECTSTORE])
    make_users(settings, say)
    with (
        hold_lock(settings, RESTORE, WAIT_SECONDS, say, key=OBJECTS_KEY),
        hold_lock(settings, RESTORE, WAIT_SECONDS, say),
    ):
        put_back(settings, backup, parts, say)
    say(f"restored in {time.monotonic() - started:.1f} s; {NEXT_STEP}")
    return 0


def check_bucket(bucket: str, backup: Backup) -> None:
    """Raise ConfigurationError if the tables name another bucket: their files' names are full."""
    if backup.bucket != bucket:
        raise ConfigurationError(
            f"S3_BUCKET={backup.bucket}, which the backup's tables name",
            bucket,
            "change it in .env",
        )


def refuse_writers(states: list[State]) -> None:
    """Raise ConfigurationError if the lander or the dbt runner is not at rest."""
    running = [
        each.name for each in states if each.name in WRITERS and not each.status.startswith(AT_REST)
    ]
    if running:
        raise ConfigurationError(
            "no lander and no rounds while tables are put back",
            f"{' and '.join(running)} running",
            "stop them first: ./initial-setup.sh stop (Kafka keeps what comes in after the start)",
        )


def put_back(settings: Settings, backup: Backup, parts: Parts, say: Say) -> None:
    """Copy the parts back, in their order."""
    server = postgres.client(settings, postgres.OWNER)
    tell_gap(administrator(settings, DBT), backup, say)
    if not parts.may_replace:
        refuse_contents([databases.contents(server, each) for each in parts.databases], backup)
    store = objects.Bucket(settings)
    if parts.objects:
        count = objects.copy_back(store, backup.pool, backup.listed())
        say(f"objects: {count} put back, the others were there")
    if parts.catalog:
        check_objects(settings, backup, store.sizes())
    for database in parts.databases:
        databases.restore(settings, database, databases.dump_file(backup.folder, database))
        say(f"database {database}: as it was at {backup.taken_at:%Y-%m-%d %H:%M:%S} UTC")
    if parts.catalog and not parts.master_data:
        say("if meters moved since the backup: bin/dbt run --full-refresh values readings again")
    record.save(server, row_of(backup, datetime.now(UTC)))


def refuse_contents(found: list[str], backup: Backup) -> None:
    """Raise ConfigurationError if the databases hold something and nobody said that it may go."""
    there = [each for each in found if each]
    if there:
        raise ConfigurationError(
            "empty databases",
            " and ".join(there),
            f"say --replace to have what was there at {backup.taken_at:%Y-%m-%d %H:%M} UTC instead",
        )


def check_objects(settings: Settings, backup: Backup, there: dict[str, int]) -> None:
    """Raise FatalError if the bucket lacks what the backup's catalog needs."""
    walk = Walk(backup.pool, backup.bucket)
    walk.follow(databases.entries(settings, databases.dump_file(backup.folder, CATALOG)))
    problems = list(verify.lacking(walk.needed, there))
    if problems:
        raise FatalError(
            "every file that the backup's catalog names in the bucket",
            f"{len(problems)} that differ: {'; '.join(problems[:SHOWN_PROBLEMS])}",
            "restore the objects too: --objects, or neither",
        )


def tell_gap(kafka: Administrator, backup: Backup, say: Say) -> None:
    """Say whether Kafka still holds what came after the backup."""
    now = datetime.now(UTC)
    try:
        topics = gap.look(kafka, backup.landed, now, backup.taken_at)
    except MeterhouseError as error:
        say(f"! whether the topics fill the gap is not known: {error.found}")
        return
    for each in topics:
        say(f"{'! ' if each.problems else ''}{each}")
