"""dbt by hand: the ordinary command line, pointed at this stack, one writer at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from stack import statements
from stack.lock import BY_HAND, one_writer
from stack.rounds import child, seen
from stack.rounds.models import end_statements
from stack.rounds.project import Project, prepare, seen_file
from stack.settings import Settings

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

    def be_dbt() -> None:
        prepare(settings, project)
        os.environ.setdefault("DBT_USE_COLORS", str(sys.stdout.isatty()))
        sys.exit(run_command_line(arguments))

    if not is_writing(arguments):
        return run_watched(be_dbt, nothing, nothing)
    trino = statements.Trino(settings, project.trino_user)
    with one_writer(settings, BY_HAND, WAIT_SECONDS, say, project.trino_user) as lock:
        seen.mark_stale(seen_file(settings))
        return run_watched(be_dbt, lock.glance, lambda: end_statements(trino, say))


def nothing() -> None:
    """There is nothing to look after, or to clean up, where nothing is written."""


def say(text: str) -> None:
    """A line for the person at the terminal, apart from dbt's own output."""
    with suppress(BrokenPipeError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def run_command_line(arguments: Sequence[str]) -> int:
    """Do what dbt's command line does and return its exit code."""
    from dbt.cli.main import cli  # noqa: PLC0415 (takes seconds, only its own process needs it)

    try:
        cli.main(args=list(arguments), prog_name="dbt")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    return 0


def run_watched(
    work: Callable[[], None], look_after: Callable[[], None], clean_up: Callable[[], None]
) -> int:
    """Run dbt in a child and return its exit code; clean up unless it ended by itself.

    An exception of look_after ends the child and is passed on.
    """
    with child.noted_signals() as is_stop_wanted:
        process = child.start(work, clean_up)
        ended = child.watch(process, is_stop_wanted, look_after)
        code = exit_code(process.exitcode, ended)
        if code >= SIGNALLED:
            clean_up()
    return code


def exit_code(code: int | None, ended: bool) -> int:
    """What the shell is told: dbt's own code, 130 after an interruption, 128 + a signal."""
    if not ended or code is None:
        return child.INTERRUPTED
    return code if code >= 0 else SIGNALLED - code
