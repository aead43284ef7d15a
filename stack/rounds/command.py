"""Commands on models: rounds, dbt by hand, reconciliation, quarantine and replay."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime

from stack.base.commands import Command, say
from stack.base.errors import ConfigurationError
from stack.base.settings import COMPOSE, Settings
from stack.modes.choice import run_tool

# What a command needs is imported when it runs.
# ruff: noqa: PLC0415


def run_rounds(settings: Settings, arguments: Namespace) -> int:
    """Run the models again and again, as DBT_RUN_INTERVAL says."""
    from stack.rounds import service

    return service.run_rounds(settings, metrics_address=arguments.metrics_address)


def add_metrics_address(parser: ArgumentParser) -> None:
    """Declare where metrics are served."""
    parser.add_argument(
        "--metrics-address",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="interface that METRICS_PORT is bound on (%(default)s)",
    )


def run_round(settings: Settings, arguments: Namespace) -> int:
    """Have the runner bring the models up to date now, and wait; 1 if that does not end well."""
    from stack.rounds import request

    return request.run_round(settings, say)


def run_reconcile(settings: Settings, arguments: Namespace) -> int:
    """Account for every message from producer to mart, and write it down; 1 if accounts differ."""
    from stack.books.by_hand import reconcile_by_hand
    from stack.rounds.books import plan_of
    from stack.rounds.project import Project

    return reconcile_by_hand(settings, plan_of(Project()), say, is_full=arguments.full)


def add_full(parser: ArgumentParser) -> None:
    """Declare how much is counted."""
    parser.add_argument(
        "--full", action="store_true", help="count every row again, not only what is new"
    )


def run_quarantine(settings: Settings, arguments: Namespace) -> int:
    """List why messages are in quarantine: reason, number, first and last seen, an example."""
    from stack.rounds import replay

    return replay.show_quarantine(settings, say)


def run_replay(settings: Settings, arguments: Namespace) -> int:
    """Move messages from quarantine back to staging where the rules accept them by now."""
    from stack.rounds import replay

    request = replay.Request(tuple(arguments.reason), arguments.since, arguments.until)
    return replay.run_replay(settings, request, say, is_dry=arguments.dry_run)


def add_choice(parser: ArgumentParser) -> None:
    """Declare what a replay can be narrowed to."""
    parser.add_argument(
        "--topic", choices=("telemetry_raw",), default="telemetry_raw", help="the default"
    )
    parser.add_argument(
        "--reason", action="append", default=[], help="only these; may be repeated (all)"
    )
    for name, which in (("--since", "at or after"), ("--until", "before")):
        help_text = f"only messages that reached Kafka {which} this ISO 8601 time, in UTC"
        parser.add_argument(name, type=moment, metavar="TIME", help=help_text)
    parser.add_argument("--dry-run", action="store_true", help="only say what would move")


def moment(text: str) -> datetime:
    """A time of the command line, UTC where it says no zone. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def run_dbt(settings: Settings, words: Sequence[str]) -> int:
    """Run dbt with its own words, where it runs in this mode; its exit code."""
    if settings.run_mode == COMPOSE:
        check_has_port(words)
        run_tool(settings, "dbt", words)
    from stack.rounds import by_hand

    return by_hand.run_dbt(list(words), settings)


def check_has_port(words: Sequence[str]) -> None:
    """Raise ConfigurationError for dbt's web server, which nobody can reach in its container."""
    if list(words[:2]) == ["docs", "serve"]:
        raise ConfigurationError(
            "dbt's documentation on a port of this machine",
            "a container that publishes no port for it",
            "bin/dbt docs generate --static; docker cp"
            " dbt-transformations:/var/lib/meterhouse/dbt/by-hand/static_index.html .",
        )


COMMANDS = (
    Command(run_rounds, add_metrics_address),
    Command(run_round, needs_dbt=True),
    Command(run_reconcile, add_full),
    Command(run_quarantine, needs_dbt=True),
    Command(run_replay, add_choice, needs_dbt=True),
)
