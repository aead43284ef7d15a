"""A seeded week for the comparison of both modes: the same marts, row for row.

Runs first on a fresh stack, so that nothing else is in the marts. The rows are written down, and
run-tests.sh compares those of its two runs. The readings below them are compared with the
simulator's truth by DuckDB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from stack.base.root import PROJECT_ROOT
from tests.integration.lakehouse import Lakehouse

SIMULATOR = str(PROJECT_ROOT / "simulator" / "telemetry_simulator.py")
RESULTS = PROJECT_ROOT / ".stack-test" / "results"
WEEK = ["--from", "2025-03-01T00:00:00Z", "--to", "2025-03-08T00:00:00Z"]
OF_THE_LANDING = {"batch_id", "landed_at", "load_id"}
# Faults of logs without a time are open since they came; what is missing follows from the clock.
OF_THE_CLOCK = {"reasons_since", "missing_count", "completeness_pct"}
MARTS = {
    "device_daily_metrics": "where reading_date < date '2025-03-09'",
    "customer_usage_summary": "where reading_date < date '2025-03-09'",
    "device_health_status": "where device_id between 'MTR-10000' and 'MTR-10009'",
    "register_reconciliation": "where to_at < timestamp '2025-03-09 00:00 UTC'",
}


def rows(lakehouse: Lakehouse, mart: str) -> list[str]:
    """A mart's rows as text, in an order of their own, without when and in what batch they came."""
    columns = [row[0] for row in lakehouse.sql(f"show columns from iceberg.marts.{mart}")]
    kept = ", ".join(name for name in columns if name not in OF_THE_LANDING | OF_THE_CLOCK)
    found = lakehouse.sql(f"select {kept} from iceberg.marts.{mart} {MARTS[mart]}")
    return sorted(json.dumps(row, default=str) for row in found)


# A slot must be a reading unless its message was spoilt in what decides, or never sent; if it is
# one, with its true energy. Readings of clocks that are ahead lie between the half-hours.
AGAINST_TRUTH = """
with facts as (
    select kind, device_id, "from" as from_at, "to" as to_at, "true" as true_values
    from read_json($truth, format = 'newline_delimited', columns = {
        kind: 'varchar', device_id: 'varchar', "from": 'timestamptz', "to": 'timestamptz',
        "true": 'json'
    })
),
slots as (
    select device_id, epoch(to_at) as end_s, (true_values ->> 'kwh')::decimal(18, 6) as energy_kwh
    from facts where kind = 'slot'
),
spoilt as (
    select device_id, epoch(to_at) as end_s from facts where
        kind in ('malformed_json', 'silent_meter', 'future_clock')
        or (
            kind in ('wrong_type', 'missing_field')
            and true_values ->> 'field' in ('device_id', 'timestamp', 'metrics', 'energy_kwh')
        )
),
outages as (
    select device_id, epoch(from_at) as from_s, epoch(to_at) as to_s
    from facts where kind = 'outage'
),
wanted as (
    select slots.* from slots
    anti join spoilt using (device_id, end_s)
    anti join outages on slots.device_id = outages.device_id
        and slots.end_s >= outages.from_s and slots.end_s < outages.to_s
),
found as (
    select device_id, end_s, energy_kwh::decimal(18, 6) as energy_kwh
    from read_json($found, columns = {
        device_id: 'varchar', end_s: 'bigint', energy_kwh: 'varchar'
    })
    where end_s % 1800 = 0
)
select 'missing' as problem, device_id, end_s from wanted anti join found using (device_id, end_s)
union all
select 'invented', device_id, end_s from found anti join slots using (device_id, end_s)
union all
select 'wrong', found.device_id, end_s from found join slots using (device_id, end_s)
where found.energy_kwh <> slots.energy_kwh
"""
READINGS = """
select device_id, cast(to_unixtime(reading_at) as bigint), cast(energy_kwh as varchar)
from iceberg.intermediate.int_meter_readings
where reading_at > timestamp '2025-03-01 00:00 UTC'
    and reading_at <= timestamp '2025-03-08 00:00 UTC'
"""


