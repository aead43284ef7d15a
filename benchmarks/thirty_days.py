"""Measure a month of a fleet: rebuild against one increment, bytes a reading, mart queries.

Run as `python -m benchmarks.thirty_days` on a stack whose fleet is as large (NUM_DEVICES before
setup). The simulator's readings of 30 days land a day at a time in a table of its own and a copy of
the models takes them; then some more half-hours. Answers are compared with DuckDB's over the same
readings first. All is deleted afterwards.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from benchmarks import figures
from benchmarks.copied_models import CopiedModels, DirectLanding, apart
from benchmarks.figures import Figure, Report, percentile
from benchmarks.simulator import INTERVAL_MS, generated, sample_devices
from lander.catalog import open_catalog
from lander.table import NAMESPACE
from simulator.clock import interval_ends
from simulator.load_profiles import DAY_MS
from stack.base.errors import ConfigurationError, FatalError
from stack.base.settings import Settings
from stack.clients import objectstore, trino
from stack.writing import lock

START = datetime(2025, 11, 1, tzinfo=UTC)
START_MS = round(START.timestamp() * 1000)
INCREMENTS = 5
# Of the plain file; as large as Arrow's own.
GROUP_ROWS = 2**20
WARM_UPS = 20
# What a person asks of the marts; {meter}, {day} and so on vary from question to question.
QUESTIONS = {
    "a meter's days": (
        "select reading_date, total_energy_kwh from {mart} "
        "where device_id = '{meter}' order by reading_date"
    ),
    "a day's ten largest": (
        "select device_id, total_energy_kwh from {mart} where reading_date = date '{day}' "
        "order by total_energy_kwh desc, device_id limit 10"
    ),
    "the fleet day by day": (
        "select reading_date, sum(total_energy_kwh), count(*) from {mart} "
        "group by reading_date order by reading_date"
    ),
}


def readings(meters: int, days: int, seed: int) -> Iterator[list[bytes]]:
    """The simulator's messages, a day at a time; after the last day half-hour by half-hour."""
    devices = sample_devices(meters, seed)
    bounds = [START_MS + day * DAY_MS for day in range(days + 1)]
    bounds += [bounds[-1] + (number + 1) * INTERVAL_MS for number in range(INCREMENTS)]
    for begin, end in itertools.pairwise(bounds):
        chunks = generated(devices, interval_ends(begin, end, INTERVAL_MS), seed)
        yield [value for chunk in chunks for value in chunk.values]


def by_meter_and_day(messages: Sequence[bytes], database: duckdb.DuckDBPyConnection) -> None:
    """Add messages to DuckDB's own table of readings: read and summed apart from the stack."""
    database.register("messages", pa.table({"message": pa.array(messages, pa.string())}))
    database.execute(
        "insert into readings select json_extract_string(message, '$.device_id'), "
        "json_extract_string(message, '$.timestamp')::timestamp, "
        "json_extract_string(message, '$.metrics.energy_kwh')::decimal(18, 6) from messages"
    )
    database.unregister("messages")


class Month:
    """The fleet's month in landing and in the models, and beside them in DuckDB."""

    def __init__(self, copy: CopiedModels, landing: DirectLanding) -> None:
        self.copy, self.landing = copy, landing
        self.mart = f"iceberg.{copy.name}_marts.device_daily_metrics"
        self._database = duckdb.connect()
        self._database.execute(
            "create table readings (device_id varchar, reading_at timestamp, energy decimal(18,6))"
        )

    def land(self, moment: datetime, messages: Sequence[bytes]) -> None:
        """Land messages, here and there."""
        self.landing.land(moment, list(messages))
        by_meter_and_day(messages, self._database)

    def check(self) -> None:
        """Raise FatalError unless both engines count and sum the same for each meter."""
        wanted = self._database.execute(
            "select device_id, count(*), sum(energy) from readings group by 1 order by 1"
        ).fetchall()
        found = self.copy.sql(
            f"select device_id, sum(reading_count), sum(total_energy_kwh) from {self.mart} "
            "group by 1 order by 1"
        )
        same = [(meter, count, Decimal(kwh)) for meter, count, kwh in wanted]
        if [tuple(row) for row in found] != same:
            raise FatalError("DuckDB's sums of every meter", "other ones in the mart", "compare")


def rebuild(
    month: Month, days: Iterator[list[bytes]], count: int, held: lock.WriterLock
) -> list[Figure]:
    """Land all days, build everything, rebuild it, then take half-hours one by one."""
    for number in range(count):
        month.land(START + timedelta(days=number + 1), next(days))
    month.copy.run(held)
    full_s = month.copy.run(held, is_full_refresh=True)
    month.check()
    taken = []
    for number in range(INCREMENTS):
        month.land(START + timedelta(days=count, hours=1 + number), next(days))
        taken.append(month.copy.run(held))
    increment_s = statistics.median(taken)
    month.check()
    return [
        Figure("full rebuild", full_s, "s"),
        Figure("one increment of half an hour, median", increment_s, "s"),
        Figure("full rebuild / one increment", full_s / increment_s, "times", at_least=50),
    ]


