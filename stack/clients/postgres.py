"""The one way to a session of PostgreSQL: where it is, as whom, and when it is given up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg2
from psycopg2.extensions import connection, cursor

from stack.base.errors import RetriableError
from stack.base.settings import Secret, Settings

Session: TypeAlias = connection
Cursor: TypeAlias = cursor
Values: TypeAlias = Mapping[str, object] | Sequence[object] | None

CATALOG, MASTER_DATA = "iceberg_catalog", "meterhouse"
# The server's owner; the lander, as the catalog's owner; models, maintenance and reconciliation.
OWNER, LANDER, DBT, SIMULATOR = "postgres", "catalog", "dbt", "simulator"
# In which nothing is kept: to ask whether the server answers.
ANY_DATABASE = "postgres"

ANSWER_SECONDS = 5
STATEMENT_SECONDS = 10
UNLIMITED = 0
# Both ends notice within half a minute that the other one is gone without closing the session.
CLIENT_KEEPALIVE: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
SERVER_KEEPALIVE = {
    "idle_session_timeout": "0",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
MAKE = "run ./initial-setup.sh: it makes what is missing"
NEXT_STEP = "see ./initial-setup.sh status, start it with ./initial-setup.sh"


@dataclass(frozen=True)
class Postgres:
    """One role's way to a server."""

    host: str
    port: int
    role: str
    password: Secret

    def connect(
        self,
        database: str,
        name: str,
        *,
        answer_seconds: int = ANSWER_SECONDS,
        statement_seconds: int = STATEMENT_SECONDS,
    ) -> Session:
        """A session in which each statement is its own transaction; limits as in `limits`.

        name: of the session, as the server shows it. Raises RetriableError if PostgreSQL does not
        answer or refuses the role.
        """
        try:
            session: Session = psycopg2.connect(
                host=self.host,
                port=self.port,
                user=self.role,
                password=str(self.password),
                dbname=database,
                application_name=name,
                **limits(answer_seconds, statement_seconds),
            )
        except psycopg2.OperationalError as error:
            raise self.problem(database, error, NEXT_STEP) from error
        session.autocommit = True
        return session

    def rows(
        self, database: str, name: str, sql: str, values: Values = None
    ) -> list[tuple[Any, ...]]:
        """The rows of one statement in a session of its own. Raises RetriableError."""
        session = self.connect(database, name)
        with self._told(database), closing(session), session.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    @contextmanager
    def transaction(
        self,
        database: str,
        name: str,
        *,
        answer_seconds: int = ANSWER_SECONDS,
        statement_seconds: int = STATEMENT_SECONDS,
    ) -> Iterator[Cursor]:
        """A cursor for the statements of one transaction, in a session of its own.

        Raises RetriableError where PostgreSQL does not answer or refuses one; nothing is changed
        then.
        """
        session = self.connect(
            database, name, answer_seconds=answer_seconds, statement_seconds=statement_seconds
        )
        with self._told(database), closing(session), session, session.cursor() as cursor:
            yield cursor

    @contextmanager
    def _told(self, database: str) -> Iterator[None]:
        try:
            yield
        except psycopg2.Error as error:
            is_missing = isinstance(error, psycopg2.ProgrammingError)
            next_step = MAKE if is_missing else NEXT_STEP
            raise self.problem(database, error, next_step) from error

    def problem(self, database: str, error: psycopg2.Error, next_step: str) -> RetriableError:
        """The error of a session that PostgreSQL did not open, or of a statement it refused."""
        return RetriableError(
            f"PostgreSQL at {self.host}:{self.port}, database {database}, role {self.role}",
            first_line(error),
            next_step,
        )


def limits(
    answer_seconds: int = ANSWER_SECONDS, statement_seconds: int = STATEMENT_SECONDS
) -> dict[str, Any]:
    """Connection parameters by which either end notices that the other one is gone.

    answer_seconds: to log in within; statement_seconds: for one statement, UNLIMITED for no limit.
    """
    server = {"statement_timeout": f"{statement_seconds}s", **SERVER_KEEPALIVE}
    options = " ".join(f"-c {setting}={value}" for setting, value in server.items())
    return {"connect_timeout": answer_seconds, "options": options, **CLIENT_KEEPALIVE}


def client(settings: Settings, role: str) -> Postgres:
    """The stack's PostgreSQL as one of the roles named above."""
    passwords = {
        OWNER: settings.postgres_password,
        LANDER: settings.postgres_catalog_password,
        DBT: settings.postgres_dbt_password,
        SIMULATOR: settings.postgres_simulator_password,
    }
    return Postgres(settings.postgres_host, settings.postgres_port, role, passwords[role])


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its kind where it has none."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
