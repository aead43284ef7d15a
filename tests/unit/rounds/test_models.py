"""What the runner asks of dbt, and what it makes of dbt's answers."""

from __future__ import annotations

import json

import pytest

from stack.rounds.decision import Action, Decision
from stack.rounds.models import INCREMENT_SESSION, dbt_words, planned
from stack.rounds.outcome import ModelResult, Outcome, Result, outcome_of
from stack.rounds.progress import SCHEMAS

GOOD = ModelResult("a", "success", 1.0, "")
BAD = ModelResult("b", "error", 1.0, "Database Error\n  no such table")
SKIPPED = ModelResult("c", "skipped", 0.0, "")
KINDS = ["--resource-type", "model", "--resource-type", "seed"]
INCREMENTS = ["run", "--exclude", "config.materialized:view"]
SESSION = ["--vars", json.dumps({"session_properties": INCREMENT_SESSION})]


@pytest.mark.parametrize(
    ("is_full_refresh", "with_fixed", "expected"),
    [
        (False, False, [*INCREMENTS, *SESSION]),
        (True, False, [*INCREMENTS, "--full-refresh"]),
        (False, True, ["build", *KINDS]),
        (True, True, ["build", *KINDS, "--full-refresh"]),
    ],
)
def test_dbt_is_asked_for_views_and_seeds_only_where_they_may_differ(
    is_full_refresh: bool, with_fixed: bool, expected: list[str]
) -> None:
    assert dbt_words(Decision(Action.RUN, (), is_full_refresh), with_fixed) == expected


def test_dbt_is_asked_only_for_what_is_below_the_changed_sources() -> None:
    changed = ("source:landing.meter_logs", "source:master_data")
    decision = Decision(Action.RUN, changed=changed)
    selected = ["--select", "source:landing.meter_logs+", "source:master_data+"]
    assert dbt_words(decision, with_fixed=False) == ["run", *selected, *INCREMENTS[1:], *SESSION]
    assert dbt_words(decision, with_fixed=True) == ["build", *KINDS]


def test_models_are_handed_what_the_round_found() -> None:
    plan = {"database": "iceberg", "relations": {"marts": {"mine": "table"}}, "master_data": "a"}
    words = dbt_words(Decision(Action.RUN, plan=plan, is_full_refresh=True), with_fixed=False)
    assert json.loads(words[words.index("--vars") + 1]) == {"plan": plan}


def test_a_plan_says_of_which_schemas_it_has_the_progress() -> None:
    decision, told = Decision(Action.RUN, plan={"database": "iceberg"}), {"marts.a": {"load_id": 5}}
    plan = planned(decision, told).plan
    assert plan == {"database": "iceberg", "schemas": SCHEMAS, "properties": told}
    assert planned(decision, None) == decision
    assert planned(decision, None).plan == {"database": "iceberg"}


def test_outcome_names_the_first_failed_model_and_its_error() -> None:
    outcome = outcome_of((GOOD, BAD, SKIPPED), "")
    assert outcome.text == "failed: b: Database Error no such table"
    assert (outcome.models_run, outcome.models_failed) == (2, 1)


def test_outcome_of_dbt_ending_badly_without_a_failed_model_is_its_error() -> None:
    assert outcome_of((GOOD,), "out of memory").text == "failed: out of memory"


def test_outcome_of_good_models_is_ok() -> None:
    assert outcome_of((GOOD,), "") == Outcome(Result.OK, "", (GOOD,))
