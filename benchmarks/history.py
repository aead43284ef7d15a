"""Measure whether a round and a commit cost the same after a long history.

Run as `python -m benchmarks.history`. Two landing tables of its own, each with a copy of the
models, take batches of equal size by turns: one after a short history, one after a history many
times as long, both maintained before. Another table takes commits, of which the first are compared
with the last. All rows are counted first; all is deleted afterwards.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from benchmarks import figures
from benchmarks.copied_models import FIRST_DAY, CopiedModels, DirectLanding, apart, message
from benchmarks.figures import Figure, Report
from stack.base.settings import Settings
from stack.writing import lock

DAY = timedelta(days=1)
# What a reading measures: a meter's interval where a message says none.
HALF_HOUR = timedelta(minutes=30)
ENERGY_KWH = 0.125
# Commits compared at each end are so many on both sides of the one named.
NEIGHBOURS = 5
WRITTEN_SQL = """
select
    coalesce(sum(cast(summary['added-files-size'] as bigint)), 0),
    coalesce(sum(cast(summary['added-data-files'] as bigint)), 0)
from {snapshots}
where committed_at > timestamp '{since}'
"""


@dataclass(frozen=True)
class Round:
    """What one round took: seconds, and what all tables together gained."""

    seconds: float
    bytes: int
    files: int


def day_of_readings(day: datetime, meters: int, each: int) -> list[bytes | None]:
    """Readings of all meters, so many each, that start evenly through a day."""
    moments = [day + DAY * number / each + HALF_HOUR for number in range(each)]
    return [
        message(10_000 + meter, moment, ENERGY_KWH) for moment in moments for meter in range(meters)
    ]


class Line:
    """Days that land one after the other; landed: how many."""

    def __init__(
        self, copy: CopiedModels, landing: DirectLanding, meters: int, readings: int
    ) -> None:
        self.copy, self._landing = copy, landing
        self._meters, self._readings = meters, readings
        self.landed = 0

    def land(self, days: int) -> None:
        """The next days, a commit each when the day is over."""
        for _ in range(days):
            day = FIRST_DAY + DAY * self.landed
            messages = day_of_readings(day, self._meters, self._readings)
            self._landing.land(day + DAY + HALF_HOUR, messages)
            self.landed += 1

    def round(self, held: lock.WriterLock) -> Round:
        """A day and a round of the models."""
        ((now,),) = self.copy.sql("select cast(current_timestamp as varchar)")
        started = time.monotonic()
        self.land(1)
        self.copy.run(held)
        seconds = time.monotonic() - started
        statement = partial(WRITTEN_SQL.format, since=now)
        written = [
            self.copy.sql(statement(snapshots=table.metadata("snapshots")))[0]
            for table in self.copy.tables()
        ]
        size, files = (sum(column) for column in zip(*written, strict=True))
        return Round(seconds, size, files)

    def check(self) -> None:
        """Raise FatalError unless the marts hold every reading of every day."""
        mart = f"iceberg.{self.copy.name}_marts.device_daily_metrics"
        count = self.landed * self._meters * self._readings
        self.copy.check(f"select sum(reading_count) from {mart}", count)
        self.copy.check(f"select count(*) from {mart}", self.landed * self._meters)


@contextmanager
def line_of(options: argparse.Namespace, settings: Settings) -> Iterator[Line]:
    """A line of days on tables of its own, deleted after the block."""
    meters = min(options.meters, settings.num_devices)
    with apart(settings) as (copy, landing):
        yield Line(copy, landing, meters, options.readings)


def compare_rounds(options: argparse.Namespace, settings: Settings) -> list[Figure]:
    """Rounds after a short and after a long history, by turns on the same warm services."""
    with (
        lock.hold_lock(settings, lock.MAINTENANCE, 600, lambda text: None) as held,
        line_of(options, settings) as short,
        line_of(options, settings) as long,
    ):
        for line, days in ((short, options.days), (long, options.days * options.times)):
            line.land(days)
            line.copy.run(held)
            line.copy.maintain(held)
        # A Trino just started takes several times as long for its first rounds.
        for line in (*[long] * options.warm_ups, short):
            line.round(held)
        taken = [(short.round(held), long.round(held)) for _ in range(options.rounds)]
        for line in (short, long):
            line.check()
    behind_short, behind_long = zip(*taken, strict=True)
    return list(ratios(behind_short, behind_long, options.times))


def ratios(short: Sequence[Round], long: Sequence[Round], times: int) -> Iterator[Figure]:
    """Medians at both ends and their ratio."""
    for what, unit in (("seconds", "s"), ("bytes", "bytes"), ("files", "files")):
        old, new = (
            statistics.median(getattr(each, what) for each in rounds) for rounds in (short, long)
        )
        yield Figure(f"round after 1 x history: {what}", old, unit)
        yield Figure(f"round after {times} x history: {what}", new, unit)
        yield Figure(f"{times} x / 1 x: {what}", new / old, "times", at_most=1.10)


def compare_commits(options: argparse.Namespace, settings: Settings) -> list[Figure]:
    """Commits at the beginning of a table's life and late in it."""
    landing = DirectLanding(f"benchmark_{uuid.uuid4().hex[:8]}", settings)
    try:
        seconds = [
            landing.land(
                FIRST_DAY + timedelta(minutes=number),
                day_of_readings(FIRST_DAY + timedelta(minutes=number), 10, 1),
            )
            for number in range(options.commits + NEIGHBOURS)
        ]
    finally:
        landing.delete()
    early = statistics.median(seconds[10 - NEIGHBOURS : 10 + NEIGHBOURS])
    late = statistics.median(seconds[options.commits - NEIGHBOURS :])
    return [
        Figure("commit at snapshot 10", early * 1000, "ms"),
        Figure(f"commit at snapshot {options.commits:,}", late * 1000, "ms"),
        Figure(f"snapshot {options.commits:,} / snapshot 10", late / early, "times", at_most=1.3),
    ]


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Rounds, then commits."""
    found = [*compare_rounds(options, settings), *compare_commits(options, settings)]
    rows = min(options.meters, settings.num_devices) * options.readings
    return Report(
        f"a round takes {rows:,} readings; 1 x is {options.days} days with {rows:,} each, "
        f"{options.times} x so many days; {options.warm_ups} rounds to warm up, then by turns; "
        f"medians of {options.rounds} rounds and of "
        f"{2 * NEIGHBOURS} commits of 10 rows",
        "the marts count every reading of every meter and day",
        tuple(found),
    )


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--days", type=int, default=2, help="of the short history (2)")
    parser.add_argument("--times", type=int, default=100, help="as long is the other (100)")
    parser.add_argument("--rounds", type=int, default=7, help="after each history (7)")
    parser.add_argument("--warm-ups", type=int, default=12, help="rounds before these (12)")
    parser.add_argument("--meters", type=int, default=100, help="at most the fleet's (100)")
    parser.add_argument("--readings", type=int, default=48, help="of a meter and day (48)")
    parser.add_argument("--commits", type=int, default=1_000, help="in all (1000)")
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
