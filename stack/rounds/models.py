"""Run the models with dbt from a parsed project that is kept in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from stack import statements
from stack.errors import RetriableError
from stack.lock import WriterLock
from stack.rounds import child
from stack.rounds.decision import Decision
from stack.rounds.outcome import ModelResult, Outcome, Result, outcome_of
from stack.rounds.project import Project, prepare
from stack.settings import Settings

# Error texts are shown in one log line each; what dbt says beyond this is in its own words anyway.
MESSAGE_CHARACTERS = 2000

Say = Callable[[str], None]
OnModel = Callable[[ModelResult], None]


@dataclass(frozen=True)
class Watched:
    """What is kept in view while models run.

    on_model: told of each model that ends; beat: called all the while; beating: does the same
    around work that cannot call it.
    """

    lock: WriterLock
    is_stop_wanted: Callable[[], bool]
    on_model: OnModel
    beat: Callable[[], None]
    beating: Callable[[], AbstractContextManager[None]]


def dbt_words(decision: Decision, with_fixed: bool) -> list[str]:
    """The dbt command for a round. with_fixed: views and seeds too."""
    kinds = ["--resource-type", "model", "--resource-type", "seed"]
    increments = ["run", "--exclude", "config.materialized:view"]
    command = ["build", *kinds] if with_fixed else increments
    return [*command, *(["--full-refresh"] if decision.is_full_refresh else [])]


class Models:
    """The models of one project. Everything dbt needs stays loaded between two rounds."""

    def __init__(self, settings: Settings, project: Project, say: Say) -> None:
        self._settings, self._project, self._say = settings, project, say
        self._manifest: Any = None
        # Fingerprints of the project that was read last, and of that whose views are there.
        self._parsed = self._fixed = ""

    @property
    def _options(self) -> list[str]:
        target = self._settings.state_dir / "dbt" / "target"
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-use-colors"]
        folders = ["--target-path", str(target), "--log-path", str(target)]
        return [*quiet, *folders, "--no-send-anonymous-usage-stats"]

    def parse(self, fingerprint: str, beating: Callable[[], AbstractContextManager[None]]) -> str:
        """Read the project unless these files are read already; return dbt's error or nothing."""
        if self._parsed == fingerprint:
            return ""
        started_at = time.monotonic()
        with beating():
            runner = load_dbt(self._settings, self._project)
            answer = runner().invoke(["parse", *self._options])
        if not answer.success:
            return f"the dbt project cannot be read: {answer.exception}"
        self._manifest, self._parsed = answer.result, fingerprint
        self._say(f"dbt project read in {time.monotonic() - started_at:.1f} s")
        return ""

    def run(self, decision: Decision, fingerprint: str, watched: Watched) -> Outcome:
        """Run the models in a child and tell of each as it ends.

        Until a run of this version of the project has gone well, it makes views and seeds too.
        Raises RetriableError if Trino is away or the lock is lost; the child is ended before.
        """
        with_fixed = decision.with_fixed or self._fixed != fingerprint
        error = self.parse(fingerprint, watched.beating)
        if error:
            return Outcome(Result.FAILED, error)
        trino = statements.Trino(self._settings, self._project.trino_user)
        statements.settle(trino, self._say, beat=watched.beat)
        watched.lock.check()
        receiver, sender = child.FORK.Pipe(duplex=False)
        words = [*dbt_words(decision, with_fixed), *self._options]
        process = child.start(
            lambda: run_in_child(self._manifest, words, sender),
            lambda: end_statements(trino, self._say),
        )
        sender.close()
        news = News(receiver, watched.on_model)
        ended = child.watch(process, watched.is_stop_wanted, lambda: look_after(watched, news))
        news.read()
        if process.exitcode != 0:
            end_statements(trino, self._say)
        if not ended:
            return Outcome(Result.STOPPED, "asked to end", tuple(news.models))
        outcome = outcome_of(tuple(news.models), news.error_of(process.exitcode))
        if with_fixed and outcome.result is Result.OK:
            self._fixed = fingerprint
        return outcome


def end_statements(trino: statements.Coordinator, say: Say) -> None:
    """End what a child that did not end by itself may have left; say it if that fails."""
    try:
        statements.settle(trino, say, grace_seconds=0)
    except RetriableError as error:
        say(str(error))


def look_after(watched: Watched, news: News) -> None:
    """What is done all the while models run."""
    news.read()
    watched.beat()
    watched.lock.glance()


class News:
    """What the child told so far."""

    def __init__(self, receiver: Connection, on_model: OnModel) -> None:
        self._receiver, self._on_model = receiver, on_model
        self.models: list[ModelResult] = []
        self._ending: str | None = None

    def read(self) -> None:
        """Take in what the child has sent since."""
        try:
            while self._receiver.poll():
                self._take(self._receiver.recv())
        except EOFError:
            return

    def _take(self, message: ModelResult | str) -> None:
        if isinstance(message, ModelResult):
            self.models.append(message)
            self._on_model(message)
        else:
            self._ending = message

    def error_of(self, exit_code: int | None) -> str:
        """What kept dbt itself from ending well, or nothing."""
        if self._ending is None:
            return f"dbt ended without a word, exit code {exit_code}"
        return self._ending


def load_dbt(settings: Settings, project: Project) -> Any:
    """The runner class of dbt, imported when first needed: that takes seconds and 150 MB."""
    prepare(settings, project)
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 (see above)

    return dbtRunner


def run_in_child(manifest: Any, words: list[str], sender: Connection) -> None:
    """Run one dbt command; send each model's result, then the error that stopped dbt or ''."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 (loaded by the parent already)

    turn = threading.Lock()

    def on_event(event: Any) -> None:
        if event.info.name == "NodeFinished":
            with turn:
                sender.send(model_result(event.data))

    answer = dbtRunner(manifest=manifest, callbacks=[on_event]).invoke(words)
    if isinstance(answer.exception, KeyboardInterrupt):
        raise answer.exception
    with turn:
        sender.send(str(answer.exception or "")[:MESSAGE_CHARACTERS])


def model_result(data: Any) -> ModelResult:
    """A model's result from dbt's NodeFinished event."""
    return ModelResult(
        name=data.node_info.node_name,
        status=data.run_result.status,
        seconds=data.run_result.execution_time,
        message=data.run_result.message[:MESSAGE_CHARACTERS],
    )
