"""Measure rounds of the models beside those of another version.

Run as `python -m benchmarks.rounds --beside FOLDER`, another version's checkout. Each gets a native
stack of its own, deleted afterwards, with Java's caches where the version makes them; its resident
runner plays a round as soon as there is something new. Rounds of equal size are measured by turns:
first the first rounds after a start of all services, then, once both are warm, the others. A
producer of this checkout sends the readings. The marts of both are compared with what was sent.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from confluent_kafka import Producer
from psutil import NoSuchProcess

from benchmarks import figures
from benchmarks.copied_models import message
from benchmarks.figures import Figure, Report
from benchmarks.stacks import Stack, new_stack
from benchmarks.versions import NEW, OLD, version_of
from stack.base.errors import ConfigurationError, FatalError, RetriableError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients.kafka import ADMIN, connection
from stack.programs.supervision import Process

TOPIC = "telemetry_raw"
POLL_SECONDS = 0.02
ROUND_SECONDS = 900.0
TRAINING, TRAINING_SECONDS = "training", 1800.0
# A round that took only a part of the readings is left out; more than so many in turn are an error.
MOST_SPLIT = 5
DAY_SECONDS = 86_400
MART_SQL = """
select device_id, reading_date, reading_count, total_energy_kwh
from iceberg.marts.device_daily_metrics
"""
STATEMENTS_SQL = """
select count(*) from system.runtime.queries
where created between from_iso8601_timestamp('{began}') and from_iso8601_timestamp('{ended}')
"""
# What a round's processor seconds are told of beside their sum.
SERVICES = ("trino", "dbt", "postgres", "minio")
ALL = "all services"
Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Reading:
    """One reading to send. meter: its number."""

    meter: int
    at: datetime
    energy_kwh: Decimal


@dataclass(frozen=True)
class Round:
    """One round. seconds: by the runner itself; cpu: service -> processor seconds."""

    seconds: float
    cpu: Mapping[str, float]
    statements: int

    @property
    def all_cpu(self) -> float:
        """Processor seconds of all services."""
        return sum(self.cpu.values())


@dataclass(frozen=True)
class Start:
    """A start of all services. trino_cpu: its processor seconds until a look found nothing new."""

    trino_cpu: float
    first: Round


def readings(number: int, count: int, meters: int, day: date) -> Iterator[Reading]:
    """The readings of a batch: meters in turn, each a second later than before.

    They begin at one o'clock, so that the first half-hour is of this day in every version.
    """
    start = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    for place in range(number * count, (number + 1) * count):
        yield Reading(
            10_000 + place % meters,
            start + timedelta(seconds=place // meters),
            Decimal(1 + place % 997) / 1000,
        )


Books = dict[tuple[str, str], tuple[int, Decimal]]


def expected(sent: Sequence[Reading]) -> Books:
    """(Meter, day) -> how many readings and their energy, by plain addition."""
    books: Books = {}
    for each in sent:
        key = f"MTR-{each.meter}", each.at.date().isoformat()
        count, energy_kwh = books.get(key, (0, Decimal(0)))
        books[key] = count + 1, energy_kwh + each.energy_kwh
    return books


def books_of(rows: Sequence[Sequence[Any]]) -> Books:
    """The same from the rows of a mart."""
    return {(meter, str(day)): (count, Decimal(energy)) for meter, day, count, energy in rows}


class Player:
    """Rounds of one stack; sent: every reading it was given."""

    def __init__(self, stack: Stack, count: int, meters: int, day: date) -> None:
        self.stack = stack
        self._count, self._meters, self._day = count, meters, day
        self._batches = 0
        self.sent: list[Reading] = []

    def send(self) -> None:
        """Give Kafka the next batch, at once."""
        batch = list(readings(self._batches, self._count, self._meters, self._day))
        pairs = [
            (f"MTR-{each.meter}", message(each.meter, each.at, float(each.energy_kwh)))
            for each in batch
        ]
        producer = Producer(connection(self.stack.settings, ADMIN) | {"linger.ms": 5})
        for key, value in pairs:
            producer.produce(TOPIC, value, key)
        if producer.flush(60):
            raise RetriableError("all messages in Kafka within 60 s", "some are not", "try again")
        self._batches += 1
        self.sent += batch

    def play(self) -> Round | None:
        """Send a batch and watch the round that takes it; None if that was not seen whole."""
        self._wait({"idle", "waiting"})
        self.send()
        deadline = time.monotonic() + ROUND_SECONDS
        played = self._next_round(deadline)
        if self._is_counted():
            return played
        while not self._is_counted():
            self._next_round(deadline)
        return None

    def play_whole(self) -> Round:
        """Play until a round took a whole batch. Raises RetriableError after MOST_SPLIT others."""
        for _ in range(MOST_SPLIT):
            if played := self.play():
                return played
        raise split()

    def start(self) -> Start:
        """Stop all services, start them again, and watch the first round from then on.

        Raises RetriableError after MOST_SPLIT starts whose first round took a part of a batch.
        """
        for _ in range(MOST_SPLIT):
            self.stack.setup("stop")
            self.stack.setup("--native")
            self._wait({"idle"})
            trino_cpu = self.stack.cpu(self.stack.services())["trino"]
            if first := self.play():
                return Start(trino_cpu, first)
        raise split()

    def check(self) -> None:
        """Raise FatalError unless the mart holds exactly what was sent."""
        found, wanted = books_of(self.stack.sql(MART_SQL)), expected(self.sent)
        if found != wanted:
            different = sorted({key for key, _ in found.items() ^ wanted.items()})
            raise FatalError(
                f"the readings sent in the mart of {self.stack.checkout}",
                f"{len(different)} other rows, the first {different[:1]}",
                "look at device_daily_metrics there",
            )

    def _is_counted(self) -> bool:
        counts = [int(count) for _, _, count, _ in self.stack.sql(MART_SQL)]
        return sum(counts) == len(self.sent)

    def _next_round(self, deadline: float) -> Round | None:
        """The next round that runs models; None if its end was missed or a service restarted."""
        try:
            return self._watch(deadline, self.stack.services())
        except NoSuchProcess:
            return None

    def _watch(self, deadline: float, services: Sequence[Process]) -> Round | None:
        while True:
            number = self._wait({"running"}, deadline)["round"]
            before, began = self.stack.cpu(services), datetime.now(UTC)
            health = self._wait({"idle", "failed"}, deadline)
            if health["round"] != number:
                return None
            if not health["models_run"]:
                continue
            after, ended = self.stack.cpu(services), datetime.now(UTC)
            if health["state"] == "failed":
                raise FatalError("a good round", health["result"], f"see {self.stack.checkout}")
            cpu = {name: after[name] - before[name] for name in after}
            asked = STATEMENTS_SQL.format(began=began.isoformat(), ended=ended.isoformat())
            ((statements,),) = self.stack.sql(asked)
            return Round(health["seconds"], cpu, statements)

    def _wait(self, states: set[str], deadline: float | None = None) -> dict[str, Any]:
        """How the runner is once it is in one of these states."""
        deadline = deadline or time.monotonic() + ROUND_SECONDS
        while (health := self.stack.health()).get("state") not in states:
            if time.monotonic() > deadline:
                raise RetriableError(
                    f"the runner {' or '.join(sorted(states))} within {ROUND_SECONDS:.0f} s",
                    str(health),
                    f"see the log of dbt below {self.stack.settings.state_dir}",
                )
            time.sleep(POLL_SECONDS)
        return health


def split() -> RetriableError:
    """The error of batches none of which a single round took."""
    return RetriableError(
        f"one of {MOST_SPLIT} batches taken by one round, all services up",
        "each came in parts, or a service restarted",
        "measure on a quiet machine",
    )


def by_turns(
    players: Mapping[str, Player], options: argparse.Namespace
) -> tuple[dict[str, list[Start]], dict[str, list[Round]]]:
    """Starts of both, then rounds of both once they are warm."""
    starts: dict[str, list[Start]] = {name: [] for name in players}
    rounds: dict[str, list[Round]] = {name: [] for name in players}
    at_once(players)
    for _ in range(options.starts):
        for name, player in players.items():
            starts[name].append(player.start())
    for _ in range(options.warm_ups):
        at_once(players)
    for _ in range(options.rounds):
        for name, player in players.items():
            rounds[name].append(player.play_whole())
    return starts, rounds


def at_once(players: Mapping[str, Player]) -> None:
    """A round of every stack, beside each other."""
    with ThreadPoolExecutor(len(players)) as pool:
        list(pool.map(Player.play, players.values()))


def figures_of(
    starts: Mapping[str, Sequence[Start]], rounds: Mapping[str, Sequence[Round]]
) -> Iterator[Figure]:
    """Medians of both versions, the goals of this one, and what it needs of the other."""
    yield from compared("warm round", "s", medians(rounds, lambda each: each.seconds), 3)
    for service in SERVICES:
        of_service = medians(rounds, cpu_of(service))
        yield from compared(f"warm round, processor time of {service}", "cpu-s", of_service)
    cpu = medians(rounds, lambda each: each.all_cpu)
    yield from compared(f"warm round, processor time of {ALL}", "cpu-s", cpu, at_most_ratio=0.45)
    asked = medians(rounds, lambda each: each.statements)
    yield from compared("warm round, statements", "statements", asked, 12)
    first = medians(starts, lambda each: each.first.seconds)
    yield from compared("first round after a start", "s", first)
    first = medians(starts, lambda each: each.first.cpu["trino"])
    yield from compared("first round after a start, processor time of trino", "cpu-s", first)
    first = medians(starts, lambda each: each.first.all_cpu)
    name = f"first round after a start, processor time of {ALL}"
    yield from compared(name, "cpu-s", first, 15)
    start = medians(starts, lambda each: each.trino_cpu)
    yield from compared("start, processor time of trino", "cpu-s", start)


def cpu_of(service: str) -> Callable[[Round], float]:
    """A function for the processor seconds of one service in a round."""
    return lambda each: each.cpu[service]


def medians(
    measured: Mapping[str, Sequence[Measured]], value: Callable[[Measured], float]
) -> dict[str, float]:
    """Version -> median; without those that were not measured."""
    return {name: statistics.median(map(value, each)) for name, each in measured.items() if each}


def compared(
    name: str,
    unit: str,
    found: Mapping[str, float],
    at_most: float | None = None,
    at_most_ratio: float | None = None,
) -> Iterator[Figure]:
    """A figure of both versions and their ratio; nothing where nothing was measured."""
    if found:
        yield Figure(f"{name}: {OLD}", found[OLD], unit)
        yield Figure(f"{name}: {NEW}", found[NEW], unit, at_most=at_most)
        if found[OLD]:
            ratio = found[NEW] / found[OLD]
            yield Figure(f"{name}: {NEW} / {OLD}", ratio, "times", at_most=at_most_ratio)


def wait_for_training(stack: Stack) -> None:
    """Wait until Java's caches are made, where the version has any: a user starts with them.

    Raises RetriableError where they are not after TRAINING_SECONDS.
    """
    deadline = time.monotonic() + TRAINING_SECONDS
    while TRAINING in [service.name for service in stack.services()]:
        if time.monotonic() > deadline:
            raise RetriableError(
                f"Java's caches made within {TRAINING_SECONDS:.0f} s",
                "the program is still at it",
                f"see its log below {stack.settings.state_dir}",
            )
        time.sleep(1)


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Set both up, play, check, delete."""
    batches = 1 + MOST_SPLIT * (options.starts + options.rounds) + options.warm_ups
    if batches * options.readings > options.meters * DAY_SECONDS:
        raise ConfigurationError("readings of one day", "more", "take more meters or fewer rounds")
    changes = {
        "DBT_AUTO_RUN": "true",
        "DBT_RUN_INTERVAL": "2",
        "JAVA_TRAINING": "true",
        "LANDING_COMMIT_SECONDS": "2",
        "MAINTENANCE_INTERVAL": "0",
        "NUM_DEVICES": str(options.meters),
    }
    day = datetime.now(UTC).date() - timedelta(days=1)
    with ExitStack() as ending:
        players = {}
        for name, checkout in ((OLD, options.beside), (NEW, PROJECT_ROOT)):
            stack = ending.enter_context(new_stack(checkout.absolute(), changes))
            stack.setup("--native")
            wait_for_training(stack)
            players[name] = Player(stack, options.readings, options.meters, day)
        starts, rounds = by_turns(players, options)
        for player in players.values():
            player.check()
    return Report(
        f"{OLD}: version {version_of(options.beside)}; {NEW}: {version_of(PROJECT_ROOT)}; a round "
        f"takes {options.readings:,} readings of {options.meters:,} meters; medians of "
        f"{options.starts} starts and of {options.rounds} rounds after {options.warm_ups} to warm "
        "up, by turns",
        "count and energy of each meter's day in both marts are those of the readings sent",
        tuple(figures_of(starts, rounds)),
    )


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rounds", description=__doc__)
    parser.add_argument("--beside", type=Path, required=True, help="a checkout to compare with")
    parser.add_argument("--readings", type=int, default=10_000, help="of a round (10000)")
    parser.add_argument("--meters", type=int, default=100, help="that send them (100)")
    parser.add_argument("--starts", type=int, default=3, help="of all services (3)")
    parser.add_argument("--warm-ups", type=int, default=20, help="rounds before those below (20)")
    parser.add_argument("--rounds", type=int, default=15, help="warm ones (15)")
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
