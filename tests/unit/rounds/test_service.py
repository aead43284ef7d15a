"""A round is played under the lock, in order, and no outcome of it ends the runner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from stack.base.errors import ConfigurationError, RetriableError
from stack.rounds.decision import Decision, Found, MasterData, Seen
from stack.rounds.health import HealthFile
from stack.rounds.outcome import ModelResult, Outcome, Result
from stack.rounds.request import Requests, answer_of
from stack.rounds.service import Edge, Runner, RunnerClock, play_round
from stack.writing.lock import WriterLock

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
MASTER_DATA = MasterData(
    counted="m", counted_before="m", all="a", newest_at="t", period_change="1:a"
)
GOOD = Outcome(Result.OK, models=(ModelResult("stg", "success", 1.24, ""),))
BAD = Outcome(Result.FAILED, "stg: no such table", (ModelResult("stg", "error", 0.1, "no"),))


def no_log(event: str, **facts: object) -> None:
    """Logs nothing."""


@dataclass
class World:
    """A stack in memory; `steps` holds what a round did to it, in order."""

    landing: dict[str, str] = field(default_factory=lambda: {"telemetry_raw": "v1"})
    tables: set[str] = field(default_factory=set)
    seen: Seen | None = None
    outcome: Outcome = GOOD
    lock_error: RetriableError | None = None
    look_error: RetriableError | None = None
    steps: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    difference: Outcome | None = None

    @contextmanager
    def hold_lock(self) -> Iterator[WriterLock]:
        """The lock, unless told otherwise."""
        if self.lock_error:
            raise self.lock_error
        self.steps.append("lock")
        try:
            yield cast(WriterLock, self)
        finally:
            self.steps.append("unlock")

    def look(self, seen: Seen | None, project: str) -> Found:
        """What is there now."""
        if self.look_error:
            raise self.look_error
        self.steps.append("look")
        return Found(dict(self.landing), set(self.tables), MASTER_DATA, project)

    def run(self, decision: Decision, fingerprint: str, lock: WriterLock) -> Outcome:
        """Run the models: a table appears, and a message lands meanwhile."""
        self.steps.append("run")
        self.decisions.append(decision)
        self.tables = {"staging.stg"}
        return self.outcome

    def save(self, seen: Seen) -> None:
        """Keep the record."""
        self.steps.append("save")
        self.seen = seen

    def close_books(self, outcome: Outcome, lock: WriterLock) -> Outcome:
        """Reconcile: all is well, unless told otherwise."""
        self.steps.append("books")
        return self.difference or outcome

    def edge(self) -> Edge:
        """The world as a round sees it."""
        return Edge(
            hold_lock=self.hold_lock,
            fingerprint=lambda: "files",
            sources=lambda: {"telemetry_raw": "landing.telemetry_raw"},
            look=self.look,
            count_returning=lambda: 0,
            run=self.run,
            load_seen=lambda: self.seen,
            save_seen=self.save,
            close_books=self.close_books,
        )


def test_round_with_something_new_runs_the_models_and_records_what_it_saw() -> None:
    world = World()
    assert play_round(world.edge(), no_log) == GOOD
    assert world.steps == ["lock", "look", "run", "look", "save", "books", "unlock"]
    assert world.seen is not None
    assert world.seen.landing == {"telemetry_raw": "v1"}
    assert world.seen.model_tables == ("staging.stg",)


def test_round_with_nothing_new_runs_no_model() -> None:
    world = World()
    play_round(world.edge(), no_log)
    world.steps.clear()
    assert play_round(world.edge(), no_log) == Outcome(Result.NOTHING_NEW)
    assert world.steps == ["lock", "look", "books", "unlock"]


def test_round_does_not_claim_to_have_seen_what_landed_while_it_ran() -> None:
    world = World()

    def run(decision: Decision, fingerprint: str, lock: WriterLock) -> Outcome:
        world.landing["telemetry_raw"] = "v2"
        return GOOD

    play_round(replace(world.edge(), run=run), no_log)
    assert world.seen is not None
    assert world.seen.landing == {"telemetry_raw": "v1"}


def test_failed_round_is_tried_again_as_if_nothing_was_seen() -> None:
    world = World(outcome=BAD)
    assert play_round(world.edge(), no_log) == BAD
    assert world.seen is None
    world.outcome = GOOD
    assert play_round(world.edge(), no_log) == GOOD


def test_difference_is_the_rounds_outcome_and_runs_no_model_again() -> None:
    world = World(difference=Outcome(Result.DIFFERENCE, "1 missing"))
    assert play_round(world.edge(), no_log).text == "difference: 1 missing"
    assert play_round(world.edge(), no_log).text == "difference: 1 missing"
    assert world.steps.count("run") == 1


def test_round_with_failed_models_leaves_the_books_alone() -> None:
    world = World(outcome=BAD)
    play_round(world.edge(), no_log)
    assert "books" not in world.steps


def test_round_without_landing_tables_waits() -> None:
    world = World(landing={})
    outcome = play_round(world.edge(), no_log)
    assert outcome.text == "waiting for landing tables: no table landing.telemetry_raw yet"
    assert "run" not in world.steps


def test_round_that_meets_another_writer_is_skipped_and_names_it() -> None:
    error = RetriableError("the lock within 60 s", "held by dbt run by hand, process 7", "wait")
    outcome = play_round(World(lock_error=error).edge(), no_log)
    assert outcome.text == "skipped: held by dbt run by hand, process 7"


def test_round_without_postgresql_fails_with_what_was_wanted() -> None:
    error = RetriableError("PostgreSQL at db:5432", "connection refused", "start it")
    outcome = play_round(World(lock_error=error).edge(), no_log)
    assert outcome.result is Result.FAILED
    assert outcome.detail == "wanted PostgreSQL at db:5432; found connection refused; start it"


def test_round_that_fails_inside_frees_the_lock() -> None:
    error = RetriableError("the lock to stay ours", "held by nobody", "run again")
    world = World(look_error=error)
    assert play_round(world.edge(), no_log).result is Result.FAILED
    assert world.steps == ["lock", "unlock"]


def test_round_with_a_broken_project_fails_without_ending_the_runner() -> None:
    def sources() -> dict[str, str]:
        raise ConfigurationError("a source", "none", "declare it")

    outcome = play_round(replace(World().edge(), sources=sources), no_log)
    assert outcome.text == "failed: wanted a source; found none; declare it"


class Day:
    """A runner's day: time that only sleeping and playing move, and what was logged in it."""

    def __init__(self, path: Path, ends_after: float) -> None:
        self.now, self._ends_after, self._path = 0.0, ends_after, path
        self.lines: list[str] = []
        self.began: list[float] = []
        self.states: list[str] = []
        self.upkeep_at: list[float] = []
        self.next_rounds: set[str | None] = set()

    def utc(self) -> datetime:
        """The time of day."""
        return NOON + timedelta(seconds=self.now)

    def sleep(self, seconds: float) -> None:
        """Let time pass; note what the health file says meanwhile."""
        self.now += seconds
        self.next_rounds.add(self.health.health.next_round_at)

    def log(self, event: str, **facts: object) -> None:
        """Keep a line."""
        told = [f"{key}={value}" for key, value in facts.items() if value not in (None, "")]
        self.lines.append(" ".join([event, *told]))

    def runner(self, play: Callable[[], Outcome], interval_seconds: float = 60.0) -> Runner:
        """A runner that plays rounds like this one until the day ends."""
        self.health = HealthFile(self._path / "dbt.json", self.utc, lambda: self.now)

        def played() -> Outcome:
            self.began.append(self.now)
            self.states.append(self.health.health.state)
            return play()

        return Runner(
            interval_seconds,
            played,
            health=self.health,
            clock=RunnerClock(lambda: self.now, self.utc, self.sleep),
            is_stop_wanted=lambda: self.now >= self._ends_after,
            log=self.log,
            requests=Requests(self._path / "requests"),
            after_round=lambda: self.upkeep_at.append(self.now),
        )

    def taking(self, *rounds: tuple[float, Outcome]) -> Callable[[], Outcome]:
        """Rounds of these lengths and outcomes; the last repeats."""
        left = list(rounds)

        def play() -> Outcome:
            seconds, outcome = left.pop(0) if len(left) > 1 else left[0]
            self.now += seconds
            return outcome

        return play


