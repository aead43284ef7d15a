"""What a reconciliation makes of a round."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast

import pytest

from stack.base.errors import RetriableError
from stack.base.settings import load_settings
from stack.books.evidence import Difference
from stack.books.plan import Flow, Plan
from stack.books.reconcile import Ask, Look, Reconciler
from stack.books.report import Report
from stack.rounds.books import Books, Work, outcome_of, tell
from stack.rounds.outcome import ModelResult, Outcome, Result
from stack.writing.lock import WriterLock
from stack.writing.statements import Coordinator

GOOD = Outcome(Result.OK, models=(ModelResult("stg", "success", 1.0, ""),))
GONE = Difference("every offset once", "1 missing", "restore it")
REPORT = Report(
    datetime(2026, 1, 2, tzinfo=UTC),
    "increment",
    (GONE,),
    landed={"a": 3, "b": 2},
    accepted={"a": 1, "b": 2},
    quarantined={"a": {"not_json": 1}, "b": {}},
)


def test_books_that_balance_leave_the_outcome_as_it_is() -> None:
    assert outcome_of(GOOD, ()) is GOOD


def test_a_difference_is_the_outcome_and_keeps_the_models() -> None:
    found = outcome_of(GOOD, (GONE,))
    assert found.text == "difference: wanted every offset once; found 1 missing; restore it"
    assert (found.models, found.result.is_good, found.result.is_bad) == (GOOD.models, False, True)


def test_a_reconciliation_is_a_log_line_and_each_difference_one_more() -> None:
    said: list[tuple[str, dict[str, object]]] = []
    tell(REPORT, lambda event, **facts: said.append((event, facts)))
    assert said == [
        (
            "reconciled",
            {
                "result": "difference",
                "extent": "increment",
                "landed": 5,
                "accepted": 3,
                "quarantined": 1,
                "duplicates": 0,
            },
        ),
        (
            "ERROR difference",
            {"wanted": "every offset once", "found": "1 missing", "next": "restore it"},
        ),
    ]


@dataclass
class Lock:
    """A lock that is looked at."""

    glance: Callable[[], None] = lambda: None


@dataclass
class Postgres:
    """A PostgreSQL that takes connections and says nothing."""

    listener: socket.socket

    def books(self, is_stop_wanted: Callable[[], bool] = lambda: False) -> Books:
        """Books that are kept there."""
        address = {"postgres_host": "127.0.0.1", "postgres_port": self.listener.getsockname()[1]}
        settings = replace(load_settings({}), **address)
        plan = Plan((Flow("telemetry_raw", {}),))
        return Books(settings, lambda: plan, lambda *words, **facts: None, nothing, is_stop_wanted)

    def end(self) -> None:
        """End it, and with it every connection."""
        self.listener.close()


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield Postgres(listener)


def nothing() -> None:
    """A heartbeat that nobody hears."""


def close(books: Books, glance: Callable[[], None] = nothing) -> Outcome:
    return books.close(GOOD, cast(WriterLock, Lock(glance)))


def test_reconciliation_without_a_service_fails_the_round_and_keeps_its_models(
    postgres: Postgres,
) -> None:
    books = postgres.books()
    postgres.end()
    found = close(books)
    assert (found.result, found.models) == (Result.FAILED, GOOD.models)
    assert found.detail.startswith("reconciliation: wanted PostgreSQL at 127.0.0.1:")


def test_reconciliation_that_hangs_is_left_when_a_stop_is_wanted(postgres: Postgres) -> None:
    def is_stop_wanted() -> bool:
        postgres.end()
        return True

    assert close(postgres.books(is_stop_wanted)).result is Result.STOPPED


def test_reconciliation_that_hangs_is_left_when_the_lock_is_lost(postgres: Postgres) -> None:
    def glance() -> None:
        postgres.end()
        raise RetriableError("the lock", "lost", "run again")

    with pytest.raises(RetriableError, match="lost"):
        close(postgres.books(), glance)


@dataclass
class Slow:
    """A reconciler that is given up just before it writes. has_written: whether it did."""

    work: Work | None = None
    has_written: bool = False

    def reconcile(self, ask: Ask, last: Look | None, before_writing: Callable[[], None]) -> None:
        """Count, be given up, and go on."""
        assert self.work
        self.work.is_given_up.set()
        before_writing()
        self.has_written = True


def test_reconciliation_that_is_given_up_writes_nothing_and_asks_trino_nothing() -> None:
    """The lock may be another writer's by then, and the statements that run with it."""
    slow = Slow()
    trino = cast(Coordinator, object())
    slow.work = Work(cast(Reconciler, slow), Ask(), None, trino)
    slow.work.run()
    assert not slow.has_written
    assert slow.work.error == "wanted to write the row; found nobody waits for it; reconcile again"
