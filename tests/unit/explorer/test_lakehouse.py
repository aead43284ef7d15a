"""Trino's rows as tables, and its failures in words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import requests
from trino.exceptions import TrinoQueryError

from explorer.lakehouse import Answer, Lakehouse, Problem, frame_of, problem_of
from explorer.queries import Query
from stack.base.settings import load_settings


def failed(name: str) -> TrinoQueryError:
    return TrinoQueryError({"errorName": name, "message": "line 1:15: no such thing"})


def test_columns_get_the_types_that_trino_names() -> None:
    frame = frame_of(
        [
            [Decimal("1.250000"), 3, datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1), "a"],
            [None, None, None, None, None],
        ],
        [
            ("kwh", "decimal(18, 6)"),
            ("n", "bigint"),
            ("at", "timestamp(6) with time zone"),
            ("day", "date"),
            ("text", "varchar"),
        ],
    )
    assert str(frame["kwh"].dtype) == "Float64"
    assert str(frame["n"].dtype) == "Int64"
    assert str(frame["at"].dt.tz) == "UTC"
    assert frame["day"].iloc[0].date() == date(2026, 1, 1)
    assert Answer(frame.tail(1)).row == dict.fromkeys(["kwh", "n", "at", "day", "text"])


def test_no_rows_are_a_table_with_the_columns() -> None:
    frame = frame_of([], [("kwh", "double"), ("at", "timestamp(3) with time zone")])
    assert list(frame.columns) == ["kwh", "at"]
    assert Answer(frame).row == {}


@pytest.mark.parametrize(
    ("error", "words", "command"),
    [
        (requests.exceptions.ConnectionError("x"), "does not answer", "./initial-setup.sh status"),
        (failed("TABLE_NOT_FOUND"), "marts.x: not there yet", "bin/dbt run"),
        (failed("SCHEMA_NOT_FOUND"), "marts.x: not there yet", "bin/dbt run"),
        (failed("PERMISSION_DENIED"), "may not read", "cat docs/access.md"),
        (failed("EXCEEDED_TIME_LIMIT"), "longer than", "./initial-setup.sh status"),
        (failed("SYNTAX_ERROR"), "no such thing", "./initial-setup.sh status"),
    ],
    ids=["away", "no-table", "no-schema", "denied", "slow", "other"],
)
def test_a_problem_says_what_is_missing_and_what_helps(
    error: Exception, words: str, command: str
) -> None:
    problem = problem_of(error, "marts.x", "localhost:8081")
    assert words in problem.text
    assert problem.command == command


def test_trino_away_is_an_answer_not_a_crash() -> None:
    # Nothing listens on port 1.
    away = Lakehouse(load_settings({"TRINO_HOST": "127.0.0.1", "TRINO_PORT": "1"}))
    found = away.ask({"one": Query("select 1"), "two": Query("select 2")})
    assert all(isinstance(each, Problem) for each in found.values())
