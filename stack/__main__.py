"""Commands of the stack: `python -m stack COMMAND`; setup and the tools in bin/ call them."""

from __future__ import annotations

import argparse
import os
import select
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from stack.arguments import add_backup, add_replay, add_restore
from stack.base import caller, env_file, health
from stack.base.errors import ConfigurationError, MeterhouseError
from stack.base.settings import COMPOSE, NATIVE, Settings, load_settings, parse_env_file, to_text
from stack.modes import doctor
from stack.modes.choice import run_tool, runtime_of

SECURE_OVERLAY = "docker-compose.secure.yml"

# What a command needs is imported when it runs: `doctor` and `env` work before anything is there.
# ruff: noqa: PLC0415


WHERE_DBT_RUNS = {"maintain", "quarantine", "replay"}


def say(text: str) -> None:
    """Print one line of a command's own output."""
    print(f"  {text}", flush=True)  # noqa: T201


def run_doctor(settings: Settings, arguments: argparse.Namespace) -> int:
    """Check the machine, and say what is wrong with unhealthy services."""
    doctor.report(doctor.findings(settings), say, only_bad=arguments.quiet)
    return 0


def run_problems(settings: Settings, arguments: argparse.Namespace) -> int:
    """Tell of each unhealthy service why, with its last log lines; 1 if there is one."""
    from stack.modes import status

    return int(status.show_problems(settings, runtime_of(settings), say))


