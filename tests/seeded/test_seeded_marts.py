"""A seeded week for the comparison of both modes: the same marts, row for row.

Runs first on a fresh stack, so that nothing else is in the marts. The rows are written down, and
run-tests.sh compares those of its two runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from stack.base.root import PROJECT_ROOT
from tests.integration.lakehouse import Lakehouse

SIMULATOR = str(PROJECT_ROOT / "simulator" / "telemetry_simulator.py")
RESULTS = PROJECT_ROOT / ".stack-test" / "results"
WEEK = ["--from", "2025-03-01T00:00:00Z", "--to", "2025-03-08T00:00:00Z"]
OF_THE_LANDING = {"batch_id", "landed_at", "load_id"}
MARTS = {
    "device_daily_metrics": "where reading_date < date '2025-03-09'",
    "customer_usage_summary": "where reading_date < date '2025-03-09'",
    "device_health_status": "where device_id between 'MTR-10000' and 'MTR-10009'",
}


def rows(lakehouse: Lakehouse, mart: str) -> list[str]:
    """A mart's rows as text, in an order of their own, without when and in what batch they came."""
    columns = [row[0] for row in lakehouse.sql(f"show columns from iceberg.marts.{mart}")]
    kept = ", ".join(name for name in columns if name not in OF_THE_LANDING)
    found = lakehouse.sql(f"select {kept} from iceberg.marts.{mart} {MARTS[mart]}")
    return sorted(json.dumps(row, default=str) for row in found)


def test_a_seeded_week_fills_every_mart(lakehouse: Lakehouse) -> None:
    settings = lakehouse.settings
    environment = os.environ | {"FLEET_SEED": "42"}
    command = [sys.executable, SIMULATOR, *WEEK, "--faults", "all=0.02", "--quiet"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    lakehouse.land("telemetry_raw")
    lakehouse.land("meter_logs")
    lakehouse.round()
    marts = {mart: rows(lakehouse, mart) for mart in MARTS}
    assert {mart: len(found) for mart, found in marts.items()} == {
        "device_daily_metrics": 80,
        "customer_usage_summary": 40,
        "device_health_status": 10,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"marts-{settings.run_mode}.json"
    file.write_text(json.dumps(marts, indent=1), encoding="utf-8")
