"""Everything that the compared loaders share: the topic, the table they fill, and its check."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog import Catalog
from pyiceberg.schema import Schema
from pyiceberg.types import DoubleType, NestedField, StringType, StructType, TimestamptzType

from benchmarks.lander import SEED, readings
from benchmarks.processes import Cost
from lander.table import NAMESPACE
from stack.base.errors import FatalError

TEXTS = ("device_id", "customer_id", "status")
METRICS = ("energy_kwh", "voltage", "battery_pct")
ORDER = [("device_id", "ascending"), ("reading_at", "ascending")]
TIME = pa.timestamp("us", "UTC")
EXPECTED_CHUNK = 100_000


@dataclass(frozen=True)
class Row:
    """A line of the comparison: who, how often before in the same process, at what cost."""

    name: str
    cost: Cost


def flat_schema() -> Schema:
    """The typed columns of a reading, one level deep, as the lander names them."""
    kinds = (
        *((name, StringType()) for name in TEXTS),
        ("reading_at", TimestamptzType()),
        *((name, DoubleType()) for name in METRICS),
    )
    return Schema(
        *(NestedField(number, name, kind) for number, (name, kind) in enumerate(kinds, start=1))
    )


def nested_schema() -> Schema:
    """The same in the shape of the message, which the sink needs."""
    metrics = StructType(
        *(NestedField(number, name, DoubleType()) for number, name in enumerate(METRICS, start=6))
    )
    return Schema(
        *(NestedField(number, name, StringType()) for number, name in enumerate(TEXTS, start=1)),
        NestedField(4, "timestamp", TimestamptzType()),
        NestedField(5, "metrics", metrics),
    )


def expected(count: int) -> pa.Table:
    """What every table must hold, from the sent text by Python's own JSON reader."""
    values = (value for _, value in readings(count, random.Random(SEED)))  # noqa: S311
    return pa.concat_tables(map(parsed, chunks(values))).sort_by(ORDER)


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """The values in lists of bounded length."""
    held: list[str] = []
    for value in values:
        held.append(value)
        if len(held) == EXPECTED_CHUNK:
            yield held
            held = []
    if held:
        yield held


def parsed(values: Iterable[str]) -> pa.Table:
    """Messages as typed columns."""
    messages = [json.loads(value) for value in values]
    columns: dict[str, pa.Array] = {
        name: pa.array([message[name] for message in messages], pa.string()) for name in TEXTS
    }
    times = pa.array([message["timestamp"] for message in messages], pa.string())
    columns["reading_at"] = pc.cast(times, TIME)
    for name in METRICS:
        columns[name] = pa.array([float(m["metrics"][name]) for m in messages], pa.float64())
    return pa.table(columns)


def found(catalog: Catalog, name: str) -> pa.Table:
    """What a table of namespace landing holds, in the order and shape of `expected`."""
    rows = catalog.load_table((NAMESPACE, name)).scan().to_arrow()
    if "metrics" in rows.column_names:
        rows = rows.flatten()
        shorter = [column.removeprefix("metrics.") for column in rows.column_names]
        rows = rows.rename_columns(["reading_at" if c == "timestamp" else c for c in shorter])
    wanted = pa.schema(
        [
            *((n, pa.string()) for n in TEXTS),
            ("reading_at", TIME),
            *((n, pa.float64()) for n in METRICS),
        ]
    )
    return rows.select(wanted.names).cast(wanted).sort_by(ORDER)


def check(catalog: Catalog, name: str, wanted: pa.Table) -> None:
    """Raise FatalError unless the table holds exactly these readings."""
    rows = found(catalog, name)
    if rows.num_rows != wanted.num_rows:
        raise FatalError(f"{wanted.num_rows} rows in {name}", f"{rows.num_rows}", "look at its log")
    for column in wanted.column_names:
        if not rows.column(column).equals(wanted.column(column)):
            raise FatalError(f"{column} in {name} as sent", "other values", "look at its log")


def row_count(catalog: Catalog, name: str) -> int:
    """How many rows the newest snapshot of a table has, by its own summary."""
    snapshot = catalog.load_table((NAMESPACE, name)).current_snapshot()
    summary = snapshot.summary if snapshot else None
    return int(summary["total-records"] or 0) if summary else 0