def run_mode(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print the mode that setup runs in, and say why."""
    from stack.modes import engine

    mode, why = engine.choose(settings)
    sys.stderr.write(f"  {mode}: {why}\n")
    print(mode)  # noqa: T201
    return 0


def run_get(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print one setting, named as in .env.example."""
    print(to_text(getattr(settings, arguments.name.lower())))  # noqa: T201
    return 0


def run_env(settings: Settings, arguments: argparse.Namespace) -> int:
    """Create the env file unless it is there, write the mode into it, and check it."""
    path = settings.env_file
    made = env_file.create(path)
    added = [] if made else env_file.complete(path)
    if settings.run_mode:
        env_file.change(path, "RUN_MODE", settings.run_mode)
    env_file.change(path, "SECURE", to_text(settings.secure))
    env_file.change(path, "COMPOSE_FILE", compose_files(path, settings.secure))
    env_file.check(path)
    say(f"{path.name}: {'created, with fresh passwords' if made else 'kept as it is'}")
    if added:
        say(f"{path.name}: added what it lacked: {', '.join(added)}")
    return 0


def compose_files(path: Path, secure: bool) -> str:
    """COMPOSE_FILE of an env file, with the overlay of a secure stack or without it."""
    kept = parse_env_file(path)["COMPOSE_FILE"].split(":")
    files = [name for name in kept if name != SECURE_OVERLAY]
    return ":".join([*files, *([SECURE_OVERLAY] if secure else [])])


def run_security(settings: Settings, arguments: argparse.Namespace) -> int:
    """Say who can reach Trino and Kafka, and what they are asked for."""
    from stack.provision import security

    for line in security.summary(settings):
        say(line)
    return 0


def run_password(settings: Settings, arguments: argparse.Namespace) -> int:
    """Give a person a new password for Trino, and print it."""
    from stack.provision import passwords as trino_passwords

    print(trino_passwords.give(settings, arguments.user))  # noqa: T201
    return 0


def run_fetch(settings: Settings, arguments: argparse.Namespace) -> int:
    """Bring what the services run on: download, build or pull what is missing; or mc alone."""
    with caller.downloading():
        if arguments.part:
            from stack.programs import fetch

            fetch.fetch_command_line(settings)
        else:
            runtime_of(settings).fetch(settings, say)
    return 0


def run_start(settings: Settings, arguments: argparse.Namespace) -> int:
    """Start every service and wait until each answers."""
    runtime_of(settings).start(settings, say)
    return 0


def run_stop(settings: Settings, arguments: argparse.Namespace) -> int:
    """Stop every service without loss."""
    runtime_of(settings).stop(settings, say)
    return 0


def run_erase(settings: Settings, arguments: argparse.Namespace) -> int:
    """Delete all data."""
    runtime_of(settings).erase(settings, say)
    return 0


def run_status(settings: Settings, arguments: argparse.Namespace) -> int:
    """Show how every service is; 1 if one is unhealthy."""
    from stack.backup import listing
    from stack.modes import status

    is_good = status.show(runtime_of(settings).states(settings), say)
    say(listing.note(settings, datetime.now(UTC)))
    return 0 if is_good else 1


def run_initialise(settings: Settings, arguments: argparse.Namespace) -> int:
    """Make topics, bucket, schemas and master data where they are missing."""
    from simulator import master_data
    from stack.provision.initialise import initialise

    initialise(settings, say)
    return master_data.main([])


def run_health(settings: Settings, arguments: argparse.Namespace) -> int:
    """Say how the lander or the dbt runner is; 1 if it is unhealthy."""
    path = settings.state_dir / "health" / f"{arguments.name}.json"
    say(health.note(path))
    return 0 if health.is_good(path) else 1


def run_wait(settings: Settings, arguments: argparse.Namespace) -> int:
    """Wait until every service answers a real request."""
    from stack.provision import ready

    known = ready.nothing_known
    if settings.run_mode == NATIVE:
        from stack.modes import native

        known = partial(native.trouble, settings)
    ready.wait(settings, arguments.seconds, say, trouble=known)
    return 0


def run_rounds(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run the models again and again, as DBT_RUN_INTERVAL says."""
    from stack.rounds import run_rounds as run

    return run(settings, metrics_address=arguments.metrics_address)


def run_reconcile(settings: Settings, arguments: argparse.Namespace) -> int:
    """Account for every message from producer to mart, and write it down; 1 if accounts differ."""
    from stack.books.command import reconcile_by_hand
    from stack.rounds.books import plan_of
    from stack.rounds.project import Project

    return reconcile_by_hand(settings, plan_of(Project()), say, is_full=arguments.full)


def run_maintain(settings: Settings, arguments: argparse.Namespace) -> int:
    """Compact tables, expire old states, remove orphans, look at topics; 1 if anything is wrong."""
    from stack.maintenance import run_maintenance

    return run_maintenance(settings, say, set(arguments.tables))


def run_quarantine(settings: Settings, arguments: argparse.Namespace) -> int:
    """List why messages are in quarantine: reason, number, first and last seen, an example."""
    from stack.rounds import replay

    return replay.show_quarantine(settings, say)


def run_replay(settings: Settings, arguments: argparse.Namespace) -> int:
    """Move messages from quarantine back to staging where the rules accept them by now."""
    from stack.rounds import replay

    request = replay.Request(tuple(arguments.reason), arguments.since, arguments.until)
    return replay.run_replay(settings, request, say, is_dry=arguments.dry_run)


def run_backup(settings: Settings, arguments: argparse.Namespace) -> int:
    """Copy catalog, master data and objects into a folder, while the lander and rounds go on."""
    from stack.backup import backup, listing

    root = arguments.to or settings.backup_dir
    if arguments.list:
        return listing.show_backups(settings, root, say)
    if arguments.check:
        return backup.check_backup(settings, root, say)
    return backup.make_backup(settings, root, say)


def run_restore(settings: Settings, arguments: argparse.Namespace) -> int:
    """Put a backup back while the lander and rounds are stopped: all of it, or the parts named."""
    from stack.backup import restore

    is_all = not (arguments.catalog or arguments.objects or arguments.master_data)
    parts = restore.Parts(
        catalog=is_all or arguments.catalog,
        objects=is_all or arguments.objects,
        master_data=is_all or arguments.master_data,
        may_replace=arguments.replace,
    )
    return restore.restore(settings, arguments.source or settings.backup_dir, parts, say)


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Declare every command with its options."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for function in (run_mode, run_env, run_start, run_initialise, run_stop):
        add_command(commands, function)
    for function in (run_status, run_problems, run_erase, run_security):
        add_command(commands, function)
    part = add_command(commands, run_fetch)
    part.add_argument("part", nargs="?", choices=("mc",), help="only this")
    rounds = add_command(commands, run_rounds)
    rounds.add_argument(
        "--metrics-address",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="interface that METRICS_PORT is bound on (%(default)s)",
    )
    reconcile = add_command(commands, run_reconcile)
    reconcile.add_argument(
        "--full", action="store_true", help="count every row again, not only what is new"
    )
    maintain = add_command(commands, run_maintain)
    maintain.add_argument("tables", nargs="*", metavar="SCHEMA.TABLE", help="only these (all)")
    add_command(commands, run_quarantine)
    add_replay(add_command(commands, run_replay))
    add_backup(add_command(commands, run_backup))
    add_restore(add_command(commands, run_restore))
    person = add_command(commands, run_password)
    person.add_argument("user", metavar="USER", help="such as analyst_ada")
    asked = add_command(commands, run_health)
    asked.add_argument("name", choices=("lander", "dbt"), help="whose health")
    quiet = add_command(commands, run_doctor)
    quiet.add_argument("--quiet", action="store_true", help="show only what does not pass")
    names = sorted(field.name.upper() for field in fields(Settings))
    get = add_command(commands, run_get)
    get.add_argument("name", metavar="NAME", choices=names, help="such as STATE_DIR")
    wait = add_command(commands, run_wait)
    wait.add_argument("--seconds", type=float, default=120.0, help="limit (default 120)")


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    function: Callable[[Settings, argparse.Namespace], int],
) -> argparse.ArgumentParser:
    """Declare one command; its help is the function's docstring."""
    name = function.__name__.removeprefix("run_")
    command = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
    command.set_defaults(function=function)
    return command


def pass_on(words: Sequence[str]) -> int | None:
    """Handle `tool NAME ...` and `dbt ...`, whose arguments belong to another program.

    What writes tables runs where dbt runs.
    """
    if (
        words[:1]
        and words[0] in WHERE_DBT_RUNS
        and (settings := load_settings()).run_mode == COMPOSE
    ):
        run_tool(settings, "stack", words)
    if words[:1] == ["dbt"]:
        settings = load_settings()
        if settings.run_mode == COMPOSE:
            check_has_port(words[1:])
            run_tool(settings, "dbt", words[1:])
        from stack.rounds import run_dbt

        return run_dbt(list(words[1:]), settings)
    if words[:1] == ["tool"] and len(words) > 1:
        run_tool(load_settings(), words[1], words[2:])
    return None


def check_has_port(words: Sequence[str]) -> None:
    """Raise ConfigurationError for dbt's web server, which nobody can reach in its container."""
    if list(words[:2]) == ["docs", "serve"]:
        raise ConfigurationError(
            "dbt's documentation on a port of this machine",
            "a container that publishes no port for it",
            "bin/dbt docs generate --static; docker cp"
            " dbt-transformations:/var/lib/meterhouse/dbt/by-hand/static_index.html .",
        )


def error_text(error: MeterhouseError) -> str:
    """An expected failure in three lines."""
    parts = {"✗ wanted": error.wanted, "  found": error.found, "  next": error.next_step}
    return "\n" + "".join(f"  {name}: {text}\n" for name, text in parts.items())


def main(words: Sequence[str]) -> int:
    """Run one command. Expected failures print one message: 1, misuse 2."""
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    add_commands(parser)
    try:
        passed_on = pass_on(words)
        if passed_on is not None:
            return passed_on
        arguments = parser.parse_args(words)
        code: int = arguments.function(load_settings(), arguments)
        return code
    except MeterhouseError as error:
        sys.stderr.write(error_text(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        if not is_unread(sys.stdout.fileno()):
            raise
        # `status | head`: what Python still holds goes nowhere, without a complaint at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def is_unread(file: int) -> bool:
    """Whether this is a pipe whose reader has gone."""
    poll = select.poll()
    poll.register(file, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


if __name__ == "__main__":
    caller.clear()
    sys.exit(main(sys.argv[1:]))
