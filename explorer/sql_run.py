"""Run one statement of a person's in the background, with a time limit, a row limit and a stop."""

from __future__ import annotations

import csv
import io
import re
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from trino.exceptions import TrinoQueryError

from explorer.lakehouse import Lakehouse, Problem, columns_of, frame_of, problem_of
from stack.clients.trino import FAILURES
from stack.writing.statements import is_write, without_comments

LIMIT_SECONDS = 60
FETCHED_AT_ONCE = 500
ANALYZE = re.compile(r"explain\s+analyze\s+(?:verbose\s+)?", re.IGNORECASE)
READ_ONLY = Problem(
    "This page runs statements that read: select, with, show, describe, explain, values.",
    "bin/trino",
)
NO_STATEMENT = Problem("Write a statement first, or take one of the examples.", "show schemas")


@dataclass(frozen=True)
class SqlResult:
    """Rows of a statement as Trino gave them, with the columns' names and types."""

    rows: list[list[Any]]
    columns: list[tuple[str, str]]
    is_cut: bool
    seconds: float

    @property
    def frame(self) -> pd.DataFrame:
        """The rows for tables and charts; a name used twice gets a number."""
        return frame_of(self.rows, distinct(self.columns))


def distinct(columns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The columns with names of which no two are the same."""
    seen: dict[str, int] = {}
    result = []
    for name, kind in columns:
        seen[name] = seen.get(name, 0) + 1
        result.append((name if seen[name] == 1 else f"{name}_{seen[name]}", kind))
    return result


def refusal(sql: str) -> Problem | None:
    """Why a statement is not even sent. Trino's own rules stand behind this."""
    words = without_comments(sql)
    if not words.strip(" ;\n\t"):
        return NO_STATEMENT
    analyzed = ANALYZE.match(words)
    return READ_ONLY if is_write(words[analyzed.end() :] if analyzed else words) else None


class SqlRun:
    """One statement from start to end. row_limit: rows fetched at most."""

    def __init__(self, lakehouse: Lakehouse, sql: str, row_limit: int) -> None:
        self.sql = sql
        self.result: SqlResult | None = None
        self.problem: Problem | None = refusal(sql)
        self.is_cancelled = False
        self._lakehouse, self._row_limit = lakehouse, row_limit
        self._began_at = time.monotonic()
        self._connection = lakehouse.connection(LIMIT_SECONDS)
        self._cursor = self._connection.cursor()
        self._thread = threading.Thread(target=self._run, name="sql", daemon=True)

    def start(self) -> SqlRun:
        """Begin, unless the statement is refused."""
        if self.problem is None:
            self._thread.start()
        return self

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._thread.is_alive()

    @property
    def seconds(self) -> float:
        """Since it began, or what it took."""
        return self.result.seconds if self.result else time.monotonic() - self._began_at

    @property
    def query_id(self) -> str | None:
        """Trino's number of the statement."""
        return str(self._cursor.query_id) if self._cursor.query_id else None

    def cancel(self) -> None:
        """End the statement in Trino too."""
        self.is_cancelled = True
        with suppress(*FAILURES):
            self._cursor.cancel()

    def wait(self, seconds: float) -> None:
        """Wait for the end, so long at most."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self._cursor.execute(self.sql.strip().rstrip(";"))
            self.result = self._fetch()
        except FAILURES as error:
            self.problem = self._problem(error)
        finally:
            self._connection.close()

    def _fetch(self) -> SqlResult:
        rows: list[list[Any]] = []
        while len(rows) <= self._row_limit:
            more = self._cursor.fetchmany(min(FETCHED_AT_ONCE, self._row_limit + 1 - len(rows)))
            if not more:
                break
            rows += more
        is_cut = len(rows) > self._row_limit
        if is_cut:
            # Trino need not go on with rows that nobody will see.
            with suppress(*FAILURES):
                self._cursor.cancel()
        seconds = time.monotonic() - self._began_at
        return SqlResult(rows[: self._row_limit], columns_of(self._cursor), is_cut, seconds)

    def _problem(self, error: Exception) -> Problem:
        if self.is_cancelled:
            return Problem("Cancelled; Trino has ended the statement.", "bin/trino", is_empty=True)
        if isinstance(error, TrinoQueryError) and error.error_name == "EXCEEDED_TIME_LIMIT":
            return Problem(
                f"Ended after {LIMIT_SECONDS} s, the limit of this page. Narrow it by date, or "
                "run it without this limit:",
                "bin/trino",
            )
        if isinstance(error, TrinoQueryError) and error.error_name != "PERMISSION_DENIED":
            return Problem(f"{error.error_name}: {error.message}", "bin/trino")
        return problem_of(error, "", self._lakehouse.address)


def csv_of(result: SqlResult) -> bytes:
    """The rows as CSV in UTF-8 with a line of names; numbers exact, times in ISO 8601."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow([name for name, _ in distinct(result.columns)])
    out.writerows([[written(value) for value in row] for row in result.rows])
    return text.getvalue().encode()


def written(value: Any) -> Any:
    """A value as CSV holds it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def parquet_of(result: SqlResult) -> bytes:
    """The rows as Parquet; decimals stay decimals, what Arrow has no type for becomes text."""
    arrays = {}
    for index, (name, _) in enumerate(distinct(result.columns)):
        values = [row[index] for row in result.rows]
        try:
            arrays[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
            arrays[name] = pa.array([None if value is None else str(value) for value in values])
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink)
    return sink.getvalue()
