"""When maintenance between rounds is due, and what its end means."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stack.maintenance.retention import Retention
from stack.maintenance.service import FAILED, OK, UNFINISHED, Upkeep, exit_code, last_run_file
from stack.maintenance.tables import State, Table
from stack.maintenance.work import Done
from stack.settings import Settings, load_settings

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
STATE = State(1, 0, 1, 1, 1, 1, 1)
DONE = Done(Table("marts", "m"), STATE, STATE)


def settings(folder: Path, interval: float) -> Settings:
    return replace(load_settings(), state_dir=folder, maintenance_interval=interval)


def upkeep(found: Settings, last: datetime | None) -> Upkeep:
    if last:
        path = last_run_file(found)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"maintained_at": last.isoformat()}))
    return Upkeep(found, lambda event, **facts: None)


@pytest.mark.parametrize(
    ("interval", "hours_ago", "expected"),
    [(7200, None, True), (7200, 1, False), (7200, 2, True), (0, None, False), (0, 900, False)],
    ids=["never done", "an hour ago", "two hours ago", "off", "off, long ago"],
)
def test_maintenance_is_due(
    tmp_path: Path, interval: float, hours_ago: float | None, expected: bool
) -> None:
    last = None if hours_ago is None else NOON - timedelta(hours=hours_ago)
    assert upkeep(settings(tmp_path, interval), last).is_due(NOON) is expected


def test_a_record_that_cannot_be_read_makes_it_due(tmp_path: Path) -> None:
    found = settings(tmp_path, 7200)
    kept = upkeep(found, NOON)
    last_run_file(found).write_text("half a rec")
    assert kept.is_due(NOON)


@pytest.mark.parametrize(
    ("done", "problems", "expected"),
    [
        (DONE, (), OK),
        (replace(DONE, is_whole=False), (), UNFINISHED),
        (replace(DONE, error="no answer", is_whole=False), (), FAILED),
        (DONE, ("offsets 3 to 6 are gone",), FAILED),
    ],
    ids=["all well", "out of time", "an error", "a topic"],
)
def test_exit_code(done: Done, problems: tuple[str, ...], expected: int) -> None:
    assert exit_code([DONE, done], [Retention("t", 168.0, problems)]) == expected
