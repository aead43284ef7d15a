"""Declare the options of the commands that have many."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path


def moment(text: str) -> datetime:
    """A time of the command line, UTC where it says no zone. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def add_replay(command: argparse.ArgumentParser) -> None:
    """Declare what a replay can be narrowed to."""
    command.add_argument(
        "--topic", choices=("telemetry_raw",), default="telemetry_raw", help="the default"
    )
    command.add_argument(
        "--reason", action="append", default=[], help="only these; may be repeated (all)"
    )
    for name, which in (("--since", "at or after"), ("--until", "before")):
        help_text = f"only messages that reached Kafka {which} this ISO 8601 time, in UTC"
        command.add_argument(name, type=moment, metavar="TIME", help=help_text)
    command.add_argument("--dry-run", action="store_true", help="only say what would move")


def add_backup(command: argparse.ArgumentParser) -> None:
    """Declare where a backup goes, and the questions about those that are there."""
    command.add_argument("--to", type=Path, metavar="DIR", help="folder of backups (BACKUP_DIR)")
    asked = command.add_mutually_exclusive_group()
    asked.add_argument("--list", action="store_true", help="only say which backups there are")
    asked.add_argument(
        "--check", action="store_true", help="only read the newest, or that in DIR, and compare"
    )


def add_restore(command: argparse.ArgumentParser) -> None:
    """Declare which backup is put back, and what of it."""
    command.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="DIR",
        help="a backup, or a folder of backups, of which the newest is taken (BACKUP_DIR)",
    )
    for name, what in (
        ("--catalog", "the Iceberg catalog"),
        ("--objects", "objects that the bucket lacks"),
        ("--master-data", "customers, meters and producers' reports"),
    ):
        command.add_argument(name, action="store_true", help=f"{what}; with others only those")
    command.add_argument(
        "--replace", action="store_true", help="give up the tables and meters that are there now"
    )
