"""Measure the lander: rows a second, cpu-seconds a million and memory, over a backlog.

Run as `python -m benchmarks.lander [--beside FOLDER]`. It fills a topic made for this run, lands it
with `python -m lander --until-caught-up` in a process of its own, and proves that the table holds
exactly what was sent. With another version's checkout, whose packages benchmarks.rounds installs,
both landers take the same topic by turns. The topic and the tables are deleted afterwards.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from benchmarks import figures
from benchmarks.figures import Figure, Report
from benchmarks.versions import NEW, OLD, version_of
from lander.catalog import open_catalog
from lander.table import NAMESPACE
from lander.topics import TOPICS_FOLDER
from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients.kafka import ADMIN, client_options, connection

PARTITIONS = 6
SEED = 8831
COORDINATES = ["kafka_partition", "kafka_offset", "message_key", "message", "parse_error"]


@dataclass(frozen=True)
class Sent:
    """What was sent: messages, value bytes, and a sum over hashes of (key, value)."""

    messages: int
    value_bytes: int
    hash_sum: int


@dataclass(frozen=True)
class Run:
    """One run of the lander: seconds on the wall, in user and system mode, and peak memory.

    file_bytes: of the table's files, 0 before they were counted.
    """

    wall_s: float
    user_s: float
    system_s: float
    peak_mb: float
    file_bytes: int = 0

    @property
    def cpu_s(self) -> float:
        """Processor seconds."""
        return self.user_s + self.system_s


def readings(count: int, random_numbers: random.Random) -> Iterator[tuple[str, str]]:
    """Keys and values as the simulator sends them: 1,000 meters in turn."""
    for number in range(count):
        meter, second = number % 1_000, number // 1_000
        key = f"MTR-{10_000 + meter}"
        moment = f"2025-12-{1 + second // 86_400:02}T"
        moment += f"{second // 3_600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}Z"
        yield (
            key,
            f'{{"device_id": "{key}", "customer_id": "CUST-{8_000 + meter // 2}", '
            f'"timestamp": "{moment}", '
            f'"metrics": {{"energy_kwh": {random_numbers.random():.3f}, '
            f'"voltage": {random_numbers.gauss(230, 4):.1f}, '
            f'"battery_pct": {random_numbers.randrange(20, 100)}}}, "status": "OK"}}',
        )


def hashed(key: str | None, value: str | None) -> int:
    """One number for a message; sums of them do not depend on order."""
    return hash((key, value)) & 0xFFFF_FFFF_FFFF


def fill(topic: str, count: int, settings: Settings) -> Sent:
    """Send the readings and wait until Kafka has them all."""
    admin = AdminClient(client_options(settings))
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    producer = Producer(
        connection(settings, ADMIN)
        | {
            "enable.idempotence": True,
            "linger.ms": 50,
            "queue.buffering.max.messages": 500_000,
        }
    )
    value_bytes = hash_sum = 0
    for number, (key, value) in enumerate(readings(count, random.Random(SEED))):  # noqa: S311
        while len(producer) > 400_000:
            producer.poll(0.1)
        producer.produce(topic, value, key)
        value_bytes += len(value)
        hash_sum += hashed(key, value)
        if number % 10_000 == 0:
            producer.poll(0)
    if producer.flush(120):
        raise SystemExit("Kafka did not take all messages within 120 s")
    return Sent(count, value_bytes, hash_sum)


def write_topic_file(topic: str, folder: str, topics_folder: Path = TOPICS_FOLDER) -> None:
    """Declare a topic with the telemetry fields in a folder of its own."""
    text = (topics_folder / "telemetry_raw.yml").read_text(encoding="utf-8")
    topic_file = Path(folder) / f"{topic}.yml"
    topic_file.write_text(text.replace("topic: telemetry_raw", f"topic: {topic}"))


def python_of(checkout: Path) -> str:
    """The Python of a checkout. Raises ConfigurationError if its packages are not installed."""
    if checkout == PROJECT_ROOT:
        return sys.executable
    python = checkout / ".venv" / "bin" / "python"
    if not python.is_file():
        raise ConfigurationError(
            f"the packages of {checkout}",
            f"no {python}",
            f"python -m benchmarks.rounds --beside {checkout}, which installs them",
        )
    return str(python)


def land(topic: str, settings: Settings, checkout: Path = PROJECT_ROOT) -> Run:
    """Run a checkout's lander over the backlog with the telemetry fields."""
    with tempfile.TemporaryDirectory() as folder:
        write_topic_file(topic, folder, checkout / TOPICS_FOLDER.relative_to(PROJECT_ROOT))
        # -E: compiled modules are written and used whatever PYTHON* says; the first call does so.
        command = [python_of(checkout), "-E", "-m", "lander"]
        subprocess.run([*command, "--help"], cwd=checkout, check=True, stdout=subprocess.DEVNULL)
        environment = settings.environment() | {"STATE_DIR": folder}
        started = time.monotonic()
        process = subprocess.Popen(
            [*command, "--until-caught-up", "--topics-folder", folder],
            cwd=checkout,
            env=environment,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"the lander ended with {process.returncode}")
    wall_s = time.monotonic() - started
    return Run(wall_s, usage.ru_utime, usage.ru_stime, usage.ru_maxrss / 1024)