def catalog_of_trino(settings: Settings) -> SqlCatalog:
    """The catalog with the keys of the one who may read every layer; the lander's may not."""
    keys = objectstore.keys_of(settings, objectstore.TRINO)
    catalog = open_catalog(settings)
    catalog.properties |= {
        "s3.access-key-id": keys.access_key,
        "s3.secret-access-key": str(keys.secret_key),
    }
    return catalog


def storage(month: Month, settings: Settings) -> Iterator[Figure]:
    """Bytes a reading after maintenance, against the same rows plain and in arrival order."""
    catalog, name = catalog_of_trino(settings), month.copy.name
    for place, schema, table in (
        ("landing, raw text included", NAMESPACE, name),
        ("int_meter_readings", f"{name}_intermediate", "int_meter_readings"),
    ):
        compacted = catalog.load_table((schema, table))
        files = compacted.inspect.files()
        count = sum(files.column("record_count").to_pylist())
        here = sum(files.column("file_size_in_bytes").to_pylist()) / count
        there = plain_bytes(compacted, month.landing.batch_id) / count
        yield Figure(f"{place}: compacted", here, "bytes/reading")
        yield Figure(f"{place}: plain zstd Parquet in arrival order", there, "bytes/reading")
        yield Figure(f"{place}: compacted / plain", here / there, "times", at_most=0.6)


def plain_bytes(table: Table, batches: int) -> int:
    """Bytes of a table's rows in one plain file, in the order in which they came.

    A row group at a time: all rows of a large fleet are more than fits into memory.
    """
    file = pa.BufferOutputStream()
    schema = table.schema().as_arrow()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        group = schema.empty_table()
        for batch_id in range(1, batches + 1):
            rows = table.scan(f"batch_id = {batch_id}").to_arrow().cast(schema)
            group = pa.concat_tables([group, rows.sort_by("kafka_offset")])
            if len(group) >= GROUP_ROWS or batch_id == batches:
                writer.write_table(group, row_group_size=len(group))
                group = schema.empty_table()
    return int(file.tell())


def questions(month: Month, meters: int, days: int, count: int) -> Iterator[Figure]:
    """Seconds of warm questions to the mart over one connection; all but one shape vary."""
    mart_rows = pa.table(
        dict(
            zip(
                ("device_id", "reading_date", "total_energy_kwh"),
                map(list, zip(*month.copy.sql(all_of(month.mart)), strict=True)),
                strict=True,
            )
        )
    )
    database = duckdb.connect()
    database.register("mart", mart_rows)
    taken: list[float] = []
    with closing(trino.client(month.copy.settings).connect()) as connection:
        for number in range(WARM_UPS + count):
            for text in QUESTIONS.values():
                changing = {
                    "meter": f"MTR-{10_000 + number * 37 % meters}",
                    "day": (START + timedelta(days=1 + number % (days - 1))).date(),
                }
                cursor = connection.cursor()
                started = time.monotonic()
                cursor.execute(text.format(mart=month.mart, **changing))
                answer: list[list[Any]] = cursor.fetchall()
                taken.append(time.monotonic() - started)
                wanted = database.execute(text.format(mart="mart", **changing)).fetchall()
                if [tuple(row) for row in answer] != wanted:
                    raise FatalError(f"{wanted}", f"{answer}", f"compare: {text}")
    warm = [seconds * 1000 for seconds in taken[WARM_UPS * len(QUESTIONS) :]]
    yield Figure("mart query, median", percentile(warm, 0.5), "ms")
    yield Figure("mart query, p95", percentile(warm, 0.95), "ms", at_most=300)


def all_of(mart: str) -> str:
    """Every row that the questions may touch."""
    return f"select device_id, reading_date, total_energy_kwh from {mart}"


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Land, build, check, store, ask."""
    meters = options.meters
    if meters > settings.num_devices:
        raise ConfigurationError(
            f"a fleet of {meters} meters, which the models know",
            f"NUM_DEVICES={settings.num_devices}",
            "set NUM_DEVICES in .env and run ./initial-setup.sh again, or give --meters",
        )
    with (
        lock.hold_lock(settings, lock.MAINTENANCE, 600, lambda text: None) as held,
        apart(settings) as (copy, landing),
    ):
        month = Month(copy, landing)
        days = readings(meters, options.days, settings.fleet_seed)
        found = rebuild(month, days, options.days, held)
        month.copy.maintain(held)
        found += storage(month, settings)
        found += questions(month, meters, options.days, options.questions)
    return Report(
        f"{options.days} days of {meters:,} meters, "
        f"{options.days * meters * DAY_MS // INTERVAL_MS:,} readings of half an hour; "
        f"{len(QUESTIONS)} shapes of mart query, {options.questions} of each",
        "DuckDB's own count and sum of each meter's readings, and its answer to each query",
        tuple(found),
    )


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.thirty_days", description=__doc__)
    parser.add_argument("--meters", type=int, default=10_000, help="of the fleet (10000)")
    parser.add_argument("--days", type=int, default=30, help="(30)")
    parser.add_argument("--questions", type=int, default=50, help="of each shape (50)")
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
