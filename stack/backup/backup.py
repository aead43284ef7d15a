"""Make a backup: the catalog first, then the objects, so that all it names is in the copy."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stack.backup import databases, folder, gap, objects, record, verify
from stack.backup.databases import CatalogEntry
from stack.backup.folder import OBJECT_LIST, Backup, Stored
from stack.backup.listing import megabytes, told
from stack.backup.tables import PoolIO, Walk
from stack.base.errors import FatalError, MeterhouseError, RetriableError
from stack.base.settings import Settings
from stack.base.text import Say
from stack.clients import postgres
from stack.clients.kafka import DBT, administrator
from stack.clients.postgres import CATALOG, MASTER_DATA
from stack.writing.lock import BACKUP, OBJECTS_KEY, WriterLock, hold_lock

WAIT_SECONDS = 600.0
SHOWN_PROBLEMS = 5


def make_backup(settings: Settings, root: Path, say: Say) -> int:
    """Make a backup below `root` and remove those that BACKUP_KEEP leaves no room for; 0.

    Lander and models go on meanwhile; maintenance, which removes objects, waits. Raises
    RetriableError if a service is away, the disk is full, or a table lost files meanwhile; what is
    copied then stays half-written until the next backup removes it.
    """
    with hold_lock(settings, BACKUP, WAIT_SECONDS, say, key=OBJECTS_KEY) as lock:
        started = time.monotonic()
        known = known_objects(root)
        with objects.running_out(root):
            backup, copied = BackupWork(settings, root, lock, say).run(known)
            if problems := verify.problems_of_files(backup, backup.listed(), deep=False):
                raise damaged(backup, problems)
            folder.finish(backup)
        record.save(postgres.client(settings, postgres.OWNER), row_of(backup))
        removed = folder.prune(root, settings.backup_keep)
    say(
        f"{backup.folder}: {backup.objects} objects, {megabytes(backup.bytes)}, of which "
        f"{megabytes(copied)} are new; checked; {time.monotonic() - started:.1f} s"
    )
    if removed:
        say(f"removed: {', '.join(removed)}")
    return 0


@dataclass(frozen=True)
class BackupWork:
    """One backup under way."""

    settings: Settings
    root: Path
    lock: WriterLock
    say: Say

    def run(self, known: Mapping[str, Stored]) -> tuple[Backup, int]:
        """Copy all, check it, and tell of the topics; the backup, and the bytes that were new."""
        taken_at = datetime.now(UTC)
        place = folder.make(self.root, taken_at)
        pool, bucket = self.root / folder.POOL, self.settings.s3_bucket
        # Before the catalog: a meter that moves in between then counts as not yet dealt with.
        databases.dump(self.settings, MASTER_DATA, databases.dump_file(place, MASTER_DATA))
        catalog = databases.dump_file(place, CATALOG)
        databases.dump(self.settings, CATALOG, catalog)
        entries = databases.entries(self.settings, catalog)
        stored, copied = self._copy(entries, known)
        folder.write_list(place / OBJECT_LIST, stored.values())
        self._check(verify.problems_of_tables(entries, pool, bucket, stored))
        self.lock.check()
        landed = gap.landed_of(entries, Walk(pool, bucket))
        names = (catalog.name, f"{MASTER_DATA}.dump", OBJECT_LIST)
        backup = Backup(
            folder=place,
            taken_at=taken_at,
            fills_gap_until=self._fills_until(landed),
            bucket=bucket,
            landed=landed,
            objects=len(stored),
            bytes=sum(each.bytes for each in stored.values()),
            sums={name: folder.digest_of(place / name) for name in names},
        )
        return backup, copied

    def _copy(
        self, entries: list[CatalogEntry], known: Mapping[str, Stored]
    ) -> tuple[dict[str, Stored], int]:
        """Copy every object that is there now, and the bytes that are new.

        What the catalog names comes first: a table keeps its last metadata files only, and a
        writer's commits remove older ones.
        """
        store = objects.Bucket(self.settings)
        pool = self.root / folder.POOL
        sizes = store.sizes()
        there = {k: n for k, n in sizes.items() if objects.is_there(folder.place_of(pool, k), n)}
        io = PoolIO(pool, self.settings.s3_bucket)
        named = {io.key_of(entry.location) for entry in entries} & sizes.keys()
        first = {key: sizes[key] for key in named}
        stored = objects.copy_in(store, pool, first, known)
        stored |= objects.copy_in(
            store, pool, {key: n for key, n in sizes.items() if key not in named}, known
        )
        return stored, sum(each.bytes for key, each in stored.items() if key not in there)

    def _check(self, problems: list[str]) -> None:
        """Raise RetriableError unless the copy is whole."""
        if problems:
            raise RetriableError(
                "a copy of every file that the catalog's tables refer to",
                f"{len(problems)} that differ: {'; '.join(problems[:SHOWN_PROBLEMS])}",
                "run it again: a table was dropped meanwhile, or it is damaged: then "
                "bin/trino cannot read it either, and dropping it is the way out",
            )

    def _fills_until(self, landed: Mapping[str, str]) -> datetime | None:
        """Until when the topics fill the gap; said, with a warning where it is too soon."""
        now, hours = datetime.now(UTC), self.settings.backup_restore_hours
        try:
            topics = gap.look(administrator(self.settings, DBT), landed, now)
        except MeterhouseError as error:
            self.say(f"! whether the topics fill the gap is not known: {error.found}")
            return now
        for each in topics:
            self.say(str(each))
        until = gap.fills_until(topics, hours, now)
        self.say(told(until, hours, now))
        return until


def known_objects(root: Path) -> dict[str, Stored]:
    """What the finished backups say of the pool."""
    found: dict[str, Stored] = {}
    for backup in folder.finished(root):
        found |= backup.listed()
    return found


def row_of(backup: Backup, restored_at: datetime | None = None) -> record.BackupRow:
    """A backup as PostgreSQL knows it."""
    return record.BackupRow(
        backup.name,
        backup.taken_at,
        backup.fills_gap_until,
        backup.objects,
        backup.bytes,
        restored_at,
    )


def check_backup(settings: Settings, place: Path, say: Say) -> int:
    """Read every file of a backup again and compare it with what was copied and what is needed; 0.

    Raises FatalError naming what is missing or changed.
    """
    backup = folder.choose(place)
    listed = backup.listed()
    problems = verify.problems_of_files(backup, listed, deep=True)
    catalog = databases.dump_file(backup.folder, CATALOG)
    if not problems:
        entries = databases.entries(settings, catalog)
        problems = verify.problems_of_tables(entries, backup.pool, backup.bucket, listed)
    if problems:
        raise damaged(backup, problems)
    say(f"{backup.folder}: {len(listed)} objects and two dumps as they were copied; nothing lacks")
    return 0


def damaged(backup: Backup, problems: list[str]) -> FatalError:
    """The error of a backup that is no longer what was written."""
    return FatalError(
        f"backup {backup.name} as it was written",
        f"{len(problems)} files that differ: {'; '.join(problems[:SHOWN_PROBLEMS])}",
        "use another one (bin/stack backup --list), and make a new one on a sound disk",
    )
