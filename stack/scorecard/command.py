"""The command that compares the models with the simulator's truth."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from stack.base.commands import Command, say
from stack.base.settings import Settings


def run_scorecard(settings: Settings, arguments: Namespace) -> int:
    """Compare what rules found with the simulator's truth; 1 if a promise does not hold."""
    from stack.scorecard.by_hand import score_by_hand  # noqa: PLC0415 (loaded when it runs)

    return score_by_hand(settings, arguments.truth, say, has_kinds=arguments.kinds)


def add_truth(parser: ArgumentParser) -> None:
    """Declare which truth."""
    parser.add_argument(
        "truth",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="truth files of simulator and replay (all that this stack's folder has)",
    )
    parser.add_argument(
        "--kinds", action="store_true", help="also say what became of each kind of fault"
    )


COMMANDS = (Command(run_scorecard, add_truth),)
