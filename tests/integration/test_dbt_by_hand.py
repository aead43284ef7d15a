"""dbt's own commands beside run and test, by hand."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import requests

from stack.base.root import PROJECT_ROOT
from tests.integration.lakehouse import Lakehouse

# Thorough: none of them has ever failed, and each starts a dbt of its own.
pytestmark = [pytest.mark.same_in_both_modes, pytest.mark.thorough]


SERVED_SECONDS = 90.0


@pytest.fixture(scope="module")
def docs(lakehouse: Lakehouse) -> Path:
    """The folder with the documentation that dbt has made."""
    lakehouse.round()
    lakehouse.dbt("docs", "generate")
    return lakehouse.settings.state_dir / "dbt" / "by-hand"


def test_docs_describe_every_model(docs: Path) -> None:
    catalog = json.loads((docs / "catalog.json").read_text(encoding="utf-8"))
    assert catalog["errors"] is None
    described = {name.rpartition(".")[2] for name in catalog["nodes"]}
    assert {"stg_telemetry_raw", "device_daily_metrics", "stg_devices"} <= described
    columns = catalog["nodes"]["model.meterhouse.device_daily_metrics"]["columns"]
    assert columns["total_energy_kwh"]["type"].startswith("decimal")


@pytest.mark.usefixtures("docs")
def test_docs_are_served_at_a_port_of_their_own(lakehouse: Lakehouse) -> None:
    address = f"http://localhost:{lakehouse.settings.dbt_docs_port}"

    def served() -> bool:
        try:
            return "dbt" in requests.get(address, timeout=5).text
        except requests.ConnectionError:
            return False

    words = [str(PROJECT_ROOT / "bin" / "dbt"), "docs", "serve", "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            lakehouse.wait_until(served, SERVED_SECONDS)
        finally:
            process.terminate()
            said, _ = process.communicate()
    assert address.encode() in said


@pytest.mark.parametrize(
    "words",
    [("source", "freshness"), ("snapshot",), ("run", "--select", "stg_customers"), ("retry",)],
    ids=" ".join,
)
def test_a_command_ends_well(lakehouse: Lakehouse, words: tuple[str, ...]) -> None:
    lakehouse.dbt(*words)
