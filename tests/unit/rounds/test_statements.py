"""Orphaned statements are awaited, then ended; others are left alone."""

from __future__ import annotations

import pytest

from stack.base.errors import RetriableError
from stack.writing.statements import Statement, is_write, settle

INSERT = Statement("q1", '/* {"app": "dbt"} */ insert into iceberg.marts.a select 1')
SELECT = Statement("q2", "select * from iceberg.marts.a")


class Trino:
    """Statements that end by themselves at a time, or on order, or never."""

    def __init__(
        self, *found: Statement, ends_at: float = 1e9, obeys: bool = True, busy_until: float = 0.0
    ) -> None:
        self.found, self.ends_at, self.obeys = list(found), ends_at, obeys
        self.busy_until = busy_until
        self.now = 0.0
        self.killed: list[str] = []

    def running(self) -> list[Statement]:
        """Those that have not ended."""
        if self.now < self.busy_until:
            raise RetriableError("an answer", "silence", "ask again")
        if self.now >= self.ends_at:
            return []
        ended = self.killed if self.obeys else []
        return [statement for statement in self.found if statement.query_id not in ended]

    def kill(self, query_id: str) -> None:
        """Take the order down."""
        self.killed.append(query_id)

    def monotonic(self) -> float:
        """Seconds that passed."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        self.now += seconds


def settled(trino: Trino, grace_seconds: float = 60.0) -> list[str]:
    said: list[str] = []
    settle(
        trino,
        said.append,
        grace_seconds=grace_seconds,
        monotonic=trino.monotonic,
        sleep=trino.sleep,
    )
    return said


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("insert into a select 1", True),
        ("MERGE INTO a using b on a.x = b.x when matched then delete", True),
        ("create or replace table a as select 1", True),
        ("alter table a execute optimize", True),
        ('/* {"app": "dbt"} */\n\n  -- meterhouse.run {}\n insert into a select 1', True),
        ("-- select\ninsert into a select 1", True),
        ("call iceberg.system.something()", True),
        ("execute immediate 'insert into a select 1'", True),
        ("comment on table a is 'select'", True),
        ("", True),
        ("select 1", False),
        ("/* insert into a */ select 1", False),
        ("  (select 1)", False),
        ("with a as (select 1) select * from a", False),
        ("show tables from a", False),
        ("-- only a comment\nvalues 1", False),
        ("selection of nothing", True),
    ],
)
def test_statement_counts_as_writing_unless_it_surely_reads(sql: str, expected: bool) -> None:
    assert is_write(sql) is expected


def test_statement_is_told_with_its_id_and_its_first_words() -> None:
    assert str(INSERT) == "q1 (insert into iceberg.marts.a select 1)"


def test_nothing_is_said_when_only_reading_statements_run() -> None:
    trino = Trino(SELECT)
    assert settled(trino) == []
    assert (trino.killed, trino.now) == ([], 0.0)


def test_writing_statement_may_end_by_itself() -> None:
    trino = Trino(INSERT, SELECT, ends_at=5.0)
    assert settled(trino) == [f"waiting for orphaned statements in Trino: {INSERT}"]
    assert trino.killed == []
    assert trino.now == pytest.approx(5.0)


def test_writing_statement_is_ended_after_its_grace() -> None:
    trino = Trino(INSERT, SELECT)
    assert settled(trino)[-1] == f"ending orphaned statements in Trino: {INSERT}"
    assert trino.killed == ["q1"]
    assert trino.now == pytest.approx(60.5)


def test_writing_statement_is_ended_at_once_without_grace() -> None:
    trino = Trino(INSERT)
    settled(trino, grace_seconds=0)
    assert trino.killed == ["q1"]
    assert trino.now == pytest.approx(0.5)


def test_busy_trino_is_asked_again_at_a_cleanup() -> None:
    trino = Trino(INSERT, busy_until=30.0)
    settled(trino, grace_seconds=0)
    assert trino.killed == ["q1"]


def test_trino_that_does_not_answer_is_an_error_at_once_before_a_round() -> None:
    trino = Trino(INSERT, busy_until=1e9)
    with pytest.raises(RetriableError, match="silence"):
        settled(trino)
    assert trino.now == 0.0


def test_trino_that_does_not_answer_is_an_error_after_a_cleanup() -> None:
    with pytest.raises(RetriableError, match="silence"):
        settled(Trino(INSERT, busy_until=1e9), grace_seconds=0)


def test_writing_statement_that_does_not_end_is_an_error() -> None:
    with pytest.raises(RetriableError, match="q1"):
        settled(Trino(INSERT, obeys=False))
