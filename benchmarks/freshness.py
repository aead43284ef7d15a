"""Measure freshness: how long until a reading is seen in landing, a mart and its live view.

Run as `python -m benchmarks.freshness`. A producer of its own sends at a steady rate; the lander
runs with a commit setting of 1 s. A reading is seen in landing when its commit has ended, in a mart
when the round of models has ended that holds its batch; rounds follow each other without a pause.
It is seen in the live view when an answer about the last two days holds its batch; somebody asks
again as soon as the last answer is there. All count from the reading's own time. Offsets, reading
times and sums are verified first.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from benchmarks import figures, processes
from benchmarks.copied_models import CopiedModels
from benchmarks.figures import Figure, Report, percentile
from benchmarks.lander import write_topic_file
from lander.catalog import open_catalog
from lander.table import NAMESPACE
from stack.base.errors import FatalError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients.kafka import client_options
from stack.writing import lock

PARTITIONS = 6
COMMIT_SECONDS = 1.0
WAIT_SECONDS = 180
# The first seconds are left out: the lander has just been given its partitions.
WARM_UP_SECONDS = 5.0
# The goal is one of this rate; a lower one may be measured, but meets nothing.
GOAL_SECONDS, GOAL_RATE = 2.0, 50_000
LIVE_GOAL_SECONDS, MART_GOAL_SECONDS, MART_GOAL_RATE = 2.0, 8.0, 5_000
COMMITTED = re.compile(r"^(\S+ [\d:]+,\d+) .* committed .* batch=(\d+) rows=(\d+) .*seconds=(\S+) ")


@dataclass(frozen=True)
class Commit:
    """A commit as the lander logged it. at: seconds since 1970 when it had ended."""

    batch_id: int
    at: float
    rows: int
    seconds: float


def commits(log: str) -> list[Commit]:
    """The commits in the lander's log, whose times are UTC."""
    found = filter(None, map(COMMITTED.match, log.splitlines()))
    return [
        Commit(
            int(match[2]),
            datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC).timestamp(),
            int(match[3]),
            float(match[4]),
        )
        for match in found
    ]


