"""The resident runner: a round at start and at every DBT_RUN_INTERVAL from then on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from stack.base.errors import MeterhouseError, RetriableError
from stack.base.settings import Settings
from stack.clients import trino
from stack.rounds import catalog, facts, seen
from stack.rounds.books import Books, plan_of
from stack.rounds.decision import Action, Decision, Found, Seen, decide, seen_after
from stack.rounds.endpoint import Endpoint
from stack.rounds.facts import Log
from stack.rounds.health import HealthFile, at_end, at_start
from stack.rounds.models import Models
from stack.rounds.outcome import ModelResult, Outcome, Result
from stack.rounds.program import noted_signals
from stack.rounds.project import Project, seen_file
from stack.rounds.request import Requests, folder_of
from stack.rounds.schedule import Schedule, Slot, missed, sooner
from stack.rounds.warm_up import WarmUp
from stack.rounds.worker_client import Watch
from stack.writing.lock import SCHEDULED_ROUND, WriterLock, hold_lock

PAUSE_SECONDS = 0.25
# A round that meets another writer waits this long, and at most half the interval.
LOCK_WAIT_SECONDS = 60.0
# Landing tables appear when the lander starts: worth a look more often than a round is due.
LANDING_PAUSE_SECONDS = 10.0


@dataclass(frozen=True)
class Edge:
    """Everything a round does to the world, so that its order can be tested without one.

    run: runs the models; the callback is told of each model that ends. close_books: reconciles
    after a good round and returns its outcome, which a difference changes.
    """

    hold_lock: Callable[[], AbstractContextManager[WriterLock]]
    fingerprint: Callable[[], str]
    sources: Callable[[], Mapping[str, str]]
    look: Callable[[Seen | None, str], Found]
    count_returning: Callable[[], int]
    run: Callable[[Decision, str, WriterLock], Outcome]
    load_seen: Callable[[], Seen | None]
    save_seen: Callable[[Seen], None]
    close_books: Callable[[Outcome, WriterLock], Outcome]


@dataclass(frozen=True)
class RunnerClock:
    """monotonic: seconds for the schedule; utc: time of day for people."""

    monotonic: Callable[[], float] = time.monotonic
    utc: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


def play_round(edge: Edge, log: Log) -> Outcome:
    """One round. Expected failures become its outcome; the lock is free afterwards."""
    holding = False
    try:
        with edge.hold_lock() as lock:
            holding = True
            return play_alone(edge, lock, log)
    except RetriableError as error:
        is_busy = not holding and error.found.startswith("held by ")
        if is_busy:
            return Outcome(Result.SKIPPED, error.found)
        return Outcome(Result.FAILED, str(error))
    except MeterhouseError as error:
        return Outcome(Result.FAILED, str(error))


def play_alone(edge: Edge, lock: WriterLock, log: Log) -> Outcome:
    """A round while no other writer can interfere."""
    before = edge.load_seen()
    fingerprint = edge.fingerprint()
    found = edge.look(before, fingerprint)
    decision = decide(before, found, edge.sources(), edge.count_returning)
    if decision.action is Action.WAIT:
        return Outcome(Result.WAITING, decision.reason)
    if decision.action is Action.NOTHING:
        return edge.close_books(Outcome(Result.NOTHING_NEW), lock)
    log("models start", why=decision.reason, full_refresh=decision.is_full_refresh)
    outcome = edge.run(decision, fingerprint, lock)
    if outcome.result is Result.OK:
        # What came while the models ran is new to the next round; only their tables are looked up.
        edge.save_seen(seen_after(found, edge.look(None, fingerprint).model_tables))
        return edge.close_books(outcome, lock)
    return outcome


class Runner:
    """Rounds one after the other until a stop is wanted."""

    def __init__(
        self,
        interval_seconds: float,
        play: Callable[[], Outcome],
        *,
        health: HealthFile,
        clock: RunnerClock,
        is_stop_wanted: Callable[[], bool],
        log: Log,
        requests: Requests,
        after_round: Callable[[], None] = lambda: None,
    ) -> None:
        self._after_round, self._requests = after_round, requests
        self._interval_seconds = interval_seconds
        self._play, self._health, self._clock = play, health, clock
        self._is_stop_wanted, self._log = is_stop_wanted, log
        self._number = 0
        self._last_text = ""

    def run(self) -> None:
        """Play rounds at their slots."""
        schedule = Schedule(self._clock.monotonic(), self._interval_seconds)
        slot = schedule.slot(0)
        while not self._is_stop_wanted():
            with self._requests.answered(lambda: self._health.health):
                slot = self._play_slot(schedule, slot)
            self._after_round()
            self._sleep_until(slot.due, self._requests.waiting)
            slot = sooner(slot, self._clock.monotonic())
        self._health.show(replace(self._health.health, state="stopped", next_round_at=None))

    def stay_off(self) -> None:
        """Do nothing but show signs of life."""
        self._health.show(replace(self._health.health, state="off"))
        self._sleep_until(float("inf"))

    def _play_slot(self, schedule: Schedule, slot: Slot) -> Slot:
        """Play one round; return the slot of the next."""
        self._number += 1
        began = self._clock.monotonic()
        self._health.show(at_start(self._health.health, self._number, self._clock.utc()))
        outcome = self._play()
        now, utc = self._clock.monotonic(), self._clock.utc()
        following = schedule.after(slot, now)
        if outcome.result is Result.WAITING:
            following = sooner(following, now + LANDING_PAUSE_SECONDS)
        next_at = utc + timedelta(seconds=following.due - now)
        self._health.show(at_end(self._health.health, outcome, now - began, utc, next_at))
        self._tell(outcome, now - began)
        if missed(slot, following):
            self._log("slots missed", count=missed(slot, following), because="the round was long")
        return following

    def _tell(self, outcome: Outcome, seconds: float) -> None:
        """One log line a round; waiting is told once, not at each look."""
        is_repeated = outcome.result is Result.WAITING and outcome.text == self._last_text
        self._last_text = outcome.text
        if is_repeated:
            return
        self._log(
            f"round {self._number} ended",
            result=outcome.text,
            seconds=seconds,
            models=", ".join(
                f"{model.name} {model.seconds:.1f} s" for model in outcome.models if model.is_good
            ),
            models_failed=outcome.models_failed or None,
        )

    def _sleep_until(self, due: float, is_wanted: Callable[[], object] = bool) -> None:
        """Sleep; a stop ends that, and so does something wanted before."""
        while (left := due - self._clock.monotonic()) > 0 and not self._is_stop_wanted():
            if is_wanted():
                return
            self._health.beat()
            self._clock.sleep(min(PAUSE_SECONDS, left))


def edge_of(
    settings: Settings,
    project: Project,
    models: Models,
    *,
    health: HealthFile,
    is_stop_wanted: Callable[[], bool],
    log: Log,
) -> Edge:
    """The world of one stack."""
    record = seen_file(settings)
    books = Books(settings, lambda: plan_of(project), log, health.beat, is_stop_wanted)
    wait_seconds = min(LOCK_WAIT_SECONDS, settings.dbt_run_interval / 2)

    def on_model(model: ModelResult) -> None:
        was = health.health
        failed = was.models_failed + model.is_failed
        run = was.models_run + (model.status != "skipped")
        health.show(replace(was, models_run=run, models_failed=failed))
        if model.is_failed and not is_stop_wanted():
            log("model failed", name=model.name, error=model.message)

    def run(decision: Decision, fingerprint: str, lock: WriterLock) -> Outcome:
        watch = Watch(lock, is_stop_wanted, health.beat, on_model)
        return models.run(decision, fingerprint, watch)

    return Edge(
        hold_lock=lambda: hold_lock(settings, SCHEDULED_ROUND, wait_seconds, log, health.beat),
        fingerprint=project.fingerprint,
        sources=project.sources,
        look=lambda before, fingerprint: catalog.look(settings, before, fingerprint),
        count_returning=lambda: catalog.count_returning(settings),
        run=run,
        load_seen=lambda: seen.load(record),
        save_seen=lambda after: seen.save(record, after),
        close_books=books.close,
    )


def run_rounds(
    settings: Settings, project: Project | None = None, metrics_address: str = "127.0.0.1"
) -> int:
    """Run rounds until SIGTERM or Ctrl+C, then return 0; a failed round does not end it.

    metrics_address: interface on which METRICS_PORT is bound. Raises ConfigurationError
    where maintenance would endanger readers.
    """
    from stack.maintenance.service import Upkeep  # noqa: PLC0415 (it builds on this package)

    log = facts.logger()
    clock = RunnerClock()
    health_path = settings.state_dir / "health" / "dbt.json"
    health = HealthFile(health_path, clock.utc, clock.monotonic)
    project = project or Project()
    models = Models(settings, project, log)
    endpoint = Endpoint(settings, lambda: plan_of(project), metrics_address)

    def play() -> Outcome:
        endpoint.keep(log)
        return play_round(edge, log)

    with noted_signals() as is_stop_wanted, closing(models), closing(endpoint):
        endpoint.keep(log)
        edge = edge_of(
            settings, project, models, health=health, is_stop_wanted=is_stop_wanted, log=log
        )
        upkeep = Upkeep(settings, log)
        requests = Requests(folder_of(settings))
        dbt = trino.client(settings, "dbt")
        warm_up = WarmUp(dbt.rows, settings.state_dir / "dbt" / "target", health.beat)

        def after_round() -> None:
            run = health.health.models_run
            warm_up.after_round(run, lambda: is_stop_wanted() or requests.waiting())
            upkeep.after_round(is_stop_wanted, health.beat, clock.utc())

        runner = Runner(
            settings.dbt_run_interval,
            play,
            after_round=after_round,
            health=health,
            clock=clock,
            is_stop_wanted=is_stop_wanted,
            log=log,
            requests=requests,
        )
        if settings.dbt_auto_run:
            log("rounds begin", interval_seconds=f"{settings.dbt_run_interval:g}")
            runner.run()
        else:
            log("rounds are off", setting="DBT_AUTO_RUN=false", by_hand="bin/dbt run")
            runner.stay_off()
        log("rounds end")
    return 0
