"""Trino for longer work: statements that may take their time, end with us, and are tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from trino.dbapi import connect
from trino.exceptions import TrinoQueryError

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients import trino as trino_client
from stack.writing.statements import MAINTENANCE_USER

ANSWER_SECONDS = 60
COMMIT_TRIES = 6
PAUSE_SECONDS = 1.0
SHOWN_PROBLEM = 300
# Another writer, the lander above all, committed at that moment; nothing was changed.
CONFLICTS = {"ICEBERG_COMMIT_ERROR", "TRANSACTION_CONFLICT"}
# What Iceberg itself says; expire_snapshots passes it on as an internal error of Trino's.
CONFLICT_EXCEPTION = "org.apache.iceberg.exceptions.CommitFailedException"
GONE = {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"}


class TableGoneError(RetriableError):
    """The table was dropped meanwhile."""


class Warehouse:
    """One session. session_properties: of the catalog, such as iceberg.target_max_file_size."""

    def __init__(
        self,
        settings: Settings,
        session_properties: dict[str, str],
        user: str = MAINTENANCE_USER,
    ) -> None:
        self._address = trino_client.address(settings)
        self._connection = connect(
            **trino_client.connection(settings, user),
            catalog="iceberg",
            request_timeout=ANSWER_SECONDS,
            session_properties=session_properties,
        )

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def rows(self, sql: str) -> list[list[Any]]:
        """The rows of one statement. Raises TableGoneError, or RetriableError if it fails.

        Interrupted, the statement is ended in Trino too.
        """
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql)
            rows: list[list[Any]] = cursor.fetchall()
            return rows
        except trino_client.FAILURES as error:
            raise self._told(error, sql) from error
        except KeyboardInterrupt:
            cursor.cancel()
            raise

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

    def _told(self, error: Exception, sql: str) -> RetriableError:
        is_gone = isinstance(error, TrinoQueryError) and error.error_name in GONE
        kind = TableGoneError if is_gone else RetriableError
        return kind(
            f"Trino at {self._address} to run: {' '.join(sql.split())[:SHOWN_PROBLEM]}",
            " ".join(str(error).split())[:SHOWN_PROBLEM],
            "see ./initial-setup.sh status, then run it again",
        )


def is_conflict(error: object) -> bool:
    """Whether Trino refused a commit because the table had moved."""
    return isinstance(error, TrinoQueryError) and (
        error.error_name in CONFLICTS or error.error_exception == CONFLICT_EXCEPTION
    )
