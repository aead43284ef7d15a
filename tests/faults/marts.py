"""Whether the marts of some meters equal what DuckDB makes of the producer's ledger."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.faults.meters import Ledger, Meters, Rows
from tests.integration.lakehouse import Lakehouse

# In this order: each reads what those before it have found.
REBUILDS = tuple(
    Path(__file__).with_name(name)
    for name in (
        "rebuild.sql",
        "registers.sql",
        "rebuild_slots.sql",
        "rebuild_completeness.sql",
        "rebuild_health.sql",
    )
)
PROGRESS_PROPERTY = "meterhouse.progress"
# Tables, and the columns that tell their rows apart; the values of the first one are ours alone.
MARTS = {
    "device_daily_metrics": ("device_id", "reading_date"),
    "customer_usage_summary": ("customer_id", "reading_date"),
    "device_health_status": ("device_id",),
    "int_interval_reads": ("device_id", "channel", "slot_start_at"),
    "int_energy_days": ("device_id", "channel", "local_date"),
    "read_completeness": ("device_id", "channel", "local_date"),
    "register_reconciliation": ("device_id", "channel", "from_at"),
}
# Numbers and times of the landing, which no ledger of a producer can know.
OF_THE_LANDING = {"batch_id", "landed_at", "load_id"}
# Quotients of floating point numbers: their last digit may be rounded either way.
TOLERANCES = {"battery_trend_pct_per_day": 0.001, "ratio": 1e-9}
SHOWN_ROWS = 3
INPUTS = """
set timezone = 'UTC';
create table message (part integer, pos bigint, came_at timestamptz, body varchar);
create table event (meter varchar, kind varchar, said_at timestamptz, came_at timestamptz);
create table meter (
    id varchar, customer_id varchar, nominal_v integer, service_kw double, minutes integer,
    multiplier integer, digits integer, zone varchar, installed_at timestamptz
);
create table stay (
    meter varchar, place varchar, minutes integer, came_at timestamptz, left_at timestamptz
);
create table place (id varchar, zone varchar, since timestamptz);
create table contract (place varchar, customer_id varchar, first_day date, day_after date);
create table clock (now timestamptz);
"""

Row = dict[str, Any]


def rebuilt(ledger: Ledger, master_data: Rows, now: datetime) -> dict[str, list[Row]]:
    """Each mart's rows, from the ledger and master data alone.

    master_data: by table of the rebuild; now: what counts as the present.
    """
    with closing(duckdb.connect()) as engine:
        engine.execute(INPUTS)
        messages = [(part, pos, moment(ms), body) for part, pos, ms, body in ledger.readings]
        events = [
            (event.device_id, event.event_type, event.at, moment(ms)) for event, ms in ledger.events
        ]
        inputs: dict[str, Sequence[tuple[Any, ...]]] = {
            "message": messages,
            "event": events,
            "clock": [(now,)],
            **master_data,
        }
        for table, rows in inputs.items():
            if not rows:
                continue
            marks = ", ".join("?" * len(rows[0]))
            engine.executemany(f"insert into {table} values ({marks})", list(rows))
        for rebuild in REBUILDS:
            engine.execute(rebuild.read_text(encoding="utf-8"))
        found = {}
        for mart in MARTS:
            answer = engine.execute(f"select * from {mart}")
            names = [column[0] for column in answer.description]
            found[mart] = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        return found


def moment(milliseconds: int) -> datetime:
    """A time of Kafka's."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def present(lakehouse: Lakehouse) -> datetime:
    """What counts as now in the mart of meter health: the newest landing when it was made."""
    text = lakehouse.value(
        'select value from iceberg.marts."device_health_status$properties" '
        f"where key = '{PROGRESS_PROPERTY}'"
    )
    # As the models write times: timestamp '2026-01-08 00:00:00.000000 UTC'.
    moment_text = json.loads(text)["as_of"].split("'")[1].removesuffix(" UTC")
    return datetime.fromisoformat(moment_text).replace(tzinfo=UTC)


def stored(lakehouse: Lakehouse, meters: Meters, mart: str) -> list[Row]:
    """A mart's rows of the meters, without what is of the landing."""
    table = f"iceberg.{'intermediate' if mart.startswith('int_') else 'marts'}.{mart}"
    columns = [
        row[0]
        for row in lakehouse.sql(f"show columns from {table}")
        if row[0] not in OF_THE_LANDING
    ]
    owner = MARTS[mart][0]
    ours = meters.devices if owner == "device_id" else meters.customers
    listed = ", ".join(f"'{each}'" for each in ours)
    rows = lakehouse.sql(f"select {', '.join(columns)} from {table} where {owner} in ({listed})")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def differences(lakehouse: Lakehouse, meters: Meters) -> list[str]:
    """What of the marts differs from the rebuild; none if they are the same, row for row."""
    wanted = rebuilt(meters.ledger, meters.master_data(), present(lakehouse))
    found: list[str] = []
    for mart in MARTS:
        rows = stored(lakehouse, meters, mart)
        assert wanted[mart], f"the ledger makes no row of {mart}: it proves nothing"
        found += compared(mart, keyed(mart, rows), keyed(mart, wanted[mart]))
    return found


def keyed(mart: str, rows: list[Row]) -> dict[tuple[str, ...], Row]:
    """Rows by what they are of; two of one key are an error of their own."""
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        key = tuple(str(row[name]) for name in MARTS[mart])
        assert key not in found, f"two rows of {key}"
        found[key] = row
    return found


def compared(
    mart: str, stored_rows: dict[tuple[str, ...], Row], wanted: dict[tuple[str, ...], Row]
) -> list[str]:
    """The differences of one mart in words, the first few of them."""
    found = []
    for key in sorted(stored_rows.keys() | wanted.keys()):
        ours, theirs = stored_rows.get(key), wanted.get(key)
        if ours is None or theirs is None:
            found.append(f"{mart} {key}: {'missing' if ours is None else 'not in the rebuild'}")
            continue
        assert ours.keys() == theirs.keys(), f"columns of {mart}: {ours.keys() ^ theirs.keys()}"
        found += [
            f"{mart} {key} {name}: {ours[name]!r}, by the rebuild {theirs[name]!r}"
            for name in ours
            if not agree(name, ours[name], theirs[name])
        ]
    more = [f"{mart}: {len(found)} differences in all"] if len(found) > SHOWN_ROWS else []
    return found[:SHOWN_ROWS] + more


def agree(name: str, ours: Any, theirs: Any) -> bool:
    """Whether two values are one."""
    if name in TOLERANCES and ours is not None and theirs is not None:
        return math.isclose(ours, theirs, rel_tol=0, abs_tol=TOLERANCES[name])
    return bool(ours == theirs)
