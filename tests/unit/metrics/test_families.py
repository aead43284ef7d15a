"""Metrics say what the facts say, and the alerts ask for metrics that exist."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from stack.base.errors import RetriableError
from stack.base.root import PROJECT_ROOT
from stack.books.collector import RunnerCollector
from stack.books.facts import Facts, attempt
from stack.books.families import RESULTS
from stack.books.report import COLUMNS
from stack.rounds.outcome import Result

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
ALERTS = PROJECT_ROOT / "docs" / "alerts.yml"
NAME = re.compile(r"\bmeterhouse_\w+")
ROW: dict[str, Any] = {
    **{
        name: {"t": 1} for name, (kind, _) in COLUMNS.items() if kind.startswith("map(varchar, big")
    },
    "reconciled_at": NOON,
    "result": "balanced",
    "differences": [],
    "landed": {"t": 12},
    "lag_seconds": {"t": 1.5},
    "quarantined": {"t": {"not_json": 2}},
    "flagged": {"t": {"voltage:out_of_range": 3}},
    "register_spans": {"OK": 40, "MISMATCH": 2},
    "register_difference_kwh": {"ENERGY_LOST": 1.25},
    "table_rows": {"marts.device_daily_metrics": 7},
    "table_files": {"marts.device_daily_metrics": 3},
    "table_snapshots": {"marts.device_daily_metrics": 5},
    "model_seconds": {"device_daily_metrics": 0.25},
}
FACTS = Facts(
    up={"kafka": True, "trino": False},
    health={
        "seconds": 4.5,
        "result": "failed: stg: no such table",
        "consecutive_failures": 2,
        "last_success_at": "2026-01-02T12:00:00Z",
    },
    row=ROW,
    landed_at={"t": NOON.timestamp()},
    lag={"t": {0: 3, 1: 0}},
    held_back={"t": 2},
    backup={"taken_at": NOON.timestamp(), "fills_gap_until": NOON.timestamp() + 518_400},
)


def scraped(facts: Facts) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What Prometheus reads: (name, labels) -> value."""
    registry = CollectorRegistry()
    registry.register(RunnerCollector(lambda: facts))
    text = generate_latest(registry).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(facts: Facts, name: str, **labels: str) -> float:
    return scraped(facts)[f"meterhouse_{name}", frozenset(labels.items())]


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("lag_messages", {"topic": "t", "partition": "0"}, 3),
        ("held_back_messages", {"topic": "t"}, 2),
        ("landed_timestamp_seconds", {"topic": "t"}, 1_767_355_200),
        ("landed_messages", {"topic": "t"}, 12),
        ("quarantined_messages", {"topic": "t", "reason": "not_json"}, 2),
        ("flagged_messages", {"topic": "t", "field": "voltage", "reason": "out_of_range"}, 3),
        ("register_spans", {"status": "MISMATCH"}, 2),
        ("register_difference_kwh", {"cause": "ENERGY_LOST"}, 1.25),
        ("table_rows", {"layer": "marts", "table": "device_daily_metrics"}, 7),
        ("table_snapshots", {"layer": "marts", "table": "device_daily_metrics"}, 5),
        ("table_files", {"layer": "marts", "table": "device_daily_metrics"}, 3),
        ("round_duration_seconds", {}, 4.5),
        ("round_result", {"result": "failed"}, 1),
        ("round_result", {"result": "ok"}, 0),
        ("round_consecutive_failures", {}, 2),
        ("round_last_success_timestamp_seconds", {}, 1_767_355_200),
        ("reconciliation_differences", {}, 0),
        ("model_duration_seconds", {"model": "device_daily_metrics"}, 0.25),
        ("source_up", {"source": "trino"}, 0),
        ("backup_timestamp_seconds", {}, 1_767_355_200),
        ("backup_fills_gap_until_timestamp_seconds", {}, 1_767_873_600),
    ],
)
def test_a_metric_says_what_the_facts_say(
    name: str, labels: dict[str, str], expected: float
) -> None:
    assert value(FACTS, name, **labels) == expected


def test_differences_are_counted() -> None:
    row = ROW | {"result": "difference", "differences": ["a", "b"]}
    assert value(Facts({}, row=row), "reconciliation_differences") == 2


def test_what_nobody_knows_is_not_told() -> None:
    names = {name for name, _ in scraped(Facts({"runner": False}))}
    assert names == {"meterhouse_source_up"}


def test_every_result_of_a_round_is_known() -> None:
    assert {result.value for result in Result} == set(RESULTS)


def test_a_source_that_is_away_leaves_its_part_out_and_is_told() -> None:
    def away() -> dict[str, int]:
        raise RetriableError("Kafka", "nobody", "start it")

    up: dict[str, bool] = {}
    assert attempt(up, "trino", lambda: {"a": 1}) == {"a": 1}
    assert attempt(up, "kafka", away) == {}
    assert attempt(up, "trino", away) == {}
    assert up == {"trino": False, "kafka": False}


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_metrics_that_exist_and_says_what_to_do(alert: dict[str, Any]) -> None:
    # Prometheus's own grammar: a rule with a slip of the pen would never fire.
    asked = set(NAME.findall(promql_parser.parse(alert["expr"]).prettify()))
    assert asked
    assert asked <= {name for name, _ in scraped(FACTS)}
    assert set(alert["annotations"]) == {"promise", "next"}
    assert alert["labels"]["severity"] in {"critical", "warning"}


def test_every_metric_is_in_the_table_of_the_operations_page() -> None:
    page = (PROJECT_ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(meterhouse_\w+)", page, re.MULTILINE))
    assert documented == {name for name, _ in scraped(FACTS)}
