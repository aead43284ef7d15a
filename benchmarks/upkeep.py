"""Measure whether a round costs the same after a year of rounds, with maintenance in between.

Run as `python -m benchmarks.upkeep`. Each round lands small batches of a simulated day in a landing
table of its own and runs the project's models, copied to schemas of their own; after each day
maintenance runs. The rows are verified against plain sums first, then the first rounds are compared
with the last ones. `--without-maintenance` shows what neglect costs. All is deleted afterwards.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from benchmarks.copied_models import FIRST_DAY, CopiedModels, DirectLanding, message
from stack import lock
from stack.maintenance.tables import State
from stack.settings import load_settings

ENERGY_KWH = Decimal("0.125")


@dataclass(frozen=True)
class Plan:
    """days: simulated; rounds: a day; commits: landing batches a round; meters: one row each."""

    days: int
    rounds: int
    commits: int
    meters: int

    @property
    def rows(self) -> int:
        """Rows that must be there in the end."""
        return self.days * self.rounds * self.commits * self.meters


@dataclass(frozen=True)
class Cost:
    """What one round took, in seconds, and how the landing table was after it."""

    land_s: float
    models_s: float
    landing: State


class Bench:
    """A landing table and a copy of the models, filled day by day."""

    def __init__(self, copy: CopiedModels, landing: DirectLanding) -> None:
        self.copy, self.landing = copy, landing

    def check(self, plan: Plan) -> None:
        """Raise FatalError unless every layer holds what the plan says."""
        name = self.copy.name
        for table, rows in {
            f"landing.{name}": plan.rows,
            f"{name}_staging.stg_telemetry_raw": plan.rows,
            f"{name}_intermediate.int_meter_readings": plan.rows,
            f"{name}_marts.device_daily_metrics": plan.days * plan.meters,
        }.items():
            self.copy.check(f"select count(*) from iceberg.{table}", rows)
        self.copy.check(
            f"select sum(total_energy_kwh) from iceberg.{name}_marts.device_daily_metrics",
            ENERGY_KWH * plan.rows,
        )


def run(bench: Bench, plan: Plan, maintained: bool, held: lock.WriterLock) -> Iterator[Cost]:
    """Play the days; each round's cost."""
    commits = plan.rounds * plan.commits
    for day in range(plan.days):
        for number in range(plan.rounds):
            started = time.monotonic()
            for commit in range(plan.commits):
                minutes = 1440 * (number * plan.commits + commit) / commits
                moment = FIRST_DAY + timedelta(days=day, minutes=minutes)
                meters = range(10_000, 10_000 + plan.meters)
                bench.landing.land(
                    moment, [message(meter, moment, float(ENERGY_KWH)) for meter in meters]
                )
            landed = time.monotonic()
            bench.copy.run(held)
            yield Cost(landed - started, time.monotonic() - landed, bench.copy.state())
        if maintained:
            bench.copy.maintain(held)
        sys.stderr.write(f"\rday {day + 1} of {plan.days}")


def show(costs: Sequence[Cost], compared: int) -> None:
    """Print the first rounds, the last rounds and their ratio; the first one warms up."""
    first, last = costs[1 : compared + 1], costs[-compared:]
    print(
        f"\n{'median of ' + str(compared) + ' rounds':24} {'first':>10} {'last':>10} {'ratio':>6}"
    )
    figures = {
        "landing a round, s": lambda cost: cost.land_s,
        "models a round, s": lambda cost: cost.models_s,
        "landing files": lambda cost: cost.landing.files,
        "landing manifests": lambda cost: cost.landing.manifests,
        "landing snapshots": lambda cost: cost.landing.snapshots,
    }
    for name, figure in figures.items():
        old, new = (statistics.median(map(figure, part)) for part in (first, last))
        print(f"{name:24} {old:10.2f} {new:10.2f} {new / old:6.2f}")


def main(words: Sequence[str]) -> int:
    """Play, check, show, delete."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upkeep", description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=4, help="a day (4)")
    parser.add_argument("--commits", type=int, default=36, help="landing commits a round (36)")
    parser.add_argument("--meters", type=int, default=10, help="of the fleet, at most all (10)")
    parser.add_argument("--compared", type=int, default=20, help="rounds at each end (20)")
    parser.add_argument("--without-maintenance", action="store_true")
    options = parser.parse_args(words)
    plan = Plan(options.days, options.rounds, options.commits, options.meters)
    settings = load_settings()
    with (
        tempfile.TemporaryDirectory() as folder,
        lock.hold_lock(settings, lock.MAINTENANCE, 600, lambda text: None) as held,
    ):
        name = f"benchmark_{uuid.uuid4().hex[:8]}"
        bench = Bench(CopiedModels(name, settings, Path(folder)), DirectLanding(name, settings))
        try:
            costs = list(run(bench, plan, not options.without_maintenance, held))
            bench.check(plan)
        finally:
            bench.landing.delete()
            bench.copy.delete()
    show(costs, min(options.compared, (len(costs) - 1) // 2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
