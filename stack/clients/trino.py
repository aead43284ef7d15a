"""The one way to ask Trino: where it is, as whom, for how long, and what a failure says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from trino.auth import BasicAuthentication
from trino.dbapi import Connection, Cursor, connect
from trino.exceptions import Error, HttpError, TrinoQueryError

from stack.base.errors import ConfigurationError, RetriableError
from stack.base.settings import Secret, Settings

# What a question to Trino raises: its errors, no answer, or one that is none: a wrong password.
FAILURES = (Error, HttpError, requests.exceptions.RequestException)
OPERATOR = "operator"
COMMIT_TRIES = 6
PAUSE_SECONDS = 1.0
# Another writer, the lander above all, committed at that moment; nothing was changed.
CONFLICTS = {"ICEBERG_COMMIT_ERROR", "TRANSACTION_CONFLICT"}
# What Iceberg itself says; expire_snapshots passes it on as an internal error of Trino's.
CONFLICT_EXCEPTION = "org.apache.iceberg.exceptions.CommitFailedException"
GONE = {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}
SHOWN = 300
START = "see ./initial-setup.sh status, start it with ./initial-setup.sh"


class TableGoneError(RetriableError):
    """The table or its schema is not there, or was dropped meanwhile."""


@dataclass(frozen=True)
class Trino:
    """One user's way to a Trino; each statement has a connection of its own.

    ca_file, password: where the stack is secure, else None. answer_seconds: for one answer, of
    which a statement gives many; attempts: at a request that Trino does not answer. source: the
    program, as Trino shows it. session: its properties, such as iceberg.target_max_file_size.
    """

    host: str
    port: int
    user: str
    ca_file: Path | None = None
    password: Secret | None = None
    answer_seconds: float = 30.0
    attempts: int = 1
    source: str = "meterhouse"
    catalog: str = "iceberg"
    session: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where it is, as browsers and the command line want it."""
        return f"{'https' if self.ca_file else 'http'}://{self.host}:{self.port}"

    def connect(self) -> Connection:
        """A connection for one thread, to be closed by the caller.

        Its session is in UTC, not in the machine's own zone: current_date is the marts' day.
        """
        connection: Connection = connect(
            host=self.host,
            port=self.port,
            user=self.user,
            http_scheme="https" if self.ca_file else "http",
            http_session=self._http(),
            auth=BasicAuthentication(self.user, str(self.password)) if self.ca_file else None,
            source=self.source,
            catalog=self.catalog,
            timezone="UTC",
            request_timeout=self.answer_seconds,
            max_attempts=self.attempts,
            legacy_prepared_statements=False,
            session_properties=dict(self.session),
        )
        return connection

    def _http(self) -> requests.Session:
        session = requests.Session()
        # A proxy named in the environment does not know the stack's addresses, and a certificate
        # bundle named there would win over ours.
        session.trust_env = False
        if self.ca_file:
            session.verify = str(self.ca_file)
        return session

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        """A cursor that raises Trino's own errors, FAILURES.

        Interrupted, its statement is ended in Trino too.
        """
        with closing(self.connect()) as connection:
            cursor = connection.cursor()
            try:
                yield cursor
            except KeyboardInterrupt:
                cursor.cancel()
                raise

    def rows(self, sql: str) -> list[list[Any]]:
        """The rows of one statement.

        Raises TableGoneError where there is no such table, RetriableError if Trino refuses the
        statement or does not answer.
        """
        return self._answer(sql)[1]

    def records(self, sql: str) -> list[dict[str, Any]]:
        """The rows of one statement by the names of its columns. Raises as rows does."""
        names, rows = self._answer(sql)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _answer(self, sql: str) -> tuple[list[str], list[list[Any]]]:
        try:
            with self.cursor() as cursor:
                cursor.execute(sql)
                rows: list[list[Any]] = cursor.fetchall()
                return [column.name for column in cursor.description or ()], rows
        except FAILURES as error:
            raise self.problem(error, sql) from error

    def commit(self, sql: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """Run a statement that commits, again where another commit came in between.

        Raises as rows does; RetriableError too after COMMIT_TRIES conflicts in a row.
        """
        for number in range(1, COMMIT_TRIES + 1):
            try:
                self.rows(sql)
                return
            except RetriableError as error:
                if number == COMMIT_TRIES or not is_conflict(error.__cause__):
                    raise
                sleep(PAUSE_SECONDS)

    def problem(self, error: Exception, sql: str) -> RetriableError:
        """The error of a statement; error: one of FAILURES."""
        words = " ".join(str(error).split())
        if not isinstance(error, TrinoQueryError):
            wanted = f"an answer from Trino at {self.address}"
            return RetriableError(wanted, f"{type(error).__name__}: {words}"[:SHOWN], START)
        kind = TableGoneError if error.error_name in GONE else RetriableError
        wanted = f"Trino at {self.address} to run: {' '.join(sql.split())[:SHOWN]}"
        return kind(wanted, words[:SHOWN], "see ./initial-setup.sh status, then run it again")


def client(
    settings: Settings,
    user: str = OPERATOR,
    *,
    answer_seconds: float = 30.0,
    attempts: int = 1,
    source: str = "meterhouse",
    session: Mapping[str, str] | None = None,
) -> Trino:
    """The stack's Trino as a user; the rest as Trino explains it.

    Raises ConfigurationError for a user whose password a secure stack does not know.
    """
    return Trino(
        settings.trino_host,
        settings.trino_port,
        user,
        settings.tls_ca_file if settings.secure else None,
        password_of(settings, user) if settings.secure else None,
        answer_seconds,
        attempts,
        source,
        session=session or {},
    )


def patient(settings: Settings, user: str, session: Mapping[str, str] | None = None) -> Trino:
    """The stack's Trino for longer work: a busy one is given time."""
    return client(settings, user, answer_seconds=60.0, attempts=3, session=session)


def is_conflict(error: object) -> bool:
    """Whether Trino refused a commit because the table had moved."""
    return isinstance(error, TrinoQueryError) and (
        error.error_name in CONFLICTS or error.error_exception == CONFLICT_EXCEPTION
    )


def tool_login(settings: Settings, arguments: Sequence[str]) -> dict[str, str]:
    """What lets Trino's command line log in as the operator without asking.

    Where the arguments name another user, it asks for that one's password.
    """
    if not settings.secure or any(word.startswith("--user") for word in arguments):
        return {}
    return {"TRINO_PASSWORD": str(settings.trino_operator_password)}


def address(settings: Settings) -> str:
    """Trino's address as browsers and the command line want it."""
    scheme = "https" if settings.secure else "http"
    return f"{scheme}://{settings.trino_host}:{settings.trino_port}"


def password_of(settings: Settings, user: str) -> Secret:
    """The password of one of the stack's own users. Raises ConfigurationError for another."""
    try:
        return passwords(settings)[user]
    except KeyError as error:
        raise ConfigurationError(
            f"a password of Trino's user {user}",
            f"those of {', '.join(passwords(settings))}",
            "log in as one of them; bin/stack password gives a person a password",
        ) from error


def passwords(settings: Settings) -> dict[str, Secret]:
    """The password of each user that a program of the stack logs in as."""
    return {
        OPERATOR: settings.trino_operator_password,
        "dbt": settings.trino_dbt_password,
        "dbt-lock": settings.trino_dbt_password,
        # The same process as dbt's.
        "maintenance": settings.trino_dbt_password,
        "maintenance-lock": settings.trino_dbt_password,
        "explorer": settings.trino_explorer_password,
        "analyst": settings.trino_analyst_password,
        "health": settings.trino_health_password,
    }
