"""What a reconciliation makes of a round."""

from __future__ import annotations

from datetime import UTC, datetime

from stack.reconciliation.evidence import Difference
from stack.reconciliation.report import Report
from stack.rounds.books import outcome_of, tell
from stack.rounds.outcome import ModelResult, Outcome, Result

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
