"""Reconcile at the end of a round, in a thread that is watched and given up at a limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

from stack.base.errors import MeterhouseError, RetriableError
from stack.base.settings import Settings
from stack.books.evidence import Difference
from stack.books.plan import Plan, flows_of
from stack.books.reconcile import Ask, Look, Reconciler
from stack.books.report import Report
from stack.rounds.facts import Log
from stack.rounds.models import end_statements
from stack.rounds.outcome import Outcome, Result
from stack.rounds.program import WATCH_SECONDS
from stack.rounds.project import Project
from stack.writing import statements
from stack.writing.lock import WriterLock

# A full count takes longest; what takes longer than this is stuck.
LIMIT_SECONDS = 1800.0
# A reconciliation that is given up ends its own statement within this time, or Trino is told to.
GIVE_UP_SECONDS = 5.0


class Books:
    """What the rounds of one runner know of their reconciliations.

    plan: what to reconcile now. beat: called all the while; is_stop_wanted: ends a reconciliation
    early, which is then due again.
    """

    def __init__(
        self,
        settings: Settings,
        plan: Callable[[], Plan],
        log: Log,
        beat: Callable[[], None],
        is_stop_wanted: Callable[[], bool],
    ) -> None:
        self._settings, self._plan, self._log = settings, plan, log
        self._beat, self._is_stop_wanted = beat, is_stop_wanted
        self._seen: Look | None = None
        # It keeps its Kafka client from round to round.
        self._reconciler: Reconciler | None = None
        self._plan_of_reconciler: Plan | None = None

    def close(self, outcome: Outcome, lock: WriterLock) -> Outcome:
        """Reconcile after a good round; its outcome then says what differs, or why it is unknown.

        A round that changed nothing writes no row where nothing else changed either.
        """
        plan = self._plan()
        if not plan.flows:
            return outcome
        seconds = {model.name: model.seconds for model in outcome.models}
        ask = Ask(is_due=outcome.result is Result.OK, model_seconds=seconds)
        answer = self._watched(plan, ask, lock)
        if isinstance(answer, Outcome):
            return Outcome(answer.result, answer.detail, outcome.models)
        if self._seen is None or answer.report != self._seen.report:
            tell(answer.report, self._log)
        self._seen = answer
        return outcome_of(outcome, answer.report.differences)

    def _watched(self, plan: Plan, ask: Ask, lock: WriterLock) -> Look | Outcome:
        """What a reconciliation saw, or the outcome of not having seen it."""
        trino = statements.writers(self._settings, plan.trino_user)
        work = Work(self._reconciler_of(plan), ask, self._seen, trino)
        work.start()
        end = time.monotonic() + LIMIT_SECONDS
        try:
            while work.is_alive():
                if self._is_stop_wanted():
                    return Outcome(Result.STOPPED, "asked to end")
                if time.monotonic() >= end:
                    return Outcome(Result.FAILED, f"reconciliation: no end in {LIMIT_SECONDS:g} s")
                self._beat()
                lock.glance()
                work.join(WATCH_SECONDS)
        finally:
            if work.is_alive():
                self._give_up(work, trino, lock)
        if work.answer is None:
            return Outcome(Result.FAILED, f"reconciliation: {work.error}")
        return work.answer

    def _reconciler_of(self, plan: Plan) -> Reconciler:
        if self._reconciler is None or plan != self._plan_of_reconciler:
            self._reconciler = Reconciler(self._settings, plan)
            self._plan_of_reconciler = plan
        return self._reconciler

    def _give_up(self, work: Work, trino: statements.Coordinator, lock: WriterLock) -> None:
        """Wait no longer for a reconciliation; the next one gets clients of its own.

        Raises RetriableError if the lock is lost: what runs in Trino may then be another writer's.
        """
        self._reconciler = None
        work.is_given_up.set()
        work.join(GIVE_UP_SECONDS)
        if work.is_alive():
            lock.check()
            end_statements(trino, self._log, self._beat)


class Work(Thread):
    """One reconciliation. answer: what it saw; error: what kept it from seeing, once it has ended.

    is_given_up: set by whoever waits no longer; it then writes nothing any more.
    """

    def __init__(
        self, reconciler: Reconciler, ask: Ask, seen: Look | None, trino: statements.Coordinator
    ) -> None:
        super().__init__(name="reconciliation", daemon=True)
        self._reconciler, self._ask, self._last, self._trino = reconciler, ask, seen, trino
        self.is_given_up = Event()
        self.answer: Look | None = None
        self.error = "it ended without an answer; see the traceback in the log"

    def run(self) -> None:
        """Reconcile; an expected failure is kept, any other is for the log."""
        try:
            self.answer = self._reconciler.reconcile(self._ask, self._last, self._before_writing)
        except MeterhouseError as error:
            self.error = str(error)

    def _before_writing(self) -> None:
        """Have no orphaned statement run while the row is written, and nobody waiting no longer."""
        self._require_waiting()
        statements.settle(
            self._trino, lambda text: self._require_waiting(), beat=self._require_waiting
        )
        self._require_waiting()

    def _require_waiting(self) -> None:
        """Raise RetriableError if nobody waits: the lock, and what runs, may be another's."""
        if self.is_given_up.is_set():
            raise RetriableError("to write the row", "nobody waits for it", "reconcile again")


def plan_of(project: Project) -> Plan:
    """What a dbt project wants reconciled."""
    return Plan(flows_of(project.source_entries()), trino_user=project.trino_user)


def tell(report: Report, log: Log) -> None:
    """One line for a reconciliation, and one for each difference."""
    quarantined = sum(sum(reasons.values()) for reasons in report.quarantined.values())
    log(
        "reconciled",
        result=report.result,
        extent=report.extent,
        landed=sum(report.landed.values()),
        accepted=sum(report.accepted.values()),
        quarantined=quarantined,
        duplicates=sum(report.duplicates.values()),
    )
    for difference in report.differences:
        log(
            "ERROR difference",
            wanted=difference.wanted,
            found=difference.found,
            next=difference.next_step,
        )


def outcome_of(outcome: Outcome, differences: tuple[Difference, ...]) -> Outcome:
    """The round's outcome: the models' own, unless the books differ."""
    if not differences:
        return outcome
    return Outcome(Result.DIFFERENCE, str(differences[0]), outcome.models)
