"""Commands on settings and health files."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import fields

from stack.base import health
from stack.base.commands import Command, say
from stack.base.settings import Settings, to_text


def run_get(settings: Settings, arguments: Namespace) -> int:
    """Print one setting, named as in .env.example."""
    print(to_text(getattr(settings, arguments.name.lower())))  # noqa: T201
    return 0


def add_name(parser: ArgumentParser) -> None:
    """Declare which setting is asked for."""
    names = sorted(field.name.upper() for field in fields(Settings))
    parser.add_argument("name", metavar="NAME", choices=names, help="such as STATE_DIR")


def run_health(settings: Settings, arguments: Namespace) -> int:
    """Say how the lander or the dbt runner is; 1 if it is unhealthy."""
    path = settings.state_dir / "health" / f"{arguments.name}.json"
    say(health.note(path))
    return 0 if health.is_good(path) else 1


def add_service(parser: ArgumentParser) -> None:
    """Declare which health file is read."""
    parser.add_argument("name", choices=("lander", "dbt"), help="whose health")


COMMANDS = (Command(run_get, add_name), Command(run_health, add_service))
