"""Ask Trino as the read-only user: with a time limit, several questions at once, answers kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import requests
from trino.dbapi import Connection
from trino.exceptions import TrinoConnectionError, TrinoQueryError

from explorer.cache import Cache
from explorer.queries import Query
from stack.base.settings import Settings
from stack.clients.trino import FAILURES, Trino, client

USER = "explorer"
CATALOG = "iceberg"
KEPT_SECONDS = 60.0
MOST_KEPT = 300
PAGE_SECONDS = 20
REQUEST_SECONDS = 10.0
AT_ONCE = 4
SHOWN_CHARACTERS = 300

MISSING = {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND", "CATALOG_NOT_FOUND", "INVALID_VIEW"}
# In a page's own question: an older version's table gets new columns by the models' first run.
OUTDATED = "COLUMN_NOT_FOUND"
TOO_LONG = {"EXCEEDED_TIME_LIMIT", "EXCEEDED_CPU_LIMIT"}


@dataclass(frozen=True)
class Problem:
    """Why there is no answer, in words, and the command that helps.

    is_empty: nothing is broken, there is only nothing yet. missing: the tables that are not there.
    """

    text: str
    command: str
    is_empty: bool = False
    missing: str = ""


@dataclass(frozen=True)
class Answer:
    """Rows of a query. age_seconds: since Trino was asked."""

    frame: pd.DataFrame
    age_seconds: float = 0.0

    @property
    def row(self) -> dict[str, Any]:
        """The first row; empty if there is none. Missing values are None."""
        if self.frame.empty:
            return {}
        first = self.frame.iloc[0]
        return {name: None if is_missing(first[name]) else first[name] for name in first.index}


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing."""
    return bool(pd.isna(value)) if pd.api.types.is_scalar(value) else value is None


class Lakehouse:
    """The tables of one catalog, read only."""

    def __init__(self, settings: Settings, catalog: str = CATALOG) -> None:
        self._settings, self._catalog = settings, catalog
        self._cache: Cache[pd.DataFrame] = Cache(KEPT_SECONDS, MOST_KEPT, time.monotonic)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ask")

    @property
    def address(self) -> str:
        """Where Trino is, for people."""
        return f"{self._settings.trino_host}:{self._settings.trino_port}"

    def connection(self, limit_seconds: int) -> Connection:
        """A connection whose statements Trino itself ends after limit_seconds."""
        return self._trino(limit_seconds).connect()

    def _trino(self, limit_seconds: int) -> Trino:
        limit = {"query_max_run_time": f"{limit_seconds}s"}
        trino = client(
            self._settings, USER, answer_seconds=REQUEST_SECONDS, source=USER, session=limit
        )
        return replace(trino, catalog=self._catalog)

    def ask(self, queries: Mapping[str, Query]) -> dict[str, Answer | Problem]:
        """The answers by the questions' names, each from Trino or from what is kept."""
        asked = {name: self._pool.submit(self._answer, query) for name, query in queries.items()}
        return {name: future.result() for name, future in asked.items()}

    def forget(self) -> None:
        """Ask Trino again from now on."""
        self._cache.clear()

    def _answer(self, query: Query) -> Answer | Problem:
        try:
            kept = self._cache.get(query, lambda: self._run(query))
        except FAILURES as error:
            return problem_of(error, query.tables, self.address)
        return Answer(kept.item, time.monotonic() - kept.made_at)

    def _run(self, query: Query) -> pd.DataFrame:
        with self._trino(PAGE_SECONDS).cursor() as cursor:
            cursor.execute(query.sql, list(query.values) or None)
            rows = cursor.fetchall()
            return frame_of(rows, columns_of(cursor))


def columns_of(cursor: Any) -> list[tuple[str, str]]:
    """The names and types of a statement's columns; the client's own types say otherwise."""
    return [(column[0], column[1]) for column in cursor.description or []]


def frame_of(rows: list[list[Any]], names: list[tuple[str, str]]) -> pd.DataFrame:
    """Rows as columns of the type that Trino names: numbers, times in UTC, days, text."""
    data = {}
    for index, (name, kind) in enumerate(names):
        data[name] = column_of([row[index] for row in rows], kind)
    return pd.DataFrame(data, columns=pd.Index([name for name, _ in names]))


def column_of(values: list[Any], kind: str) -> pd.Series[Any]:
    """One column; decimals become floats, which show 15 digits."""
    if kind.startswith(("decimal", "double", "real")):
        return pd.Series([None if v is None else float(v) for v in values], dtype="Float64")
    if kind in {"bigint", "integer", "smallint", "tinyint"}:
        return pd.Series(values, dtype="Int64")
    if kind.startswith("timestamp") and kind.endswith("with time zone"):
        return pd.Series(pd.to_datetime(values, utc=True))
    if kind == "date" or kind.startswith("timestamp"):
        return pd.Series(pd.to_datetime(values))
    return pd.Series(values, dtype=object)


def not_there(tables: str) -> str:
    """Words for tables that no round has made."""
    return f"{tables}: not there yet. The models have not run on this stack."


def problem_of(error: Exception, tables: str, address: str) -> Problem:
    """What went wrong, and what to do about it."""
    if not isinstance(error, TrinoQueryError):
        if isinstance(error, TrinoConnectionError | requests.exceptions.RequestException):
            return Problem(f"Trino does not answer at {address}.", "./initial-setup.sh status")
        return Problem(f"Trino said: {error}"[:SHOWN_CHARACTERS], "./initial-setup.sh status")
    if error.error_name in MISSING or (tables and error.error_name == OUTDATED):
        missing = tables or str(error.message)
        return Problem(not_there(missing), "bin/dbt run", is_empty=True, missing=missing)
    if error.error_name == "PERMISSION_DENIED":
        return Problem(f"User {USER} may not read this: {error.message}", "cat docs/access.md")
    if error.error_name in TOO_LONG:
        return Problem(
            f"The question took longer than {PAGE_SECONDS} s and was ended. Trino may be busy.",
            "./initial-setup.sh status",
        )
    return Problem(f"Trino said: {error.message}"[:SHOWN_CHARACTERS], "./initial-setup.sh status")