def test_runner_plays_at_once_and_then_at_each_slot(tmp_path: Path) -> None:
    day = Day(tmp_path, ends_after=190.0)
    day.runner(day.taking((4.0, GOOD))).run()
    assert day.began == [0.0, 60.0, 120.0, 180.0]
    assert set(day.states) == {"running"}


def test_runner_looks_after_the_tables_when_a_round_has_ended(tmp_path: Path) -> None:
    day = Day(tmp_path, ends_after=70.0)
    day.runner(day.taking((4.0, GOOD), (9.0, BAD))).run()
    assert day.upkeep_at == [4.0, 69.0]


def test_runner_starts_the_round_after_a_failed_one_on_time(tmp_path: Path) -> None:
    day = Day(tmp_path, ends_after=70.0)
    day.runner(day.taking((30.0, BAD), (4.0, GOOD))).run()
    assert day.began == [0.0, 60.0]
    assert day.lines == [
        "round 1 ended result=failed: stg: no such table seconds=30.0 models_failed=1",
        "round 2 ended result=ok seconds=4.0 models=stg 1.2 s",
    ]


def test_runner_skips_the_slots_of_a_long_round_and_says_so(tmp_path: Path) -> None:
    day = Day(tmp_path, ends_after=250.0)
    day.runner(day.taking((130.0, GOOD), (1.0, Outcome(Result.NOTHING_NEW)))).run()
    assert day.began == [0.0, 180.0, 240.0]
    assert day.lines[1] == "slots missed count=2 because=the round was long"


