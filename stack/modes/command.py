"""Commands on the services of this stack and on the machine."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from stack.base import caller, env_file
from stack.base.commands import Command, say
from stack.base.settings import NATIVE, Settings, exported_settings, parse_env_file, to_text
from stack.modes import doctor
from stack.modes.choice import run_tool, runtime_of

# What a command needs is imported when it runs: `doctor` works before anything is there.
# ruff: noqa: PLC0415

SECURE_OVERLAY = "docker-compose.secure.yml"
# Settings that a choice of setup's command line exports, and that every run of it writes.
CHOICES = {"RUN_MODE", "SECURE"}


def run_env(settings: Settings, arguments: Namespace) -> int:
    """Create the env file or complete it, write the mode into it, and check it."""
    path = settings.env_file
    if path.exists():
        complete_env(settings, path)
    else:
        create_env(path)
    if settings.run_mode:
        env_file.change(path, "RUN_MODE", settings.run_mode)
    env_file.change(path, "SECURE", to_text(settings.secure))
    env_file.change(path, "COMPOSE_FILE", compose_files(path, settings.secure))
    env_file.check(path)
    return 0


def create_env(path: Path) -> None:
    """Make the env file, with what the environment says otherwise than the example."""
    chosen = env_file.worth_keeping(exported_settings())
    env_file.create(path, chosen)
    say(f"{path.name}: created, with fresh passwords")
    names = sorted(chosen.keys() - CHOICES)
    if names:
        say(f"{path.name}: kept from the environment: {', '.join(names)}")


def complete_env(settings: Settings, path: Path) -> None:
    """Add what the env file lacks, and passwords where a copy of the example has none."""
    added = env_file.complete(path)
    if env_file.empty_passwords(path) and not has_data(settings):
        count = len(env_file.fill_passwords(path))
        say(f"{path.name}: fresh passwords for the {count} that were empty")
    else:
        say(f"{path.name}: kept as it is")
    if added:
        say(f"{path.name}: added what it lacked: {', '.join(added)}")


def has_data(settings: Settings) -> bool:
    """Whether services of this stack, native or in containers, have kept anything yet."""
    from stack.modes import engine

    return (settings.state_dir / "data").exists() or engine.has_volumes(settings.project_name)


def compose_files(path: Path, secure: bool) -> str:
    """COMPOSE_FILE of an env file, with the overlay of a secure stack or without it."""
    kept = parse_env_file(path)["COMPOSE_FILE"].split(":")
    files = [name for name in kept if name != SECURE_OVERLAY]
    return ":".join([*files, *([SECURE_OVERLAY] if secure else [])])


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
    Command(run_env),
    Command(run_doctor, add_quiet),
    Command(run_mode),
    Command(run_fetch, add_part),
    Command(run_start),
    Command(run_wait, add_seconds),
    Command(run_problems),
    Command(run_stop),
    Command(run_erase),
)
