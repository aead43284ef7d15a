"""Describe a command of the stack: what it runs, and its options."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from stack.base.settings import Settings


def no_options(parser: ArgumentParser) -> None:
    """Declare none."""


@dataclass(frozen=True)
class Command:
    """One command, named after its function.

    run: returns the exit code; its name is run_ and the command's, its docstring the help.
    add_options: declares them. needs_dbt: it writes tables; in containers it runs where dbt does.
    """

    run: Callable[[Settings, Namespace], int]
    add_options: Callable[[ArgumentParser], None] = no_options
    needs_dbt: bool = False

    @property
    def name(self) -> str:
        """The word of the command line."""
        return self.run.__name__.removeprefix("run_")


def say(text: str) -> None:
    """Print one line of a command's own output."""
    print(f"  {text}", flush=True)  # noqa: T201