def ages(
    rows: pa.Table, seen_at: Mapping[int, float]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds from each reading's time until its batch was seen, without those of the warm-up.

    rows: batch_id, reading_at. seen_at: batch -> seconds since 1970.
    """
    times = np.asarray(rows.column("reading_at").cast(pa.int64())) / 1e6
    batches = np.asarray(rows.column("batch_id"))
    numbers, places = np.unique(batches, return_inverse=True)
    seen = np.array([seen_at[number] for number in numbers.tolist()])[places]
    kept = times >= times.min() + WARM_UP_SECONDS
    fresh: np.ndarray[tuple[int], np.dtype[np.float64]] = seen[kept] - times[kept]
    return fresh


def first_seen(batches: Sequence[int], looks: Sequence[tuple[float, int]]) -> dict[int, float]:
    """When each batch was first seen. looks: (time, newest batch seen then), in order of time."""
    return {
        batch: next(at for at, newest in looks if newest >= batch) for batch in sorted(set(batches))
    }


@contextmanager
def running_lander(topic: str, settings: Settings) -> Iterator[processes.Server]:
    """A topic with a lander that has been given its partitions; topic and table go at the end."""
    admin = AdminClient(client_options(settings))
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    try:
        with tempfile.TemporaryDirectory() as folder:
            write_topic_file(topic, folder)
            own = replace(settings, landing_commit_seconds=COMMIT_SECONDS, state_dir=Path(folder))
            command = [sys.executable, "-E", "-m", "lander", "--topics-folder", folder]
            environment = own.environment() | {"TZ": "UTC"}
            log = Path(folder) / "log"
            with processes.server(command, PROJECT_ROOT, environment, log) as server:
                server.wait_until(
                    lambda: "reading topic=" in log.read_text(), WAIT_SECONDS, "a lander that reads"
                )
                yield server
    finally:
        catalog = open_catalog(settings)
        if catalog.table_exists((NAMESPACE, topic)):
            catalog.purge_table((NAMESPACE, topic))
        admin.delete_topics([topic])[topic].result()


@contextmanager
def sending(
    topic: str, rate: int, seconds: int, meters: int, settings: Settings
) -> Iterator[subprocess.Popen[bytes]]:
    """A producer at work. Raises FatalError if it failed; it has ended after the block."""
    words = [topic, *map(str, (rate, seconds, meters))]
    command = [sys.executable, "-E", "-m", "benchmarks.paced_producer", *words]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, env=settings.environment())
    try:
        yield process
        if process.wait(WAIT_SECONDS):
            raise FatalError(
                "a producer that sends all", f"exit code {process.returncode}", "above"
            )
    finally:
        process.kill()
        process.wait()


def landed_rows(topic: str, count: int, settings: Settings) -> pa.Table:
    """batch_id, reading_at of all rows. Raises FatalError unless each reading is there once."""
    columns = ("kafka_partition", "kafka_offset", "batch_id", "reading_at", "parse_error")
    rows = (
        open_catalog(settings)
        .load_table((NAMESPACE, topic))
        .scan(selected_fields=columns)
        .to_arrow()
    )
    ends = rows.group_by("kafka_partition").aggregate([("kafka_offset", "max")])
    held = {
        "rows": rows.num_rows,
        "reading times": pc.count_distinct(rows.column("reading_at")).as_py(),
        "offsets": pc.sum(ends.column("kafka_offset_max")).as_py() + ends.num_rows,
    }
    if set(held.values()) != {count} or rows.column("parse_error").null_count != count:
        raise FatalError(f"{count} readings in landing, each once", f"{held}", "look at its log")
    return rows


def to_landing(options: argparse.Namespace, settings: Settings) -> list[Figure]:
    """Freshness in landing and the lander's commits at a high rate."""
    topic, count = f"benchmark_{uuid.uuid4().hex[:8]}", options.rate * options.seconds
    with running_lander(topic, settings) as lander:
        before = lander.cost()
        with sending(topic, options.rate, options.seconds, options.meters, settings):
            pass
        lander.wait_until(
            lambda: sum(each.rows for each in commits(lander.log.read_text())) >= count,
            WAIT_SECONDS,
            f"{count} rows landed",
        )
        done = commits(lander.log.read_text())
        cost = processes.since(before, lander.cost())
        rows = landed_rows(topic, count, settings)
    fresh = ages(rows, {each.batch_id: each.at for each in done}).tolist()
    name = f"at {options.rate:,} messages/s"
    goal_s = GOAL_SECONDS if options.rate >= GOAL_RATE else None
    seconds = [each.seconds for each in done]
    return [
        Figure(f"event to landing, median, {name}", percentile(fresh, 0.5), "s"),
        Figure(f"event to landing, p95, {name}", percentile(fresh, 0.95), "s", at_most=goal_s),
        Figure(f"commit, p95, {name}", percentile(seconds, 0.95), "s", at_most=goal_s),
        Figure(f"lander's processor time, {name}", cost.cpu_s / options.seconds, "processors"),
        Figure(f"lander's peak memory, {name}", cost.peak_mb, "MB", at_most=600),
    ]


def to_mart(options: argparse.Namespace, settings: Settings) -> list[Figure]:
    """Freshness in the mart of days, and in its live view, while rounds follow each other."""
    topic, count = f"benchmark_{uuid.uuid4().hex[:8]}", options.mart_rate * options.mart_seconds
    meters = min(options.meters, settings.num_devices)
    with (
        tempfile.TemporaryDirectory() as folder,
        lock.hold_lock(settings, lock.MAINTENANCE, 600, lambda text: None) as held,
        running_lander(topic, settings),
    ):
        copy = CopiedModels(topic, settings, Path(folder))
        try:
            # The first round makes the tables.
            copy.run(held)
            mart = f"iceberg.{topic}_marts.device_daily_metrics"
            with (
                looking(copy, f"{mart}_live") as live,
                sending(topic, options.mart_rate, options.mart_seconds, meters, settings) as sender,
            ):
                looks, seconds = rounds(copy, held, mart, count, sender)
            for table in (mart, f"{mart}_live"):
                copy.check(f"select sum(reading_count) from {table}", count)
            rows = landed_rows(topic, count, settings)
        finally:
            copy.delete()
    batches = rows.column("batch_id").to_pylist()
    return mart_figures(
        options.mart_rate,
        ages(rows, first_seen(batches, live)).tolist(),
        ages(rows, first_seen(batches, looks)).tolist(),
        seconds,
    )


def mart_figures(
    rate: int, in_live: Sequence[float], in_mart: Sequence[float], rounds: Sequence[float]
) -> list[Figure]:
    """The figures of seconds until readings were seen, and of rounds."""
    name = f"at {rate:,} messages/s"
    live_s, mart_s = (
        (LIVE_GOAL_SECONDS, MART_GOAL_SECONDS) if rate >= MART_GOAL_RATE else (None,) * 2
    )
    return [
        Figure(f"event to live mart, median, {name}", percentile(in_live, 0.5), "s"),
        Figure(f"event to live mart, p95, {name}", percentile(in_live, 0.95), "s", at_most=live_s),
        Figure(f"event to mart, median, {name}", percentile(in_mart, 0.5), "s"),
        Figure(f"event to mart, p95, {name}", percentile(in_mart, 0.95), "s", at_most=mart_s),
        Figure(f"round of the models, median, {name}", percentile(rounds, 0.5), "s"),
    ]


@contextmanager
def looking(copy: CopiedModels, view: str) -> Iterator[list[tuple[float, int]]]:
    """Ask a view again and again: (time of the answer, newest batch in it), one more at the end."""
    looks: list[tuple[float, int]] = []
    is_over = threading.Event()
    statement = (
        f"select max(batch_id) from {view} where reading_date >= current_date - interval '1' day"
    )

    def look() -> None:
        ((newest,),) = copy.sql(statement)
        looks.append((time.time(), int(newest or 0)))

    def look_on() -> None:
        while not is_over.is_set():
            look()

    thread = threading.Thread(target=look_on, name="looking")
    thread.start()
    try:
        yield looks
    finally:
        is_over.set()
        thread.join(WAIT_SECONDS)
    look()


def rounds(
    copy: CopiedModels,
    held: lock.WriterLock,
    mart: str,
    count: int,
    sender: subprocess.Popen[bytes],
) -> tuple[list[tuple[float, int]], list[float]]:
    """Run the models again and again until all is in the mart: (time, newest batch) and seconds."""
    looks, seconds, there = [], [], 0
    deadline = None
    while there < count:
        seconds.append(copy.run(held))
        ((newest, found),) = copy.sql(f"select max(batch_id), sum(reading_count) from {mart}")
        looks.append((time.time(), int(newest or 0)))
        there = int(found or 0)
        if sender.poll() is not None:
            deadline = deadline or time.monotonic() + WAIT_SECONDS
            if time.monotonic() > deadline:
                raise FatalError(f"{count} readings in the mart", f"{there}", "look at the models")
    return looks, seconds


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Both, one after the other."""
    found = to_landing(options, settings) if options.seconds else []
    found += to_mart(options, settings) if options.mart_seconds else []
    return Report(
        f"{options.seconds} s at {options.rate:,} messages/s, "
        f"{options.mart_seconds} s at {options.mart_rate:,} messages/s with rounds without a "
        f"pause; the first {WARM_UP_SECONDS:.0f} s left out",
        "each offset and each reading time once in landing, every reading counted in the mart and "
        "in its live view",
        tuple(found),
    )


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.freshness", description=__doc__)
    parser.add_argument("--rate", type=int, default=50_000, help="messages/s to landing (50000)")
    parser.add_argument("--seconds", type=int, default=60, help="at that rate, 0: leave out (60)")
    parser.add_argument("--mart-rate", type=int, default=5_000, help="messages/s to mart (5000)")
    parser.add_argument(
        "--mart-seconds", type=int, default=120, help="at that rate, 0: leave out (120)"
    )
    parser.add_argument("--meters", type=int, default=1_000, help="at most the fleet's for marts")
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
