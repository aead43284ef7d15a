"""Measure whether a round costs the same after a year of rounds, with maintenance in between.

Run as `python -m benchmarks.upkeep`. A landing table of its own and a copy of the project's models
take a simulated year: small commits spread evenly, rounds, and maintenance after every few of them.
Then rounds of the same size are taken by turns there and on other tables that are a few rounds old,
both maintained alike. The rows are verified against plain sums first; all is deleted afterwards.
`--maintain-every 0` shows what neglect costs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from benchmarks import figures
from benchmarks.copied_models import FIRST_DAY, CopiedModels, DirectLanding, apart, message
from benchmarks.figures import Figure, Report
from stack.base.settings import Settings
from stack.maintenance.tables import TableState
from stack.writing import lock

ENERGY_KWH = Decimal("0.125")


@dataclass(frozen=True)
class Pace:
    """How a year passes. every: time from one commit to the next; maintain_every: rounds, or 0."""

    every: timedelta
    commits: int
    meters: int
    maintain_every: int


@dataclass(frozen=True)
class Cost:
    """What a round took, in seconds, and how the landing table was after it."""

    landing_s: float
    models_s: float
    landing: TableState


class Stream:
    """Commits, rounds and maintenance, one after the other, on tables of their own."""

    def __init__(
        self, copy: CopiedModels, landing: DirectLanding, pace: Pace, held: lock.WriterLock
    ) -> None:
        self._copy, self._landing, self._pace, self._held = copy, landing, pace, held
        self._rounds = self._commits = 0
        self._days: set[date] = set()

    def round(self) -> Cost:
        """The next commits and a round of the models; maintenance when it is due."""
        started = time.monotonic()
        for _ in range(self._pace.commits):
            moment = FIRST_DAY + self._pace.every * self._commits
            meters = range(10_000, 10_000 + self._pace.meters)
            self._landing.land(
                moment, [message(meter, moment, float(ENERGY_KWH)) for meter in meters]
            )
            self._commits += 1
            # A reading is of the day on which its half-hour starts.
            self._days.add((moment - timedelta(minutes=30)).date())
        landed = time.monotonic()
        self._copy.run(self._held)
        cost = Cost(landed - started, time.monotonic() - landed, self._copy.state())
        self._rounds += 1
        if self._pace.maintain_every and self._rounds % self._pace.maintain_every == 0:
            self._copy.maintain(self._held)
        return cost

    def check(self) -> None:
        """Raise FatalError unless every layer holds each row once and the energy is theirs."""
        name, meters = self._copy.name, self._pace.meters
        rows = self._commits * meters
        for table, wanted in {
            f"landing.{name}": rows,
            f"{name}_staging.stg_telemetry_raw": rows,
            f"{name}_intermediate.int_meter_readings": rows,
            f"{name}_marts.device_daily_metrics": len(self._days) * meters,
        }.items():
            self._copy.check(f"select count(*) from iceberg.{table}", wanted)
        self._copy.check(
            f"select sum(total_energy_kwh) from iceberg.{name}_marts.device_daily_metrics",
            ENERGY_KWH * rows,
        )


def compare(young: Sequence[Cost], old: Sequence[Cost]) -> Iterator[Figure]:
    """Medians of both, and their ratios."""
    seconds = {
        "landing": lambda cost: cost.landing_s,
        "models": lambda cost: cost.models_s,
    }
    for what, of in seconds.items():
        first, last = (statistics.median(map(of, costs)) for costs in (young, old))
        yield Figure(f"round on young tables: {what}", first, "s")
        yield Figure(f"round on tables a year old: {what}", last, "s")
        yield Figure(f"a year old / young: {what}", last / first, "times", at_most=1.1)
    counts = {
        "files": lambda cost: cost.landing.files,
        "manifests": lambda cost: cost.landing.manifests,
        "snapshots": lambda cost: cost.landing.snapshots,
    }
    for what, of in counts.items():
        for age, costs in (("young", young), ("a year old", old)):
            yield Figure(f"landing, {age}: {what}", statistics.median(map(of, costs)), what)


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Play the year, then take rounds by turns on old and young tables."""
    pace = Pace(
        every=timedelta(days=options.days) / (options.rounds * options.commits),
        commits=options.commits,
        meters=min(options.meters, settings.num_devices),
        maintain_every=options.maintain_every,
    )
    with ExitStack() as stack:
        held = stack.enter_context(
            lock.hold_lock(settings, lock.MAINTENANCE, 600, lambda text: None)
        )
        old, young = (Stream(*stack.enter_context(apart(settings)), pace, held) for _ in range(2))
        for number in range(options.rounds):
            old.round()
            sys.stderr.write(f"\rround {number + 1} of {options.rounds}")
        sys.stderr.write("\n")
        for _ in range(options.young):
            young.round()
        taken = [(young.round(), old.round()) for _ in range(options.compared)]
        for stream in (young, old):
            stream.check()
    upkeep = (
        f"maintenance after every {pace.maintain_every}"
        if pace.maintain_every
        else "no maintenance"
    )
    return Report(
        f"{options.days} days in {options.rounds} rounds of {pace.commits} commits of "
        f"{pace.meters} rows, {upkeep}; young tables are {options.young} rounds old; then by "
        f"turns, medians of {options.compared} rounds",
        "each row once in landing, staging and readings, each meter's days and all energy in the "
        "mart",
        tuple(compare(*zip(*taken, strict=True))),
    )


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upkeep", description=__doc__)
    parser.add_argument("--days", type=int, default=365, help="simulated (365)")
    parser.add_argument("--rounds", type=int, default=146, help="in these days (146)")
    parser.add_argument("--commits", type=int, default=10, help="to landing, a round (10)")
    parser.add_argument("--meters", type=int, default=10, help="a row each in a commit (10)")
    parser.add_argument("--maintain-every", type=int, default=5, metavar="ROUNDS", help="(5)")
    parser.add_argument("--young", type=int, default=5, help="rounds on the young tables (5)")
    parser.add_argument("--compared", type=int, default=15, help="rounds by turns (15)")
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
