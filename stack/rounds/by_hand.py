"""dbt by hand: the ordinary command line, pointed at this stack, one writer at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from stack.base.settings import Settings
from stack.rounds import program, seen
from stack.rounds.loads import next_load
from stack.rounds.models import end_statements
from stack.rounds.program import Program
from stack.rounds.project import Project, environment, seen_file
from stack.writing import statements
from stack.writing.lock import BY_HAND, one_writer

WAIT_SECONDS = 600.0
# Exit codes from here on mean that a signal ended the process.
SIGNALLED = 128

# A test reads several tables that a round changes one after the other: it waits for its turn too.
WRITING = {"run", "build", "seed", "snapshot", "test", "run-operation", "retry", "clone"}
READING = {"compile", "show", "list", "ls", "parse", "docs", "debug", "deps", "clean", "init"}
READING |= {"source"}
ASKING = {"--help", "-h", "--version", "-v", "-V"}


def is_writing(arguments: Sequence[str]) -> bool:
    """Whether a dbt command may write tables; where options stand first, in doubt it may."""
    if not arguments or ASKING.intersection(arguments) or arguments[0] in READING:
        return False
    return not WRITING.isdisjoint(arguments)


def run_dbt(arguments: Sequence[str], settings: Settings, project: Project | None = None) -> int:
    """Run one dbt command and return its exit code; 130 if it was interrupted.

    Folders of project and profile are this stack's unless the arguments say otherwise. Raises
    RetriableError, naming the holder, if another writer keeps the lock for ten minutes, and if
    PostgreSQL or Trino is away.
    """
    project = project or Project()
    module, variables = "stack.rounds.command_line", environment(settings, project)
    arguments = with_port(arguments, settings)
    if not is_writing(arguments):
        return run_watched(lambda: program.start(module, ["", *arguments], variables))
    trino = statements.writers(settings, project.trino_user)
    with one_writer(settings, BY_HAND, WAIT_SECONDS, say, project.trino_user) as lock:
        seen.mark_stale(seen_file(settings))
        variables = {**variables, **next_load(lock)}
        return run_watched(
            lambda: program.start(module, [project.trino_user, *arguments], variables, [lock]),
            lock.glance,
            lambda: end_statements(trino, say),
        )


def with_port(arguments: Sequence[str], settings: Settings) -> list[str]:
    """The words of `docs serve` with a port of ours, unless the caller's own is there."""
    is_serving = list(arguments[:2]) == ["docs", "serve"]
    if not is_serving or any(word.startswith("--port") for word in arguments):
        return list(arguments)
    return [*arguments, "--port", str(settings.dbt_docs_port)]


def nothing() -> None:
    """There is nothing to look after, or to clean up, where nothing is written."""


def say(text: str) -> None:
    """A line for the person at the terminal, apart from dbt's own output."""
    with suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def run_watched(
    start: Callable[[], Program],
    look_after: Callable[[], None] = nothing,
    clean_up: Callable[[], None] = nothing,
) -> int:
    """Start a program and return its exit code; clean up unless it ended by itself.

    An exception of look_after ends the program and is passed on.
    """
    with program.noted_signals() as is_stop_wanted:
        running = start()
        ended = program.watch(running, is_stop_wanted, look_after)
        code = exit_code(running.process.returncode, ended)
        if code >= SIGNALLED:
            clean_up()
    return code


def exit_code(code: int | None, ended: bool) -> int:
    """What the shell is told: dbt's own code, 130 after an interruption, 128 + a signal."""
    if not ended or code is None:
        return program.INTERRUPTED
    return code if code >= 0 else SIGNALLED - code
