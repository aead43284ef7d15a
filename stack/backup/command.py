"""Commands that make a backup, put it back, and show the newest one beside the services."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from stack.base.commands import Command, say
from stack.base.settings import Settings
from stack.modes.choice import runtime_of

# What a command needs is imported when it runs.
# ruff: noqa: PLC0415


def run_status(settings: Settings, arguments: Namespace) -> int:
    """Show how every service is; 1 if one is unhealthy."""
    from stack.backup import listing
    from stack.modes import status

    is_good = status.show(runtime_of(settings).states(settings), say)
    say(listing.note(settings.backup_dir, settings.backup_restore_hours, datetime.now(UTC)))
    return 0 if is_good else 1


def run_backup(settings: Settings, arguments: Namespace) -> int:
    """Copy catalog, master data and objects into a folder, while the lander and rounds go on."""
    from stack.backup import backup, listing

    root = arguments.to or settings.backup_dir
    if arguments.list:
        return listing.show_backups(root, settings.backup_restore_hours, say)
    if arguments.check:
        return backup.check_backup(settings, root, say)
    return backup.make_backup(settings, root, say)


def add_folder(parser: ArgumentParser) -> None:
    """Declare where a backup goes, and the questions about those that are there."""
    parser.add_argument("--to", type=Path, metavar="DIR", help="folder of backups (BACKUP_DIR)")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--list", action="store_true", help="only say which backups there are")
    asked.add_argument(
        "--check", action="store_true", help="only read the newest, or that in DIR, and compare"
    )


def run_restore(settings: Settings, arguments: Namespace) -> int:
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


def add_parts(parser: ArgumentParser) -> None:
    """Declare which backup is put back, and what of it."""
    parser.add_argument(
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
        parser.add_argument(name, action="store_true", help=f"{what}; with others only those")
    parser.add_argument(
        "--replace", action="store_true", help="give up the tables and meters that are there now"
    )


COMMANDS = (Command(run_status), Command(run_backup, add_folder), Command(run_restore, add_parts))