# A register counts what is true, whichever messages were lost or late.
REGISTERS_AGAINST_TRUTH = """
with slots as (
    select
        device_id, epoch("to") as end_s, ("true" ->> 'kwh')::decimal(18, 6) as energy_kwh
    from read_json($truth, format = 'newline_delimited', columns = {
        kind: 'varchar', device_id: 'varchar', "to": 'timestamptz', "true": 'json'
    })
    where kind = 'slot'
),
spans as (
    select * from read_json($found, columns = {
        device_id: 'varchar', from_s: 'bigint', to_s: 'bigint', delta_kwh: 'decimal(18, 6)'
    })
)
select spans.device_id, spans.to_s, spans.delta_kwh, sum(slots.energy_kwh)
from spans
left join slots
    on
        spans.device_id = slots.device_id
        and slots.end_s > spans.from_s
        and slots.end_s <= spans.to_s
group by all
having spans.delta_kwh is distinct from sum(slots.energy_kwh)
"""
COUNTED_SPANS = """
select
    device_id, cast(to_unixtime(from_at) as bigint), cast(to_unixtime(to_at) as bigint),
    cast(delta_kwh as varchar)
from iceberg.marts.register_reconciliation
where to_at <= timestamp '2025-03-08 00:00 UTC' and status in ('OK', 'MISMATCH')
"""


def wrong_registers(lakehouse: Lakehouse, truth: Path, folder: Path) -> list[tuple[Any, ...]]:
    """Spans whose register did not count what the simulator's truth says."""
    names = ("device_id", "from_s", "to_s", "delta_kwh")
    spans = lakehouse.sql(COUNTED_SPANS)
    assert len(spans) > 50, "ten meters counted on seven days"
    found = folder / "spans.jsonl"
    found.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in spans))
    files = {"truth": str(truth), "found": str(found)}
    return duckdb.connect().execute(REGISTERS_AGAINST_TRUTH, files).fetchall()


def spans_of_readings(lakehouse: Lakehouse) -> int:
    """UTC days of each meter on which a register read ends, after the meter's first read."""
    reads = lakehouse.sql(
        "select device_id, reading_at from iceberg.intermediate.int_meter_readings "
        "where register_kwh is not null and reading_at < timestamp '2025-03-09 00:00 UTC'"
    )
    first = {device: min(at for other, at in reads if other == device) for device, _ in reads}
    return len(
        {
            (device, (at - timedelta(microseconds=1)).date())
            for device, at in reads
            if at > first[device]
        }
    )


def differences(lakehouse: Lakehouse, truth: Path, folder: Path) -> list[tuple[str, str, int]]:
    """Readings that are missing, invented or wrong by the simulator's truth."""
    names = ("device_id", "end_s", "energy_kwh")
    lines = [json.dumps(dict(zip(names, row, strict=True))) for row in lakehouse.sql(READINGS)]
    found = folder / "found.jsonl"
    found.write_text("\n".join(lines), encoding="utf-8")
    files = {"truth": str(truth), "found": str(found)}
    return duckdb.connect().execute(AGAINST_TRUTH, files).fetchall()


def test_a_seeded_week_fills_every_mart(lakehouse: Lakehouse, tmp_path: Path) -> None:
    settings = lakehouse.settings
    environment = os.environ | {"FLEET_SEED": "42"}
    truth = tmp_path / "truth.jsonl"
    outputs = ["--quiet", "--truth", str(truth)]
    command = [sys.executable, SIMULATOR, *WEEK, "--faults", "all=0.02", *outputs]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    lakehouse.land("telemetry_raw")
    lakehouse.land("meter_logs")
    lakehouse.round()
    assert differences(lakehouse, truth, tmp_path) == []
    assert wrong_registers(lakehouse, truth, tmp_path) == []
    marts = {mart: rows(lakehouse, mart) for mart in MARTS}
    # Seven days; three meters, of as many customers, have a clock ahead and reach an eighth.
    assert {mart: len(found) for mart, found in marts.items()} == {
        "device_daily_metrics": 73,
        "customer_usage_summary": 38,
        "device_health_status": 10,
        "register_reconciliation": spans_of_readings(lakehouse),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"marts-{settings.run_mode}.json"
    file.write_text(json.dumps(marts, indent=1), encoding="utf-8")
