"""Trino's failures as errors that say what to do; a commit that came second is run again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from trino.exceptions import TrinoQueryError

from stack.base.errors import RetriableError
from stack.base.settings import load_settings
from stack.clients.trino import (
    COMMIT_TRIES,
    CONFLICT_EXCEPTION,
    TableGoneError,
    Trino,
    client,
)


def refusal(name: str, exception: str = "") -> TrinoQueryError:
    """What Trino answers, as its client raises it."""
    return TrinoQueryError({"errorName": name, "failureInfo": {"type": exception}})


class Answers(Trino):
    """A Trino that fails as told before it succeeds."""

    description = (SimpleNamespace(name="answers"),)

    def __init__(self, *errors: Exception) -> None:
        super().__init__("trino", 8080, "dbt")
        self.errors = list(errors)
        self.asked: list[str] = []

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor of the client's shape."""
        yield self

    def execute(self, sql: str) -> None:
        """The next answer."""
        self.asked.append(sql)
        if self.errors:
            raise self.errors.pop(0)

    def fetchall(self) -> list[list[Any]]:
        """The one row of every statement that does not fail."""
        return [[len(self.asked)]]


@pytest.mark.parametrize(
    "error",
    [
        refusal("ICEBERG_COMMIT_ERROR"),
        refusal("TRANSACTION_CONFLICT"),
        # As expire_snapshots answers in Trino 476.
        refusal("GENERIC_INTERNAL_ERROR", CONFLICT_EXCEPTION),
    ],
)
def test_a_conflict_is_tried_again(error: TrinoQueryError) -> None:
    trino = Answers(error, error)
    trino.commit("alter table t execute optimize", sleep=lambda seconds: None)
    assert len(trino.asked) == 3


def test_conflicts_without_end_are_told() -> None:
    trino = Answers(*[refusal("ICEBERG_COMMIT_ERROR")] * COMMIT_TRIES)
    with pytest.raises(RetriableError):
        trino.commit("alter table t execute optimize", sleep=lambda seconds: None)
    assert len(trino.asked) == COMMIT_TRIES


def test_another_failure_is_told_at_once() -> None:
    trino = Answers(refusal("GENERIC_INTERNAL_ERROR", "java.lang.NullPointerException"))
    with pytest.raises(RetriableError):
        trino.commit("alter table t execute optimize", sleep=lambda seconds: None)
    assert len(trino.asked) == 1


def test_rows_are_those_of_the_statement() -> None:
    assert Answers().rows("select 1") == [[1]]


def test_records_are_rows_by_the_names_of_columns() -> None:
    assert Answers().records("select 1 as answers") == [{"answers": 1}]


@pytest.mark.parametrize("name", ["TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"])
def test_a_table_that_is_not_there_is_told_apart(name: str) -> None:
    with pytest.raises(TableGoneError):
        Answers(refusal(name)).rows("select * from t")


def test_a_refusal_names_the_statement_and_keeps_trinos_own_error() -> None:
    with pytest.raises(RetriableError, match=r"http://trino:8080 to run: select 1") as raised:
        Answers(refusal("SYNTAX_ERROR")).rows("select\n  1")
    assert isinstance(raised.value.__cause__, TrinoQueryError)


def test_a_trino_that_is_away_is_told_as_such() -> None:
    with pytest.raises(RetriableError, match="an answer from Trino at http://trino:8080"):
        Answers(requests.exceptions.ConnectionError("refused")).rows("select 1")


def test_a_proxy_named_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    session = client(load_settings({})).connect()._http_session
    found = session.merge_environment_settings("http://trino:8080", {}, None, None, None)
    assert not found["proxies"]


def test_sessions_are_in_utc_whatever_the_machine_says() -> None:
    with closing(client(load_settings({})).connect()) as connection:
        assert connection._client_session.timezone == "UTC"
