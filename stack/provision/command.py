"""Commands that prepare services, and say who may use them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from stack.base.commands import Command, say
from stack.base.settings import Settings

# What a command needs is imported when it runs.
# ruff: noqa: PLC0415


def run_initialise(settings: Settings, arguments: Namespace) -> int:
    """Make topics, bucket, schemas and master data where they are missing."""
    from simulator import master_data
    from stack.provision.initialise import initialise

    initialise(settings, say)
    return master_data.main([])


def run_security(settings: Settings, arguments: Namespace) -> int:
    """Say who can reach Trino and Kafka, and what they are asked for."""
    from stack.provision import security

    for line in security.summary(settings):
        say(line)
    return 0


def run_password(settings: Settings, arguments: Namespace) -> int:
    """Give a person a new password for Trino, and print it."""
    from stack.provision import passwords

    print(passwords.give(settings, arguments.user))  # noqa: T201
    return 0


def add_user(parser: ArgumentParser) -> None:
    """Declare who gets a password."""
    parser.add_argument("user", metavar="USER", help="such as analyst_ada")


COMMANDS = (Command(run_initialise), Command(run_security), Command(run_password, add_user))
