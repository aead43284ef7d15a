"""Commands on settings and health files."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import fields
from pathlib import Path

from stack.base import env_file, health
from stack.base.commands import Command, say
from stack.base.settings import Settings, parse_env_file, to_text

SECURE_OVERLAY = "docker-compose.secure.yml"


def run_env(settings: Settings, arguments: Namespace) -> int:
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


COMMANDS = (Command(run_env), Command(run_get, add_name), Command(run_health, add_service))
