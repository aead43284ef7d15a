"""Find writing statements that are orphaned in Trino, and end them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients.trino import Trino, client

WRITER_USER = "dbt"
MAINTENANCE_USER = "maintenance"
ANSWER_SECONDS = 5.0
PAUSE_SECONDS = 0.5
# An orphaned statement is given this long to end well before it is killed.
GRACE_SECONDS = 60.0
KILL_SECONDS = 60.0
SHOWN_CHARACTERS = 60

# First words of statements that change nothing; all others count as writing.
READING = {"select", "with", "show", "describe", "desc", "explain", "values", "table", "use"}
READING |= {"set", "reset", "prepare", "deallocate"}
# Comments and opening brackets may stand before the first word.
BEFORE_FIRST_WORD = re.compile(r"(?:\s+|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)

RUNNING_SQL = """
select query_id, query from system.runtime.queries
where state not in ('FINISHED', 'FAILED') and "user" in ({users})
"""
KILL_SQL = "call system.runtime.kill_query(query_id => '{query_id}', message => '{message}')"
REASON = "its writer has ended"


@dataclass(frozen=True)
class Statement:
    """A statement that has not ended. query_id: as Trino's own screens show it."""

    query_id: str
    sql: str

    def __str__(self) -> str:
        words = " ".join(without_comments(self.sql).split())
        return f"{self.query_id} ({words[:SHOWN_CHARACTERS]})"


def without_comments(sql: str) -> str:
    """A statement from its first word on."""
    match = BEFORE_FIRST_WORD.match(sql)
    return sql[match.end() :] if match else sql


def is_write(sql: str) -> bool:
    """Whether a statement may change data; in doubt it may."""
    word = re.match(r"[a-z]+", without_comments(sql).lower())
    return word is None or word.group() not in READING


class Coordinator(Protocol):
    """What is asked of Trino."""

    def running(self) -> Sequence[Statement]:
        """Statements of the writers that have not ended, reading ones too."""

    def kill(self, query_id: str) -> None:
        """End a statement; one that has ended meanwhile is as good."""


class WritersOf:
    """The writers' statements in one Trino.

    users: whose statements count; trino: as a user of its own, so that the question does not find
    itself.
    """

    def __init__(self, trino: Trino, users: Collection[str]) -> None:
        self._trino, self._users = trino, sorted(users)

    def running(self) -> list[Statement]:
        """Statements of the writers that have not ended. Raises RetriableError."""
        users = ", ".join(f"'{user}'" for user in self._users)
        rows = self._trino.rows(RUNNING_SQL.format(users=users))
        return [Statement(str(query_id), str(sql)) for query_id, sql in rows]

    def kill(self, query_id: str) -> None:
        """Order a statement to end; whether it did is for running() to say."""
        # Trino refuses when the statement ended between the question and this order.
        with suppress(RetriableError):
            self._trino.rows(KILL_SQL.format(query_id=query_id, message=REASON))


def writers(settings: Settings, user: str = WRITER_USER) -> WritersOf:
    """The writers' statements in the stack's Trino, as one writer asks for them.

    Every writer looks for its own statements and for those of the models and of maintenance.
    """
    trino = client(settings, f"{user}-lock", answer_seconds=ANSWER_SECONDS)
    return WritersOf(trino, {user, WRITER_USER, MAINTENANCE_USER})


def running_writes(trino: Coordinator) -> list[Statement]:
    """Writing statements that have not ended."""
    return [statement for statement in trino.running() if is_write(statement.sql)]


def listed(found: Sequence[Statement]) -> str:
    """Statements in one line."""
    return ", ".join(str(statement) for statement in found)


def wait_until_none(
    look: Callable[[], list[Statement]],
    limit_seconds: float,
    beat: Callable[[], None],
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> list[Statement]:
    """Look until no writing statement is left or the limit is reached; return what is left.

    A Trino that is too busy to answer is asked again; its RetriableError is raised at the limit.
    """
    end = monotonic() + limit_seconds
    while True:
        is_last = monotonic() >= end
        with suppress(*(() if is_last else (RetriableError,))):
            found = look()
            if not found or is_last:
                return found
        beat()
        sleep(PAUSE_SECONDS)


def settle(
    trino: Coordinator,
    say: Callable[[str], None],
    *,
    grace_seconds: float = GRACE_SECONDS,
    beat: Callable[[], None] = lambda: None,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when no orphaned writing statement runs any more.

    Only the holder of the one-writer lock may call it: whatever runs then has lost its writer.
    It gets grace_seconds to end well (its result is a whole commit), then it is killed; both are
    said. Without grace a Trino that is too busy to answer is asked for KILL_SECONDS. Raises
    RetriableError if a statement outlives that too, or if Trino is away.
    """

    def running() -> list[Statement]:
        return running_writes(trino)

    def kill_running() -> list[Statement]:
        # Ordered again at each look: a busy Trino may not have heard the last order.
        for statement in (found := running()):
            trino.kill(statement.query_id)
        return found

    if grace_seconds:
        found = running()
        if found:
            say(f"waiting for orphaned statements in Trino: {listed(found)}")
            found = wait_until_none(running, grace_seconds, beat, monotonic, sleep)
        if not found:
            return
        say(f"ending orphaned statements in Trino: {listed(found)}")
    left = wait_until_none(kill_running, KILL_SECONDS, beat, monotonic, sleep)
    if left:
        raise RetriableError(
            "no writing statement besides ours in Trino",
            listed(left),
            "wait for it to end, or end it on Trino's web page",
        )
