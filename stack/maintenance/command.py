"""The command that keeps tables in order."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from stack.base.commands import Command, say
from stack.base.settings import Settings


def run_maintain(settings: Settings, arguments: Namespace) -> int:
    """Compact tables, expire old states, remove orphans, look at topics; 1 if anything is wrong."""
    from stack.maintenance.service import run_maintenance  # noqa: PLC0415 (loaded when it runs)

    return run_maintenance(settings, say, set(arguments.tables))


def add_tables(parser: ArgumentParser) -> None:
    """Declare which tables."""
    parser.add_argument("tables", nargs="*", metavar="SCHEMA.TABLE", help="only these (all)")


COMMANDS = (Command(run_maintain, add_tables, needs_dbt=True),)
