"""The one-writer lock: dbt by hand, scheduled rounds and maintenance never write together."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg2

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients import postgres
from stack.clients.postgres import CATALOG, Postgres, Session, first_line
from stack.writing import statements

SCHEDULED_ROUND = "scheduled round"
BY_HAND = "dbt run by hand"
MAINTENANCE = "maintenance"
RECONCILIATION = "reconciliation by hand"
BACKUP = "backup"
RESTORE = "restore"
SCORECARD = "scorecard"

# One number for every writer of a stack; below 2^32, so pg_locks shows it whole in objid.
LOCK_KEY = 88_310_001
# Another one for whoever removes objects, or needs that nobody does: maintenance, backup, restore.
OBJECTS_KEY = 88_310_002
PAUSE_SECONDS = 0.5
CHECK_SECONDS = 1.0
# PostgreSQL cuts application names off at 63 bytes: the host gives way, the process id does not.
HOST_CHARACTERS = 24

# A session is opened for each attempt, so the age of a holder's session is that of its lock.
HOLDER_SQL = """
select pg_stat_activity.application_name, pg_stat_activity.backend_start
from pg_locks
inner join pg_database on pg_locks.database = pg_database.oid
left join pg_stat_activity on pg_locks.pid = pg_stat_activity.pid
where
    pg_locks.locktype = 'advisory'
    and pg_locks.granted
    and pg_locks.objsubid = 1
    and pg_locks.classid = 0
    and pg_locks.objid = %s
    and pg_database.datname = current_database()
"""

Say = Callable[[str], None]
Beat = Callable[[], None]


def silent() -> None:
    """Do nothing between two attempts."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lock.

    name: work, host and process id, as PostgreSQL shows the session; since: UTC, None if the
    session cannot be seen.
    """

    name: str
    since: datetime | None

    def __str__(self) -> str:
        since = f" since {self.since:%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return f"{self.name or 'a session without a name'}{since}"


class WriterLock:
    """A lock while it is held: it lasts exactly as long as its database session."""

    def __init__(self, connection: Session, key: int = LOCK_KEY) -> None:
        self._connection, self._key = connection, key
        self._checked_at = time.monotonic()

    def glance(self) -> None:
        """check(), but at most once in CHECK_SECONDS; for loops that turn faster."""
        if time.monotonic() - self._checked_at >= CHECK_SECONDS:
            self.check()

    def check(self) -> None:
        """Raise RetriableError if the session, and with it the lock, is gone.

        Call it before every command that writes: after a restart of PostgreSQL another writer
        may hold the lock.
        """
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("select 1")
            self._checked_at = time.monotonic()
        except psycopg2.Error as error:
            raise lost_error(first_line(error)) from error

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement of the lock's own session, so that it cannot outlive the lock.

        Raises RetriableError as check() does.
        """
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, values)
                found: list[tuple[Any, ...]] = cursor.fetchall()
        except psycopg2.Error as error:
            raise lost_error(first_line(error)) from error
        self._checked_at = time.monotonic()
        return found

    def fileno(self) -> int:
        """The session's socket: a program that has it open too keeps the lock until it has ended.

        Only this process may read from it.
        """
        return int(self._connection.fileno())

    def release(self) -> None:
        """Give the lock back; a session that is gone has given it back already."""
        with suppress(psycopg2.Error), self._connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(%s)", (self._key,))
        with suppress(psycopg2.Error):
            self._connection.close()


def lost_error(found: str) -> RetriableError:
    """The error of a writer whose lock is gone."""
    return RetriableError(
        "the one-writer lock to stay ours",
        f"its database session ended: {found}",
        "nothing more is written; run again",
    )


def session_name(who: str, host: str, process_id: int) -> str:
    """How a writer shows itself to the others, within PostgreSQL's 63 bytes."""
    return f"{who}, process {process_id} on {host[:HOST_CHARACTERS]}"


def try_lock(server: Postgres, who: str, key: int = LOCK_KEY) -> WriterLock | Holder:
    """One attempt: the lock, or who holds it. Raises RetriableError if PostgreSQL is away."""
    connection = server.connect(CATALOG, session_name(who, socket.gethostname(), os.getpid()))
    try:
        with connection.cursor() as cursor:
            cursor.execute("select pg_try_advisory_lock(%s)", (key,))
            if (cursor.fetchone() or (False,))[0]:
                return WriterLock(connection, key)
            cursor.execute(HOLDER_SQL, (key,))
            row = cursor.fetchone() or ("a writer that has just ended", None)
        connection.close()
        return Holder(*row)
    except BaseException:
        connection.close()
        raise


def holder(server: Postgres) -> Holder | None:
    """Who holds the lock now, or None. Raises RetriableError if PostgreSQL is away."""
    rows = server.rows(CATALOG, "lock inspection", HOLDER_SQL, (LOCK_KEY,))
    return Holder(*rows[0]) if rows else None


def busy_error(found: Holder, waited_seconds: float) -> RetriableError:
    """The error of a writer that did not get its turn."""
    return RetriableError(
        f"the one-writer lock within {waited_seconds:.0f} s",
        f"held by {found}",
        "wait for it to end, or stop it",
    )


def wait_for_lock(
    attempt: Callable[[], WriterLock | Holder],
    wait_seconds: float,
    say: Say,
    *,
    beat: Beat = silent,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> WriterLock:
    """Try until the lock is ours; tell once per holder who it is.

    beat is called between two attempts. Raises RetriableError naming the holder when the limit
    is reached.
    """
    started_at, told = monotonic(), ""
    while isinstance(found := attempt(), Holder):
        waited_seconds = monotonic() - started_at
        if waited_seconds >= wait_seconds:
            raise busy_error(found, wait_seconds)
        if str(found) != told:
            told = str(found)
            say(f"waiting up to {wait_seconds:.0f} s for the one-writer lock, held by {told}")
        beat()
        sleep(min(PAUSE_SECONDS, wait_seconds - waited_seconds))
    return found


@contextmanager
def hold_lock(
    settings: Settings,
    who: str,
    wait_seconds: float,
    say: Say,
    beat: Beat = silent,
    *,
    key: int = LOCK_KEY,
) -> Iterator[WriterLock]:
    """Hold a lock alone, without looking for orphaned statements in Trino.

    key: LOCK_KEY of writers, or OBJECTS_KEY, which comes first where both are taken. Raises
    RetriableError if PostgreSQL is away or another one keeps the lock.
    """
    server = postgres.client(settings, postgres.DBT)
    lock = wait_for_lock(lambda: try_lock(server, who, key), wait_seconds, say, beat=beat)
    try:
        yield lock
    finally:
        lock.release()


@contextmanager
def one_writer(
    settings: Settings,
    who: str,
    wait_seconds: float,
    say: Say,
    trino_user: str = statements.WRITER_USER,
) -> Iterator[WriterLock]:
    """Be the only writer: the lock is held and no orphaned statement runs any more.

    who: SCHEDULED_ROUND, BY_HAND or MAINTENANCE; trino_user: as whom writers use Trino. Call
    check() of the yielded lock before each further statement or command. Raises RetriableError
    if another writer keeps the lock, naming it, or if PostgreSQL or Trino is away.
    """
    with hold_lock(settings, who, wait_seconds, say) as lock:
        statements.settle(statements.writers(settings, trino_user), say)
        lock.check()
        yield lock
