"""What may name a meter or customer, in PostgreSQL, and how log lines are asked for such names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from stack.base.patterns import Pattern
from stack.base.root import PROJECT_ROOT
from stack.rounds.replay import quoted
from tests.integration.lakehouse import Lakehouse
from tests.names import LONGEST
from tests.postgres import admin_connection

pytestmark = pytest.mark.same_in_both_modes

INIT_FILE = PROJECT_ROOT / "postgres-init" / "30_master_data.sql"
INVISIBLE, BLANKS = {"Cc", "Cf", "Zl", "Zp"}, {"Zs"}
REFUSED = {
    "empty": "",
    "too long": "x" * (LONGEST + 1),
    "leading blank": " x",
    "trailing blank": "x\u3000",
    "line break": "a\nb",
    "escape": "a\x1b[0m",
    "hidden": "a\u200bb",
    "turned": "a\u202eb",
    "line separator": "a\u2028b",
}
COLUMNS = {
    "device_master": ("device_id", "transformer_id", "firmware_version"),
    "customer_master": ("customer_id", "tariff_code"),
}


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("column", COLUMNS["device_master"])
def test_a_name_that_cannot_be_printed_is_refused_with_what_is_wanted(
    lakehouse: Lakehouse, column: str, name: str
) -> None:
    columns = {"device_id": "m"} | {column: name}
    with pytest.raises(psycopg2.IntegrityError) as refusal:
        lakehouse.add_device(columns.pop("device_id"), **columns)
    (first, *_) = str(refusal.value).splitlines()
    assert first.startswith(f"wanted {column} of 1 to 64 printable characters")
    assert f"; found {len(name)} characters: " in first
    assert first.endswith("docs/operations.md says which can be")
    assert not {unicodedata.category(each) for each in first} & INVISIBLE


def test_postgres_calls_printable_what_unicode_does(lakehouse: Lakehouse) -> None:
    """Every character of the categories named in the rule, and their neighbours."""
    kinds = {number: unicodedata.category(chr(number)) for number in range(1, 0x110000)}
    named = [number for number, kind in kinds.items() if kind in INVISIBLE | BLANKS]
    near = {each for number in named for each in (number - 1, number, number + 1)}
    asked = sorted(each for each in near if kinds.get(each, "Cs") not in {"Cs", "Cn"})
    for text, refused in (
        ("a{}a", INVISIBLE),
        ("{}a", INVISIBLE | BLANKS),
        ("a{}", INVISIBLE | BLANKS),
    ):
        found = printable(lakehouse, [text.format(chr(each)) for each in asked])
        assert found == [kinds[each] not in refused for each in asked]


def printable(lakehouse: Lakehouse, names: list[str]) -> list[bool]:
    """Whether PostgreSQL takes each of these names."""
    connection = admin_connection(lakehouse.settings, "meterhouse")
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(
            "create function pg_temp.is_taken(name text) returns boolean language plpgsql as "
            "$$ begin return public.require_printable('x', name); "
            "exception when check_violation then return false; end $$"
        )
        cursor.execute("select pg_temp.is_taken(unnest(%s))", [names])
        return [taken for (taken,) in cursor.fetchall()]


@contextmanager
def scratch_database(lakehouse: Lakehouse) -> Iterator[Any]:
    """A cursor in an empty database, gone at the end."""
    with closing(admin_connection(lakehouse.settings)) as server:
        server.cursor().execute("drop database if exists scratch_names")
        server.cursor().execute("create database scratch_names")
        try:
            session = admin_connection(lakehouse.settings, "scratch_names")
            with closing(session), session.cursor() as cursor:
                yield cursor
        finally:
            server.cursor().execute("drop database scratch_names with (force)")


# The rules of version 0.1.0.
EARLIER: Mapping[tuple[str, str], str] = {
    ("customer_master", "customer_id"): "^CUST-[0-9]{4,}$",
    ("customer_master", "tariff_code"): "^[A-Z0-9-]+$",
    ("device_master", "device_id"): "^MTR-[0-9]{5,}$",
    ("device_master", "firmware_version"): r"^[0-9]+(\.[0-9]+)+$",
    ("device_master", "transformer_id"): "^TRF-[0-9]{4,}$",
}


def test_setup_takes_the_earlier_rules_away_and_can_be_run_again(lakehouse: Lakehouse) -> None:
    script = INIT_FILE.read_text("utf-8").replace("\\connect meterhouse\n", "")
    with scratch_database(lakehouse) as cursor:
        cursor.execute(script)
        for (table, column), rule in EARLIER.items():
            cursor.execute(
                f"alter table {table} drop constraint {table}_{column}_is_printable, "
                f"add constraint {table}_{column}_check check ({column} ~ %s)",
                [rule],
            )
        cursor.execute(script)
        after = rules(cursor)
        assert {f"{table}_{column}_is_printable" for table, column in EARLIER} <= after
        assert not {f"{table}_{column}_check" for table, column in EARLIER} & after
        cursor.execute(script)
        assert rules(cursor) == after


def rules(cursor: Any) -> set[str]:
    """The names of the checks and keys of both tables."""
    cursor.execute(
        "select conname from pg_constraint "
        "where conrelid in ('device_master'::regclass, 'customer_master'::regclass)"
    )
    return {name for (name,) in cursor.fetchall()}


TEXTS = (
    "MTR-1",
    "ab12 Ω-計器１.",
    "計器１",
    "O'Brien\"--; m-1,M-1",
    "a{b}(c)[d]|e\\f$^*+?.",
    "x\u00a0y\u3000z_0",
)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d+",
        r"\D+",
        r"\w+",
        r"\W+",
        r"\s",
        r"\S+",
        r"[A-Z]{2,}|\u0027[^,;]+",
        r"[mM]-1(?:,M-1)?",
        r"\{b\}\(c\)\[d\]\|e\\f\$\^\*\+\?\.",
        r"[\w-]+?\.",
        r"計器.",
    ],
)
def test_trino_reads_a_pattern_as_python_does(lakehouse: Lakehouse, pattern: str) -> None:
    calls = [f"regexp_extract({quoted(text)}, {quoted(Pattern(pattern))})" for text in TEXTS]
    (found,) = lakehouse.sql(f"select {', '.join(calls)}")
    matches = [re.search(pattern, text, re.ASCII) for text in TEXTS]
    assert found == [match and match[0] for match in matches]