def test_runner_looks_sooner_for_landing_tables_and_tells_it_once(tmp_path: Path) -> None:
    day = Day(tmp_path, ends_after=65.0)
    waiting = Outcome(Result.WAITING, "no table landing.telemetry_raw yet")
    day.runner(day.taking((0.0, waiting), (0.0, waiting), (0.0, GOOD))).run()
    assert day.began == [0.0, 10.0, 20.0, 60.0]
    assert [line.split(" seconds")[0] for line in day.lines] == [
        "round 1 ended result=waiting for landing tables: no table landing.telemetry_raw yet",
        "round 3 ended result=ok",
        "round 4 ended result=ok",
    ]


def test_runner_plays_a_round_when_one_is_asked_for_and_keeps_its_slots(tmp_path: Path) -> None:
    """Asked for at 20 s, in a pause; and at 31 s, while the round of the first request runs."""
    day = Day(tmp_path, ends_after=70.0)
    first, second = tmp_path / "requests" / "1", tmp_path / "requests" / "2"
    first.parent.mkdir()
    waiting: list[int] = []

    def sleep(seconds: float) -> None:
        Day.sleep(day, seconds)
        if day.now == 20.0:
            first.touch()

    def play() -> Outcome:
        day.now += 5.0
        if len(day.began) == 2:
            second.touch()
        waiting.append(sum(answer_of(request) == "" for request in (first, second)))
        return GOOD

    day.sleep = sleep  # type: ignore[method-assign]
    day.runner(play).run()
    assert day.began == [0.0, 20.0, 25.0, 60.0]
    assert waiting == [0, 2, 1, 0]
    assert not any("missed" in line for line in day.lines)


def test_runner_says_when_the_next_round_is_due(tmp_path: Path) -> None:
    day = Day(tmp_path, ends_after=5.0)
    day.runner(day.taking((4.0, GOOD))).run()
    assert day.next_rounds == {"2026-01-02T12:01:00Z"}


def test_runner_beats_while_it_waits_and_ends_within_a_pause(tmp_path: Path) -> None:
    day = Day(tmp_path, ends_after=31.1)
    day.runner(day.taking((0.0, GOOD))).run()
    assert day.now - 31.1 <= 0.25
    assert day.health.health.state == "stopped"
    assert day.health.health.updated_at == "2026-01-02T12:00:31Z"


def test_runner_that_is_off_only_shows_signs_of_life(tmp_path: Path) -> None:
    day = Day(tmp_path, ends_after=36.0)
    day.runner(day.taking((0.0, GOOD))).stay_off()
    assert (day.began, day.lines) == ([], [])
    assert day.health.health.state == "off"
    assert day.health.health.updated_at >= "2026-01-02T12:00:33Z"
