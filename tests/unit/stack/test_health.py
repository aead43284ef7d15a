"""Health files: what a service says of itself, and whether it is well."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stack.base import health
from stack.base.settings import load_settings
from stack.modes import native
from stack.programs.paths import paths_of
from stack.programs.supervision import Process

LANDING = {
    "state": "running",
    "reason": None,
    "last_commit_at": "2026-01-02T03:04:05+00:00",
    "commits": 7,
    "lag": 12,
}


def written(folder: Path, content: object) -> Path:
    path = folder / "lander.json"
    path.write_text(json.dumps(content))
    return path


def test_a_lander_shows_lag_and_last_commit(tmp_path: Path) -> None:
    path = written(tmp_path, {"state": "running", "topics": {"telemetry_raw": LANDING}})
    assert health.note(path) == "state running, telemetry_raw lag 12 (03:04:05)"


def test_a_waiting_topic_shows_why(tmp_path: Path) -> None:
    landing = LANDING | {"state": "waiting", "reason": "no broker"}
    path = written(tmp_path, {"state": "waiting", "topics": {"meter_logs": landing}})
    assert health.note(path) == "state waiting, meter_logs waiting: no broker"


def test_a_silent_service_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, {"state": "idle", "result": "ok"})
    os.utime(path, (0, 0))
    assert health.note(path).startswith("state idle, result ok; silent for")


def test_a_service_without_a_report_is_told(tmp_path: Path) -> None:
    assert health.note(tmp_path / "dbt.json") == "has not reported yet"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"state": "running", "topics": {"telemetry_raw": LANDING}}, True),
        ({"state": "waiting", "topics": {"a": LANDING | {"state": "waiting"}}}, False),
        ({"state": "failed", "topics": {"a": LANDING | {"state": "failed"}}}, False),
        ({"state": "idle", "result": "ok", "consecutive_failures": 0}, True),
        ({"state": "waiting", "consecutive_failures": 0}, True),
        ({"state": "running", "consecutive_failures": 1}, False),
        ({"state": "failed", "consecutive_failures": 2}, False),
        ({"state": "off"}, True),
        ({"state": "stopped"}, False),
        ({}, False),
    ],
    ids=[
        "lander at work",
        "lander without Kafka",
        "lander that failed",
        "round went well",
        "round waits for landing",
        "round runs after a failed one",
        "round failed",
        "rounds are off",
        "stopped",
        "no report",
    ],
)
def test_health_is_good_only_while_the_work_is_done(
    tmp_path: Path, content: dict[str, object], expected: bool
) -> None:
    assert health.is_good(written(tmp_path, content)) is expected


def test_a_silent_service_is_not_well(tmp_path: Path) -> None:
    path = written(tmp_path, {"state": "idle"})
    os.utime(path, (0, 0))
    assert not health.is_good(path)


@pytest.mark.parametrize(
    ("name", "up_and_age_seconds", "content", "expected"),
    [
        ("lander", (600, 1), {"state": "running", "topics": {"a": LANDING}}, True),
        ("lander", (600, 1), {"state": "failed", "topics": {}}, False),
        ("lander", (600, 300), {"state": "running", "topics": {"a": LANDING}}, False),
        ("lander", (600, 0), None, False),
        ("dbt", (600, 1), {"state": "idle", "consecutive_failures": 1}, False),
        ("lander", (5, 0), None, True),
        ("lander", (5, 8), {"state": "stopped", "topics": {}}, True),
        ("lander", (5, 2), {"state": "failed", "topics": {}}, False),
        ("explorer", (600, 0), None, True),
    ],
    ids=[
        "at work",
        "failed",
        "silent",
        "says nothing",
        "rounds fail",
        "just started",
        "just started after a stop",
        "failed at once",
        "page",
    ],
)
def test_a_native_service_is_well_if_it_says_so(
    tmp_path: Path,
    name: str,
    up_and_age_seconds: tuple[float, float],
    content: dict[str, object] | None,
    expected: bool,
) -> None:
    paths = paths_of(replace(load_settings(), state_dir=tmp_path))
    up_seconds, age_seconds = up_and_age_seconds
    if content is not None:
        paths.health.mkdir()
        report = paths.health / f"{name}.json"
        report.write_text(json.dumps(content))
        written_at = time.time() - age_seconds
        os.utime(report, (written_at, written_at))
    address = "http://localhost:1" if name == "explorer" else ""
    process = Process(name, "RUNNING", 1, 1.0, up_seconds)
    assert native.state_of(process, address, paths).is_good is expected
    assert not native.state_of(replace(process, status="BACKOFF"), address, paths).is_good
