"""The same seed gives the same marts, row for row, whichever way the stack runs.

Comes first on a fresh stack (run-tests.sh names it first), so that nothing else is in the marts.
The rows are written down; the run in the other mode compares its own with them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from stack.root import PROJECT_ROOT
from stack.runtime import COMPOSE, NATIVE
from tests.integration.lakehouse import Lakehouse

SIMULATOR = str(PROJECT_ROOT / "simulator" / "telemetry_simulator.py")
RESULTS = PROJECT_ROOT / ".stack-test" / "results"
WEEK = ["--from", "2025-03-01T00:00:00Z", "--to", "2025-03-08T00:00:00Z"]
MARTS = {
    "device_daily_metrics": "where reading_date < date '2025-03-09'",
    "customer_usage_summary": "where reading_date < date '2025-03-09'",
    "device_health_status": "where device_id between 'MTR-10000' and 'MTR-10009'",
}


def rows(lakehouse: Lakehouse, mart: str) -> list[str]:
    """A mart's rows as text, in an order of their own."""
    found = lakehouse.sql(f"select * from iceberg.marts.{mart} {MARTS[mart]}")
    return sorted(json.dumps(row, default=str) for row in found)


def results_file(mode: str) -> Path:
    return RESULTS / f"marts-{mode}.json"


def test_a_seed_gives_the_same_marts_in_both_modes(lakehouse: Lakehouse) -> None:
    settings = lakehouse.settings
    environment = os.environ | {"FLEET_SEED": "42"}
    command = [sys.executable, SIMULATOR, *WEEK, "--faults", "all=0.02", "--quiet"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    lakehouse.land("telemetry_raw")
    lakehouse.land("meter_logs")
    lakehouse.round()
    marts = {mart: rows(lakehouse, mart) for mart in MARTS}
    assert [len(found) for found in marts.values()] >= [70, 35, 10]
    RESULTS.mkdir(parents=True, exist_ok=True)
    mine, other = (COMPOSE, NATIVE) if settings.run_mode == COMPOSE else (NATIVE, COMPOSE)
    results_file(mine).write_text(json.dumps(marts, indent=1))
    # The native run comes first: there is nothing to compare with until the second one.
    if results_file(other).exists() or mine == COMPOSE:
        assert marts == json.loads(results_file(other).read_text())
