"""Reconcile at the end of a round, in a child, so that no thread of Kafka's client stays behind."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection

from stack import statements
from stack.errors import MeterhouseError
from stack.lock import WriterLock
from stack.reconciliation.evidence import Difference
from stack.reconciliation.plan import Plan, flows_of
from stack.reconciliation.reconcile import Ask, Look, Reconciler
from stack.reconciliation.report import Report
from stack.rounds import child
from stack.rounds.facts import Log
from stack.rounds.models import end_statements
from stack.rounds.outcome import Outcome, Result
from stack.rounds.project import Project
from stack.settings import Settings


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

    def close(self, outcome: Outcome, lock: WriterLock) -> Outcome:
        """Reconcile after a good round; its outcome then says what differs, or why it is unknown.

        A round that changed nothing writes no row where nothing else changed either.
        """
        plan = self._plan()
        if not plan.flows:
            return outcome
        seconds = {model.name: model.seconds for model in outcome.models}
        ask = Ask(is_due=outcome.result is Result.OK, model_seconds=seconds)
        answer = self._in_child(plan, ask, lock)
        if isinstance(answer, Outcome):
            return Outcome(answer.result, answer.detail, outcome.models)
        if self._seen is None or answer.report != self._seen.report:
            tell(answer.report, self._log)
        self._seen = answer
        return outcome_of(outcome, answer.report.differences)

    def _in_child(self, plan: Plan, ask: Ask, lock: WriterLock) -> Look | Outcome:
        """What the child saw, or the outcome of not having seen it."""
        trino = statements.Trino(self._settings, plan.trino_user)
        receiver, sender = child.FORK.Pipe(duplex=False)
        process = child.start(
            lambda: sender.send(answer_of(self._settings, plan, ask, self._seen)),
            lambda: end_statements(trino, self._log),
        )
        sender.close()
        answers: list[Look | str] = []

        def look_after() -> None:
            receive(receiver, answers)
            self._beat()
            lock.glance()

        ended = child.watch(process, self._is_stop_wanted, look_after)
        receive(receiver, answers)
        if process.exitcode != 0:
            end_statements(trino, self._log)
        if not ended:
            return Outcome(Result.STOPPED, "asked to end")
        answer = answers[0] if answers else f"no word, exit code {process.exitcode}"
        if isinstance(answer, str):
            return Outcome(Result.FAILED, f"reconciliation: {answer}")
        return answer


def plan_of(project: Project) -> Plan:
    """What a dbt project wants reconciled."""
    return Plan(flows_of(project.source_entries()), trino_user=project.trino_user)


def answer_of(settings: Settings, plan: Plan, ask: Ask, seen: Look | None) -> Look | str:
    """Be the child: what was seen, or the expected failure that kept it from being seen."""
    trino = statements.Trino(settings, plan.trino_user)
    try:
        # The parent looks after the lock all the while.
        return Reconciler(settings, plan, lambda: settle(trino)).reconcile(ask, seen)
    except MeterhouseError as error:
        return str(error)


def settle(trino: statements.Coordinator) -> None:
    """Have no statement of a dead writer run while the row is written."""
    statements.settle(trino, lambda text: None)


def receive(receiver: Connection, answers: list[Look | str]) -> None:
    """Take the child's answer if it is there."""
    try:
        if receiver.poll():
            answers.append(receiver.recv())
    except EOFError:
        return


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
