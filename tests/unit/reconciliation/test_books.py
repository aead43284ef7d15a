"""The ledger's columns, the statements, and what is declared."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime

import pytest

from stack.books import heads, tables
from stack.books.by_hand import show
from stack.books.evidence import Difference, Head, LandedBatch, TopicState
from stack.books.ledger import expression, values
from stack.books.plan import Flow, Plan, flows_of
from stack.books.reconcile import lag
from stack.books.registers import Registers, added_up
from stack.books.report import COLUMNS, Report
from stack.rounds.project import Project
from stack.watermarks.landed import Watermark

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
GONE = Difference("t: 3", "it's 2", "look")


def test_every_field_of_a_report_is_a_column_and_the_result_too() -> None:
    assert [*COLUMNS] == [
        *("reconciled_at", "extent", "result"),
        *(f.name for f in fields(Report) if f.name not in {"reconciled_at", "extent", "held_back"}),
    ]


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("it's", "varchar", "'it''s'"),
        ({"a'b": 1}, "json", """cast(json_parse('{"a''b": 1}') as json)"""),
        ((GONE,), "json", """cast(json_parse('["wanted t: 3; found it''s 2; look"]') as json)"""),
        (NOON, "timestamp", "from_iso8601_timestamp_nanos('2026-01-02T12:00:00.000000+00:00')"),
    ],
    ids=["text", "map", "differences", "time"],
)
def test_values_are_spelled_for_trino(value: object, kind: str, expected: str) -> None:
    assert expression(value, kind) == expected


def test_a_row_has_a_value_for_every_column() -> None:
    casts = re.findall(r"\) as (?:map|array)\(", values(Report(NOON, "full")))
    plain = {"reconciled_at", "extent", "result", "counted"}
    assert len(casts) == len(COLUMNS) - len(plain)


@pytest.mark.parametrize(("differences", "expected"), [((), "balanced"), ((GONE,), "difference")])
def test_a_report_with_a_difference_says_so(
    differences: tuple[Difference, ...], expected: str
) -> None:
    assert Report(NOON, "full", differences).result == expected


def test_a_count_is_bounded_by_literals_of_the_batch_before() -> None:
    after = LandedBatch(7, "2026-01-02T04:04:05.000006+01:00")
    sql = tables.counting(tables.LANDED_SQL, "landing.t", Head(99), (after, 9), skipped="0")
    assert "from iceberg.landing.t for version as of 99" in sql
    assert "batch_id > 7 and landed_at >= timestamp '2026-01-02 03:04:05.000006 UTC'" in sql
    assert "count_if(batch_id <= 9)" in sql


def test_a_table_is_read_from_its_metadata() -> None:
    summary = {
        "total-records": "10",
        "total-position-deletes": "3",
        "total-equality-deletes": "0",
        "total-data-files": "4",
        "total-delete-files": "1",
    }
    metadata = {
        "properties": {"meterhouse.progress": "{}", "write.format.default": "PARQUET"},
        "current-snapshot-id": 12,
        "snapshots": [
            {"snapshot-id": 11, "summary": {"total-records": "1"}},
            {"snapshot-id": 12, "summary": summary},
        ],
    }
    assert heads.head_of(metadata) == Head(12, 7, 5, 2, {"meterhouse.progress": "{}"})


@pytest.mark.parametrize("newest", [{}, {"current-snapshot-id": -1}, {"current-snapshot-id": None}])
def test_a_table_without_a_commit_has_no_rows(newest: dict[str, int | None]) -> None:
    assert heads.head_of(newest) == Head(None, 0, 0, 0, {})


@pytest.mark.parametrize(
    "summary",
    [{}, {"total-records": "10", "total-equality-deletes": "1"}],
    ids=["silent", "deleted by value"],
)
def test_metadata_that_cannot_tell_the_rows_says_so(summary: dict[str, str]) -> None:
    assert heads.rows_of(summary) is None


def test_the_project_says_where_each_landed_message_ends() -> None:
    flows = {flow.topic: flow for flow in flows_of(Project().source_entries())}
    assert set(flows) == set(Project().sources())
    assert flows["telemetry_raw"].tables == (
        "landing.telemetry_raw",
        "staging.stg_telemetry_raw",
        "quality.quarantine_telemetry_raw",
        "intermediate.int_meter_readings",
    )
    assert flows["telemetry_raw"].registers == "quality.register_balance"


def test_spans_are_counted_by_status_and_differences_by_cause() -> None:
    rows = [
        ("OK", None, 40, 0.0),
        ("MISMATCH", "UNIT", 1, 2997.0),
        ("MISMATCH", "ENERGY_LOST", 2, 0.5),
        ("EXCHANGE", "ENERGY_LOST", 1, 0.25),
        ("RESET", None, 3, 0.0),
    ]
    assert added_up(rows) == Registers(
        {"OK": 40, "MISMATCH": 3, "EXCHANGE": 1, "RESET": 3}, {"UNIT": 2997.0, "ENERGY_LOST": 0.75}
    )
    assert added_up([]) == Registers()


def test_a_table_that_declares_nothing_is_not_reconciled() -> None:
    assert flows_of([{"name": "a"}, {"name": "b", "config": {"meta": {"owner": "me"}}}]) == ()


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("landing.t", True),
        ("landing.other", False),
        ("marts.device_daily_metrics", True),
        ("marts.device_daily_metrics__dbt_tmp", False),
        ("ops.reconciliation", True),
        ("ops.maintenance", False),
    ],
)
def test_what_is_watched(table: str, expected: bool) -> None:
    assert Plan((Flow("t", {"staging.t": "null"}),)).is_watched(table) is expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (TopicState("a", {0: 0, 1: 0}, {0: 5, 1: 2}), 4),
        (TopicState("a", {0: 4, 1: 0}, {0: 5, 1: 2}), 3),
        (TopicState("b", {0: 0}, {0: 9}), 0),
    ],
    ids=["behind", "retention took some", "recreated"],
)
def test_lag_is_what_kafka_holds_and_landing_does_not(state: TopicState, expected: int) -> None:
    assert sum(lag(state, Watermark(1, NOON, {0: 3}, "a")).values()) == expected


def test_a_person_is_told_what_differs_and_what_to_do() -> None:
    said: list[str] = []
    report = Report(
        NOON,
        "full",
        (GONE,),
        landed={"t": 3},
        accepted={"t": 1},
        quarantined={"t": {"not_json": 1}},
        flagged={"t": {"voltage:missing": 1}},
        register_spans={"OK": 1200, "MISMATCH": 2},
        register_difference_kwh={"UNIT": 2997.0, "ENERGY_LOST": 0.5},
        unprocessed={"t": 0},
        lost={"t": 0},
    )
    show(report, "ops.reconciliation", said.append)
    assert said == [
        "t: acknowledged not reported, landed 3, accepted 1, quarantined 1",
        "    not_json 1",
        "    flagged: voltage:missing 1",
        "register = readings, by span: MISMATCH 2, OK 1,200; ENERGY_LOST 0.500 kWh; "
        "UNIT 2,997.000 kWh",
        "✗ wanted: t: 3",
        "  found:  it's 2",
        "  next:   look",
        "✗ the books differ; row in iceberg.ops.reconciliation at 2026-01-02T12:00:00Z",
    ]
