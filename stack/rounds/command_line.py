"""Be dbt's own command line, for by_hand.py, which watches.

Started as `python -m stack.rounds.command_line CHANNEL TRINO_USER dbt's arguments`; TRINO_USER is
empty where nothing is written.
"""

from __future__ import annotations

import logging
import os
import socket
import sys

from stack.base.settings import load_settings
from stack.rounds.lifeline import held
from stack.writing import statements


def main(words: list[str]) -> None:
    """Do what dbt's command line does; it ends the process with its exit code."""
    channel, trino_user, *arguments = words
    logging.getLogger("trino").setLevel(logging.WARNING)

    def clean_up() -> None:
        if trino_user:
            trino = statements.writers(load_settings(), trino_user)
            statements.settle(trino, lambda text: None, grace_seconds=0)

    with held(socket.socket(fileno=int(channel)), clean_up):
        os.environ.setdefault("DBT_USE_COLORS", str(sys.stdout.isatty()))
        from dbt.cli.main import cli  # noqa: PLC0415 (it takes seconds: the lifeline is held)

        cli.main(args=arguments, prog_name="dbt")


if __name__ == "__main__":
    main(sys.argv[1:])
