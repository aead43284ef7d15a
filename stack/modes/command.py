"""Commands on the services of this stack and on the machine."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from functools import partial

from stack.base import caller
from stack.base.commands import Command, say
from stack.base.settings import NATIVE, Settings
from stack.modes import doctor
from stack.modes.choice import run_tool, runtime_of

# What a command needs is imported when it runs: `doctor` works before anything is there.
# ruff: noqa: PLC0415


def run_doctor(settings: Settings, arguments: Namespace) -> int:
    """Check the machine, and say what is wrong with unhealthy services."""
    doctor.report(doctor.findings(settings), say, only_bad=arguments.quiet)
    return 0


def add_quiet(parser: ArgumentParser) -> None:
    """Declare how much is shown."""
    parser.add_argument("--quiet", action="store_true", help="show only what does not pass")


def run_mode(settings: Settings, arguments: Namespace) -> int:
    """Print the mode that setup runs in, and say why."""
    from stack.modes import engine

    mode, why = engine.choose(settings)
    sys.stderr.write(f"  {mode}: {why}\n")
    print(mode)  # noqa: T201
    return 0


def run_fetch(settings: Settings, arguments: Namespace) -> int:
    """Bring what the services run on: download, build or pull what is missing; or mc alone."""
    with caller.downloading():
        if arguments.part:
            from stack.programs import fetch

            fetch.fetch_command_line(settings)
        else:
            runtime_of(settings).fetch(settings, say)
    return 0


def add_part(parser: ArgumentParser) -> None:
    """Declare what can be brought alone."""
    parser.add_argument("part", nargs="?", choices=("mc",), help="only this")


def run_start(settings: Settings, arguments: Namespace) -> int:
    """Start every service and wait until each answers."""
    runtime_of(settings).start(settings, say)
    return 0


def run_wait(settings: Settings, arguments: Namespace) -> int:
    """Wait until every service answers a real request."""
    from stack.provision import ready

    known = ready.nothing_known
    if settings.run_mode == NATIVE:
        from stack.modes import native

        known = partial(native.trouble, settings)
    ready.wait(settings, arguments.seconds, say, trouble=known)
    return 0


def add_seconds(parser: ArgumentParser) -> None:
    """Declare how long to wait."""
    parser.add_argument("--seconds", type=float, default=120.0, help="limit (default 120)")


def run_problems(settings: Settings, arguments: Namespace) -> int:
    """Tell of each unhealthy service why, with its last log lines; 1 if there is one."""
    from stack.modes import status

    return int(status.show_problems(settings, runtime_of(settings), say))


def run_stop(settings: Settings, arguments: Namespace) -> int:
    """Stop every service without loss."""
    runtime_of(settings).stop(settings, say)
    return 0


def run_erase(settings: Settings, arguments: Namespace) -> int:
    """Delete all data."""
    runtime_of(settings).erase(settings, say)
    return 0


def become_tool(settings: Settings, words: Sequence[str]) -> int:
    """Become a tool of the services, such as psql; words: its name and its own arguments."""
    if not words:
        sys.stderr.write("usage: python -m stack tool NAME ...\n")
        return 2
    run_tool(settings, words[0], words[1:])
    return 0


COMMANDS = (
    Command(run_doctor, add_quiet),
    Command(run_mode),
    Command(run_fetch, add_part),
    Command(run_start),
    Command(run_wait, add_seconds),
    Command(run_problems),
    Command(run_stop),
    Command(run_erase),
)
