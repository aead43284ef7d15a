"""Commands of the stack: `python -m stack COMMAND`; setup and the tools in bin/ call them."""

from __future__ import annotations

import argparse
import os
import select
import sys
from collections.abc import Callable, Mapping, Sequence

import stack.backup.command
import stack.base.command
import stack.maintenance.command
import stack.modes.command
import stack.provision.command
import stack.rounds.command
import stack.scorecard.command
from stack.base import caller
from stack.base.commands import Command
from stack.base.errors import MeterhouseError
from stack.base.settings import COMPOSE, Settings, load_settings
from stack.modes.choice import run_tool

COMMANDS: tuple[Command, ...] = (
    *stack.base.command.COMMANDS,
    *stack.modes.command.COMMANDS,
    *stack.provision.command.COMMANDS,
    *stack.rounds.command.COMMANDS,
    *stack.maintenance.command.COMMANDS,
    *stack.backup.command.COMMANDS,
    *stack.scorecard.command.COMMANDS,
)
# Their words belong to another program.
PASSED_ON: Mapping[str, Callable[[Settings, Sequence[str]], int]] = {
    "dbt": stack.rounds.command.run_dbt,
    "tool": stack.modes.command.become_tool,
}


def parser_of(commands: Sequence[Command]) -> argparse.ArgumentParser:
    """The parser of a command line; it sets `command` to one of these."""
    parser = argparse.ArgumentParser(prog="python -m stack", description=__doc__)
    words = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in commands:
        text = command.run.__doc__
        options = words.add_parser(command.name, help=text, description=text)
        command.add_options(options)
        options.set_defaults(command=command)
    return parser


def run(words: Sequence[str]) -> int:
    """Run what the words ask for; its exit code. What writes tables runs where dbt runs."""
    passed_on = PASSED_ON.get(words[0]) if words else None
    if passed_on:
        return passed_on(load_settings(), words[1:])
    arguments = parser_of(COMMANDS).parse_args(words)
    settings, command = load_settings(), arguments.command
    if command.needs_dbt and settings.run_mode == COMPOSE:
        run_tool(settings, "stack", words)
    code: int = command.run(settings, arguments)
    return code


def error_text(error: MeterhouseError) -> str:
    """An expected failure in three lines."""
    parts = {"✗ wanted": error.wanted, "  found": error.found, "  next": error.next_step}
    return "\n" + "".join(f"  {name}: {text}\n" for name, text in parts.items())


def main(words: Sequence[str]) -> int:
    """Run one command. Expected failures print one message: 1, misuse 2."""
    try:
        return run(words)
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
