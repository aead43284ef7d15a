"""The readings that all compared loaders must load, and the lander's ratios to them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benchmarks.comparison import BARE, LANDER, SINK, TRINO, lines
from benchmarks.connect_sink import LOCK_FILE
from benchmarks.peers import parsed
from benchmarks.processes import Cost, since
from stack.programs.maven import read_lock

READING = (
    '{"device_id": "MTR-1", "customer_id": "CUST-1", "timestamp": "2025-12-01T00:00:07Z", '
    '"metrics": {"energy_kwh": 0.125, "voltage": 230.1, "battery_pct": 80}, "status": "OK"}'
)


def test_expected_readings_are_typed() -> None:
    assert parsed([READING]).to_pylist() == [
        {
            "device_id": "MTR-1",
            "customer_id": "CUST-1",
            "status": "OK",
            "reading_at": datetime(2025, 12, 1, 0, 0, 7, tzinfo=UTC),
            "energy_kwh": 0.125,
            "voltage": 230.1,
            "battery_pct": 80.0,
        }
    ]


def test_ratios_are_of_one_run() -> None:
    other = Cost(20.0, 18.0, 1500.0)
    costs = {
        LANDER: Cost(10.0, 6.0, 500.0),
        BARE: Cost(9.0, 4.0, 500.0),
        **dict.fromkeys((*SINK, *TRINO), other),
    }

    found = {figure.name: figure for figure in lines(2_000_000, costs)}

    assert found["lander: processor time"].value == 3.0
    assert found["lander: rows a second"].value == 200_000
    assert found[f"lander / {SINK[1]}: processor time"].value == pytest.approx(1 / 3)
    assert found[f"lander / {SINK[1]}: processor time"].verdict == "met"
    assert found[f"lander / {SINK[1]}: rows a second"].value == 2.0
    assert found[f"lander / {BARE}: processor time"].verdict == "**not met**"


def test_a_warm_load_is_what_came_on_top() -> None:
    assert since(Cost(10.0, 4.0, 700.0), Cost(25.0, 9.0, 800.0)) == Cost(15.0, 5.0, 800.0)


def test_sink_is_locked_apart_from_what_every_user_fetches() -> None:
    artifacts = read_lock(LOCK_FILE)

    assert {artifact.part for artifact in artifacts} == {"sink"}
    assert "iceberg-kafka-connect" in {artifact.name for artifact in artifacts}
    assert all(len(artifact.sha256) == 64 for artifact in artifacts)
