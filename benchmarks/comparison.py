"""Compare the lander with other loaders: rows a second, cpu-seconds a million, memory.

Run as `python -m benchmarks.comparison` on a native stack. One topic is filled and loaded into one
catalog and store by the lander, the Apache Iceberg Kafka Connect sink, Trino's Kafka connector and
a bare loader, one after the other, each as processes of its own that are measured whole. Cold is
with the program's start, warm the same work again in the same process. Every table must hold what
was sent, reading by reading, before its figures count. Topic and tables are deleted afterwards.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from confluent_kafka.admin import AdminClient
from pyiceberg.catalog import Catalog
from pyiceberg.schema import Schema

from benchmarks import connect_sink, figures, lander, own_trino, packages, peers, processes
from benchmarks.figures import Figure, Report
from benchmarks.processes import Cost, since
from lander.catalog import open_catalog
from lander.table import NAMESPACE
from stack.base.errors import FatalError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients.kafka import client_options
from stack.programs.ports import free_ports

LOAD_SECONDS = 900
LANDER, BARE = "lander", "bare loader"
SINK, TRINO = ("Connect sink, cold", "Connect sink, warm"), ("Trino, cold", "Trino, warm")


@dataclass(frozen=True)
class Contest:
    """One topic that all load. expected: its readings, in order; folder: for temporary files."""

    topic: str
    sent: lander.Sent
    expected: pa.Table
    catalog: Catalog
    folder: Path
    settings: Settings

    @contextmanager
    def table(self, name: str, schema: Schema | None = None) -> Iterator[str]:
        """A table's name for one load, whose rows are checked after the block; then it goes."""
        table = f"{self.topic}_{name}"
        if schema:
            self.catalog.create_table((NAMESPACE, table), schema, properties=PROPERTIES)
        try:
            yield table
            peers.check(self.catalog, table, self.expected)
        finally:
            if self.catalog.table_exists((NAMESPACE, table)):
                self.catalog.purge_table((NAMESPACE, table))

    def workplace(self) -> Path:
        """An empty folder."""
        return Path(tempfile.mkdtemp(dir=self.folder))


PROPERTIES = {"format-version": "2", "write.parquet.compression-codec": "zstd"}


def by_lander(contest: Contest) -> dict[str, Cost]:
    """The lander from its start to its end; raw text and coordinates are checked too."""
    settings, topic = contest.settings, contest.topic
    try:
        run = lander.land(topic, settings)
        lander.check(topic, contest.sent, settings)
        peers.check(contest.catalog, topic, contest.expected)
    finally:
        lander.delete_table(topic, settings)
    return {LANDER: Cost(run.wall_s, run.cpu_s, run.peak_mb)}


def by_bare_loader(contest: Contest) -> dict[str, Cost]:
    """The bare loader from its start to its end."""
    with contest.table("bare", peers.flat_schema()) as table:
        command = [sys.executable, "-E", "-m", "benchmarks.bare_loader", contest.topic, table]
        return {BARE: processes.run(command, PROJECT_ROOT, contest.settings.environment())}


def by_trino(contest: Contest) -> dict[str, Cost]:
    """Two inserts of one Trino: the first with its start, the second warm."""
    (port,) = free_ports(1)
    costs = {}
    with own_trino.running(contest.topic, contest.workplace(), port, contest.settings) as (
        server,
        settings,
    ):
        before = Cost(0, 0, 0)
        for number, name in enumerate(TRINO):
            with contest.table(f"trino{number}") as table:
                own_trino.insert(contest.topic, table, settings)
                costs[name] = since(before, server.cost())
            before = server.cost()
    return costs


def by_sink(contest: Contest) -> dict[str, Cost]:
    """Two connectors of one worker, until all rows can be read: the second is warm."""
    (port,) = free_ports(1)
    costs = {}
    with connect_sink.worker(contest.topic, contest.workplace(), port, contest.settings) as worker:
        before = Cost(0, 0, 0)
        for number, name in enumerate(SINK):
            with contest.table(f"sink{number}", peers.nested_schema()) as table:
                worker.add(contest.topic, table)
                wait_for_rows(contest, worker, table)
                costs[name] = since(before, worker.server.cost())
                worker.remove(table)
            before = worker.server.cost()
    return costs


def wait_for_rows(contest: Contest, worker: connect_sink.Worker, table: str) -> None:
    """Wait until the sink has committed all rows. Raises FatalError if a task failed."""

    def is_there() -> bool:
        if problem := worker.problem(table):
            raise FatalError("a sink that runs", problem, "see the trace")
        return peers.row_count(contest.catalog, table) >= contest.sent.messages

    worker.server.wait_until(is_there, LOAD_SECONDS, f"{contest.sent.messages} rows in {table}")


LOADERS: Sequence[Callable[[Contest], dict[str, Cost]]] = (
    by_lander,
    by_bare_loader,
    by_trino,
    by_sink,
)


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each part."""
    parts = zip(*((cost.wall_s, cost.cpu_s, cost.peak_mb) for cost in costs), strict=True)
    return Cost(*(statistics.median(part) for part in parts))


def lines(messages: int, costs: dict[str, Cost]) -> Iterator[Figure]:
    """Every loader's figures, then the lander's ratios with the goals of issue 6."""
    for name, cost in costs.items():
        yield Figure(f"{name}: rows a second", messages / cost.wall_s, "rows/s")
        yield Figure(f"{name}: processor time", cost.cpu_s / messages * 1e6, "cpu-s/million")
        limit = 600 if name == LANDER else None
        yield Figure(f"{name}: peak memory", cost.peak_mb, "MB", at_most=limit)
    mine = costs[LANDER]
    for name, most, least in (
        (SINK[1], 1 / 3, 2.0),
        (SINK[0], None, None),
        (TRINO[1], None, None),
        (BARE, 1.3, None),
    ):
        other = costs[name]
        ratio = mine.cpu_s / other.cpu_s
        yield Figure(f"lander / {name}: processor time", ratio, "times", at_most=most)
        faster = other.wall_s / mine.wall_s
        yield Figure(f"lander / {name}: rows a second", faster, "times", at_least=least)


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Fill, load with each, check each, delete."""
    packages.check(["comparison"])
    processes.demand_plain(settings)
    topic = f"benchmark_{uuid.uuid4().hex[:8]}"
    sent = lander.fill(topic, options.messages, settings)
    runs: dict[str, list[Cost]] = {}
    try:
        with tempfile.TemporaryDirectory() as folder:
            contest = Contest(
                topic,
                sent,
                peers.expected(sent.messages),
                open_catalog(settings),
                Path(folder),
                settings,
            )
            for _ in range(options.runs):
                for load in LOADERS:
                    for name, cost in load(contest).items():
                        sys.stderr.write(f"{name}: {cost}\n")
                        runs.setdefault(name, []).append(cost)
    finally:
        admin = AdminClient(client_options(settings))
        admin.delete_topics([topic])[topic].result()
    costs = {name: middle(of_name) for name, of_name in runs.items()}
    return Report(
        f"{sent.messages:,} messages of {sent.value_bytes / sent.messages:.0f} bytes, "
        f"{options.runs} x in turn; the lander commits every "
        f"{settings.landing_commit_seconds:g} s, the sink every "
        f"{connect_sink.COMMIT_MS // 1000} s with {connect_sink.TASKS} tasks",
        "every table's readings equal the sent ones; the lander's keys, text and offsets too",
        tuple(lines(sent.messages, costs)),
    )


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comparison", description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=1, help="of every loader (1)")
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
