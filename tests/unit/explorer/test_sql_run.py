"""Which statements are sent, and the files of their rows."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow.parquet as pq
import pytest

from explorer.sql_run import SqlResult, csv_of, distinct, parquet_of, refusal

RESULT = SqlResult(
    rows=[
        [Decimal("0.100000"), datetime(2026, 1, 1, tzinfo=UTC), 'a "b", c', [1, 2]],
        [None, None, None, None],
    ],
    columns=[
        ("kwh", "decimal(18, 6)"),
        ("at", "timestamp(6) with time zone"),
        ("text", "varchar"),
        ("text", "array(integer)"),
    ],
    is_cut=False,
    seconds=0.1,
)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into t values 1",
        "drop table t",
        "-- x\n delete from t",
        "call p()",
        "foo",
        "explain analyze insert into t select 1",
        "EXPLAIN ANALYZE VERBOSE\n delete from t",
        " ; ",
    ],
)
def test_a_statement_that_does_not_read_is_not_sent(sql: str) -> None:
    assert refusal(sql) is not None


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        " /* x */ with a as (select 1) select * from a",
        "show tables from marts",
        "explain analyze select 1",
        "(select 1)",
        "values 1",
    ],
)
def test_a_statement_that_reads_is_sent(sql: str) -> None:
    assert refusal(sql) is None


def test_csv_holds_exact_numbers_and_iso_times() -> None:
    lines = csv_of(RESULT).decode().splitlines()
    assert lines[0] == "kwh,at,text,text_2"
    assert lines[1] == '0.100000,2026-01-01T00:00:00+00:00,"a ""b"", c","[1, 2]"'
    assert lines[2] == ",,,"


def test_csv_holds_every_name_as_it_is() -> None:
    names = ["=1+1", "-7", "@x", "O'Brien\"--;", "a,b", "Zähler 7/Ost", "計器１", "a  b", "007"]
    rows = SqlResult([[name] for name in names], [("id", "varchar")], is_cut=False, seconds=0)
    read = list(csv.reader(io.StringIO(csv_of(rows).decode(), newline="")))
    assert read == [["id"], *([name] for name in names)]


def test_parquet_keeps_decimals_times_and_lists() -> None:
    table = pq.read_table(io.BytesIO(parquet_of(RESULT)))
    assert table.column_names == ["kwh", "at", "text", "text_2"]
    assert table["kwh"].to_pylist() == [Decimal("0.100000"), None]
    assert table["at"].to_pylist()[0] == datetime(2026, 1, 1, tzinfo=UTC)
    assert table["text_2"].to_pylist() == [[1, 2], None]


def test_parquet_writes_mixed_values_as_text() -> None:
    mixed = SqlResult([[1], ["a"]], [("x", "varchar")], is_cut=False, seconds=0)
    assert pq.read_table(io.BytesIO(parquet_of(mixed)))["x"].to_pylist() == ["1", "a"]


def test_a_name_used_twice_gets_a_number() -> None:
    assert [name for name, _ in distinct([("a", "x"), ("b", "x"), ("a", "x")])] == ["a", "b", "a_2"]
