"""Measure a round with nothing new: `python -m benchmarks.idle_rounds`, on a stack that is set up.

It plays rounds of this stack with a record of its own: the first builds what is missing, one of
the next finds nothing new, and from then on each is timed, reconciliation included.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure, Report, percentile
from stack.base.errors import FatalError
from stack.base.settings import Settings
from stack.rounds.health import HealthFile
from stack.rounds.models import Models
from stack.rounds.outcome import Result
from stack.rounds.project import Project
from stack.rounds.service import edge_of, play_round

FIRST_ROUNDS = 5


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Play rounds until one finds nothing, then time the wanted number."""
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        own, project = replace(settings, state_dir=folder), Project()
        models = ending.enter_context(closing(Models(own, project, silent)))
        health = HealthFile(folder / "dbt.json", lambda: datetime.now(UTC), time.monotonic)
        edge = edge_of(
            own, project, models, health=health, is_stop_wanted=lambda: False, log=silent
        )
        for _ in range(FIRST_ROUNDS):
            if play_round(edge, silent).result is Result.NOTHING_NEW:
                break
        seconds = []
        for _ in range(options.rounds):
            started = time.monotonic()
            outcome = play_round(edge, silent)
            seconds.append(time.monotonic() - started)
            if outcome.result is not Result.NOTHING_NEW:
                raise FatalError(
                    "rounds with nothing new", outcome.text, "stop the simulator and measure again"
                )
    return Report(
        f"{options.rounds} rounds",
        "every round says that nothing was new",
        (
            Figure("round with nothing new, median", percentile(seconds, 0.5), "s", at_most=0.15),
            Figure("round with nothing new, p95", percentile(seconds, 0.95), "s"),
        ),
    )


def silent(event: str, **facts: object) -> None:
    """Log nothing."""


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle_rounds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="(20)")
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
