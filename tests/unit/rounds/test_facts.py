"""Log lines are one line each and can be taken apart."""

from __future__ import annotations

import io
import shlex
from datetime import UTC, datetime

from stack.rounds.facts import line, logger

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


def test_line_holds_time_event_and_facts() -> None:
    facts = {"result": "ok", "seconds": 4.2103, "count": 3}
    assert line(NOON, "round 1 ended", facts) == (
        "2026-01-02T12:00:00Z round 1 ended result=ok seconds=4.2 count=3"
    )


def test_line_leaves_out_what_is_empty_but_not_what_is_zero() -> None:
    facts = {"models": "", "failed": None, "count": 0}
    assert line(NOON, "x", facts) == "2026-01-02T12:00:00Z x count=0"


def test_line_keeps_an_error_of_several_lines_as_one_word() -> None:
    error = 'Database Error\n  Table "a" does not exist'
    words = shlex.split(line(NOON, "failed", {"error": error, "model": "b"}))
    assert words[2:] == ["error=Database Error Table 'a' does not exist", "model=b"]


def test_logger_writes_one_line_an_event() -> None:
    stream = io.StringIO()
    log = logger(stream)
    log("rounds begin", interval_seconds=600)
    log("rounds end")
    assert [text.split(" ", 1)[1] for text in stream.getvalue().splitlines()] == [
        "rounds begin interval_seconds=600",
        "rounds end",
    ]
