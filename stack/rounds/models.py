"""Run the models with dbt's worker, which keeps the parsed project."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients.metadata import StoredFiles
from stack.rounds.decision import Decision
from stack.rounds.loads import newest, next_load
from stack.rounds.outcome import Outcome, Result, outcome_of
from stack.rounds.progress import SCHEMAS, Progress, Said
from stack.rounds.project import Project, environment
from stack.rounds.worker_client import DbtCommand, Watch, Worker
from stack.writing import statements

# A round reads and writes little: planning by statistics costs more than it saves.
INCREMENT_SESSION = {
    "iceberg.statistics_enabled": "false",
    "iceberg.collect_extended_statistics_on_write": "false",
    "join_reordering_strategy": "NONE",
    "join_distribution_type": "BROADCAST",
    "scale_writers": "false",
    "task_scale_writers_enabled": "false",
}

Say = Callable[[str], None]


def dbt_words(decision: Decision, with_fixed: bool) -> list[str]:
    """The dbt command for a round. with_fixed: views and seeds too, of the whole project."""
    kinds = ["--resource-type", "model", "--resource-type", "seed"]
    below = ["--select", *(f"{source}+" for source in decision.changed)]
    increments = ["run", *(below if decision.changed else [])]
    increments += ["--exclude", "config.materialized:view"]
    command = ["build", *kinds] if with_fixed else increments
    refresh = ["--full-refresh"] if decision.is_full_refresh else []
    is_increment = not with_fixed and not decision.is_full_refresh
    given = {"plan": decision.plan} if decision.plan else {}
    if is_increment:
        given["session_properties"] = INCREMENT_SESSION
    return [*command, *refresh, *(["--vars", json.dumps(given)] if given else [])]


class Models:
    """The models of one project. Everything dbt needs stays loaded between two rounds."""

    def __init__(self, settings: Settings, project: Project, say: Say) -> None:
        self._settings, self._project, self._say = settings, project, say
        self.worker = Worker([project.trino_user], settings.environment())
        self.progress = Progress(lambda: StoredFiles(settings), say)
        # Fingerprint of the project whose views are there.
        self._fixed = ""

    def close(self) -> None:
        """End dbt's worker."""
        self.worker.close()

    def run(self, decision: Decision, fingerprint: str, watch: Watch) -> Outcome:
        """Run the models and tell of each as it ends.

        Until a run of this version of the project has gone well, it makes views and seeds too.
        A model whose progress cannot be recorded ends the round: dbt is ended, then its statements.
        Raises RetriableError if Trino is away or the lock is lost; dbt is ended before.
        """
        with_fixed = decision.with_fixed or self._fixed != fingerprint
        trino = statements.writers(self._settings, self._project.trino_user)
        statements.settle(trino, self._say, beat=watch.beat)
        told = self.progress.read(watch.lock)
        decision = planned(decision, told)
        variables = {
            **environment(self._settings, self._project),
            **next_load(watch.lock, newest(told or {})),
            "PROJECT_DIGEST": fingerprint,
        }
        command = DbtCommand(dbt_words(decision, with_fixed), fingerprint, variables)
        watch = replace(
            watch,
            on_read=self._tell_read,
            on_progress=lambda note: self.progress.record(note, watch.lock),
        )
        answer = self.worker.ask(command, watch)
        if answer.is_dead:
            end_statements(trino, self._say, watch.beat)
        if answer.is_stopped:
            return Outcome(Result.STOPPED, "asked to end", answer.models)
        outcome = outcome_of(answer.models, answer.error)
        if with_fixed and outcome.result is Result.OK:
            self._fixed = fingerprint
        return outcome

    def _tell_read(self, seconds: float) -> None:
        self._say(f"dbt project read in {seconds:.1f} s")


def planned(decision: Decision, told: Mapping[str, Said] | None) -> Decision:
    """A decision whose plan has what tables say of their progress, where that could be read."""
    if told is None or not decision.plan:
        return decision
    return replace(decision, plan={**decision.plan, "schemas": SCHEMAS, "properties": told})


def end_statements(
    trino: statements.Coordinator, say: Say, beat: Callable[[], None] = lambda: None
) -> None:
    """End what a program that did not end by itself may have left; say it if that fails.

    beat: called all the while.
    """
    try:
        statements.settle(trino, say, grace_seconds=0, beat=beat)
    except RetriableError as error:
        say(str(error))