def check(topic: str, sent: Sent, settings: Settings) -> int:
    """Exit with what is wrong unless the table holds each message once; its bytes otherwise."""
    table = open_catalog(settings).load_table((NAMESPACE, topic))
    rows = hash_sum = errors = 0
    offsets: dict[int, list[np.ndarray]] = {}
    for batch in table.scan(selected_fields=tuple(COORDINATES)).to_arrow_batch_reader():
        rows += batch.num_rows
        errors += batch.num_rows - batch.column("parse_error").null_count
        keys, values = batch.column("message_key").to_pylist(), batch.column("message").to_pylist()
        hash_sum += sum(map(hashed, keys, values))
        partitions = np.asarray(batch.column("kafka_partition"))
        for partition in np.unique(partitions).tolist():
            found = np.asarray(batch.column("kafka_offset"))[partitions == partition]
            offsets.setdefault(partition, []).append(found)
    problems = [
        f"partition {partition} does not hold each offset from 0 on once"
        for partition, parts in offsets.items()
        if not np.array_equal(np.sort(np.concatenate(parts)), np.arange(sum(map(len, parts))))
    ]
    if rows != sent.messages:
        problems.append(f"{sent.messages} sent, {rows} landed")
    if hash_sum != sent.hash_sum:
        problems.append("keys or values differ")
    if errors:
        problems.append(f"{errors} parse errors")
    if problems:
        raise SystemExit("; ".join(problems))
    return int(pa.compute.sum(table.inspect.files().column("file_size_in_bytes")).as_py())


def delete(topic: str, settings: Settings) -> None:
    """Remove what the run made."""
    delete_table(topic, settings)
    admin = AdminClient(client_options(settings))
    admin.delete_topics([topic])[topic].result()


def delete_table(topic: str, settings: Settings) -> None:
    """Remove the landing table, if there is one."""
    catalog = open_catalog(settings)
    if catalog.table_exists((NAMESPACE, topic)):
        catalog.purge_table((NAMESPACE, topic))


def run_once(topic: str, sent: Sent, settings: Settings, checkout: Path) -> Run:
    """A checkout's lander on the whole topic, checked; its table is deleted afterwards."""
    try:
        run = land(topic, settings, checkout)
        return replace(run, file_bytes=check(topic, sent, settings))
    finally:
        delete_table(topic, settings)


def figures_of(messages: int, runs: Mapping[str, Sequence[Run]]) -> Iterator[Figure]:
    """Medians of every version, and this one's ratio to the other where there are two."""
    cpu = {name: median(each.cpu_s for each in of) / messages * 1e6 for name, of in runs.items()}
    for name, of_version in runs.items():
        rows = messages / median(each.wall_s for each in of_version)
        yield Figure(f"rows a second: {name}", rows, "rows/s")
        yield Figure(f"processor time: {name}", cpu[name], "cpu-s/million")
        system = median(each.system_s for each in of_version) / messages * 1e6
        yield Figure(f"processor time, system: {name}", system, "cpu-s/million")
        peak = median(each.peak_mb for each in of_version)
        yield Figure(f"peak memory: {name}", peak, "MB", at_most=600 if name == NEW else None)
        size = median(each.file_bytes for each in of_version) / messages
        yield Figure(f"files: {name}", size, "bytes/row")
    if OLD in runs:
        yield Figure(f"processor time: {NEW} / {OLD}", cpu[NEW] / cpu[OLD], "times")


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Fill, land by turns, check, delete."""
    versions = {OLD: options.beside.absolute()} if options.beside else {}
    versions[NEW] = PROJECT_ROOT
    for checkout in versions.values():
        python_of(checkout)
    topic = f"benchmark_{uuid.uuid4().hex[:8]}"
    sent = fill(topic, options.messages, settings)
    runs: dict[str, list[Run]] = {name: [] for name in versions}
    try:
        for _ in range(options.runs):
            for name, checkout in versions.items():
                runs[name].append(run_once(topic, sent, settings, checkout))
    finally:
        delete(topic, settings)
    told = "; ".join(f"{name}: {version_of(checkout)}" for name, checkout in versions.items())
    return Report(
        f"{told}; {sent.messages:,} messages of {sent.value_bytes / sent.messages:.0f} bytes; "
        f"medians of {options.runs} runs, start included, by turns; a commit every "
        f"{settings.landing_commit_seconds:g} s",
        "each offset once, keys and texts as they were sent",
        tuple(figures_of(sent.messages, runs)),
    )


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lander", description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000_000, help="(2000000)")
    parser.add_argument("--runs", type=int, default=3, help="of each version (3)")
    parser.add_argument("--beside", type=Path, help="a checkout to compare with")
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
