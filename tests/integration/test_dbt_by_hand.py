"""dbt's own commands beside run and test, by hand."""

from __future__ import annotations

import json

import pytest

from tests.integration.lakehouse import Lakehouse

# Thorough: none of them has ever failed, and each starts a dbt of its own.
pytestmark = [pytest.mark.same_in_both_modes, pytest.mark.thorough]


def test_docs_describe_every_model(lakehouse: Lakehouse) -> None:
    lakehouse.round()
    lakehouse.dbt("docs", "generate")
    folder = lakehouse.settings.state_dir / "dbt" / "by-hand"
    catalog = json.loads((folder / "catalog.json").read_text(encoding="utf-8"))
    assert catalog["errors"] is None
    described = {name.rpartition(".")[2] for name in catalog["nodes"]}
    assert {"stg_telemetry_raw", "device_daily_metrics", "stg_devices"} <= described
    columns = catalog["nodes"]["model.meterhouse.device_daily_metrics"]["columns"]
    assert columns["total_energy_kwh"]["type"].startswith("decimal")


@pytest.mark.parametrize(
    "words",
    [("source", "freshness"), ("snapshot",), ("run", "--select", "stg_customers"), ("retry",)],
    ids=" ".join,
)
def test_a_command_ends_well(lakehouse: Lakehouse, words: tuple[str, ...]) -> None:
    lakehouse.dbt(*words)
