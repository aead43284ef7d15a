"""The status screen: what the services say of themselves, in a few words."""

from __future__ import annotations

import json
import os
from pathlib import Path

from stack.status import health_note

LANDING = {
    "state": "running",
    "reason": None,
    "last_commit_at": "2026-01-02T03:04:05+00:00",
    "commits": 7,
    "lag": 12,
}


def written(folder: Path, health: object) -> Path:
    path = folder / "lander.json"
    path.write_text(json.dumps(health))
    return path


def test_a_lander_shows_lag_and_last_commit(tmp_path: Path) -> None:
    path = written(tmp_path, {"state": "running", "topics": {"telemetry_raw": LANDING}})
    assert health_note(path) == "state running, telemetry_raw lag 12 (03:04:05)"


def test_a_waiting_topic_shows_why(tmp_path: Path) -> None:
    landing = LANDING | {"state": "waiting", "reason": "no broker"}
    path = written(tmp_path, {"state": "waiting", "topics": {"meter_logs": landing}})
    assert health_note(path) == "state waiting, meter_logs waiting: no broker"


def test_a_silent_service_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, {"state": "idle", "result": "ok"})
    os.utime(path, (0, 0))
    assert health_note(path).startswith("state idle, result ok; silent for")


def test_a_service_without_a_report_is_told(tmp_path: Path) -> None:
    assert health_note(tmp_path / "dbt.json") == "has not reported yet"
