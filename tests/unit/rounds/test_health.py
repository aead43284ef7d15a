"""The health file says how the runner is, and its age that it lives."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stack.base import health
from stack.rounds.health import BEAT_SECONDS, Health, HealthFile, at_end, at_start
from stack.rounds.outcome import ModelResult, Outcome, Result

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
NEXT = NOON + timedelta(minutes=10)
FRESH = Health(state="starting")
FAILED = Outcome(
    Result.FAILED,
    "b: TABLE_NOT_FOUND\n  line 1",
    (
        ModelResult("a", "success", 1.0, ""),
        ModelResult("b", "error", 0.5, "TABLE_NOT_FOUND\n  line 1"),
        ModelResult("c", "skipped", 0.0, ""),
    ),
)


class Time:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        """Seconds that passed."""
        return self.seconds

    def utc(self) -> datetime:
        """The time of day."""
        return NOON + timedelta(seconds=self.seconds)


def ended(health: Health, outcome: Outcome) -> Health:
    return at_end(health, outcome, 4.21049, NOON, NEXT)


def test_health_of_a_running_round_shows_nothing_of_the_one_before() -> None:
    health = at_start(ended(FRESH, FAILED), 2, NOON)
    assert (health.state, health.round, health.started_at) == ("running", 2, "2026-01-02T12:00:00Z")
    assert (health.result, health.seconds, health.models_run) == (None, None, 0)
    assert health.consecutive_failures == 1


def test_health_after_a_failed_round_names_the_first_error() -> None:
    health = ended(FRESH, FAILED)
    assert (health.state, health.result) == ("failed", "failed: b: TABLE_NOT_FOUND line 1")
    assert (health.models_run, health.models_failed) == (2, 1)
    assert (health.seconds, health.next_round_at) == (4.21, "2026-01-02T12:10:00Z")
    assert health.last_success_at is None


def test_health_counts_failed_rounds_until_a_good_one() -> None:
    twice = ended(ended(FRESH, FAILED), FAILED)
    assert twice.consecutive_failures == 2
    good = ended(twice, Outcome(Result.NOTHING_NEW))
    assert (good.consecutive_failures, good.last_success_at) == (0, "2026-01-02T12:00:00Z")


def test_health_after_a_difference_is_bad_and_says_why(tmp_path: Path) -> None:
    found = ended(FRESH, Outcome(Result.DIFFERENCE, "wanted every offset once; found 1 missing"))
    assert (found.state, found.consecutive_failures) == ("failed", 1)
    path = tmp_path / "dbt.json"
    HealthFile(path, Time().utc, Time().monotonic).show(found)
    assert not health.is_good(path)
    assert "found 1 missing" in health.note(path)


def test_health_of_a_skipped_round_counts_neither_way() -> None:
    skipped = ended(ended(FRESH, FAILED), Outcome(Result.SKIPPED, "held by maintenance"))
    assert (skipped.state, skipped.result) == ("idle", "skipped: held by maintenance")
    assert (skipped.consecutive_failures, skipped.last_success_at) == (1, None)


def test_health_file_holds_every_fact_and_its_own_time(tmp_path: Path) -> None:
    time = Time()
    file = HealthFile(tmp_path / "health" / "dbt.json", time.utc, time.monotonic)
    file.show(at_end(at_start(file.health, 1, NOON), Outcome(Result.OK), 1.5, NOON, NEXT))
    assert json.loads((tmp_path / "health" / "dbt.json").read_text()) == {
        "state": "idle",
        "updated_at": "2026-01-02T12:00:00Z",
        "pid": os.getpid(),
        "round": 1,
        "started_at": "2026-01-02T12:00:00Z",
        "seconds": 1.5,
        "result": "ok",
        "models_run": 0,
        "models_failed": 0,
        "next_round_at": "2026-01-02T12:10:00Z",
        "consecutive_failures": 0,
        "last_success_at": "2026-01-02T12:00:00Z",
    }


def test_health_file_is_written_again_before_it_gets_old(tmp_path: Path) -> None:
    time, path = Time(), tmp_path / "dbt.json"
    file = HealthFile(path, time.utc, time.monotonic)
    file.show(file.health)
    written = path.read_text()
    time.seconds = BEAT_SECONDS / 2
    file.beat()
    assert path.read_text() == written
    time.seconds = BEAT_SECONDS
    file.beat()
    assert json.loads(path.read_text())["updated_at"] == "2026-01-02T12:00:02Z"


def test_health_file_leaves_no_draft_behind(tmp_path: Path) -> None:
    time = Time()
    HealthFile(tmp_path / "dbt.json", time.utc, time.monotonic).show(FRESH)
    assert [path.name for path in tmp_path.iterdir()] == ["dbt.json"]
