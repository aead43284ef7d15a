"""When maintenance between rounds is due, and what its end means."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError
from stack.base.settings import Settings, load_settings
from stack.maintenance.policy import Policy
from stack.maintenance.program import (
    FAILED,
    OK,
    UNFINISHED,
    MaintenanceRequest,
    exit_code,
    left_over,
    request_from,
)
from stack.maintenance.retention import Retention
from stack.maintenance.service import Upkeep, chosen, last_run_file, left_first
from stack.maintenance.tables import Table, TableState
from stack.maintenance.work import Done

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
STATE = TableState(1, 0, 1, 1, 1, 1, 1)
DONE = Done(Table("marts", "m"), STATE, STATE)


def settings(folder: Path, interval: float) -> Settings:
    return replace(load_settings(), state_dir=folder, maintenance_interval=interval)


def upkeep(found: Settings, last: datetime | None) -> Upkeep:
    if last:
        path = last_run_file(found.state_dir)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"maintained_at": last.isoformat()}))
    return Upkeep(found, lambda event, **facts: None)


@pytest.mark.parametrize(
    ("interval", "hours_ago", "expected"),
    [(7200, 1, False), (7200, 2, True), (0, 900, False)],
    ids=["an hour ago", "two hours ago", "off, long ago"],
)
def test_maintenance_is_due(
    tmp_path: Path, interval: float, hours_ago: float, expected: bool
) -> None:
    last = NOON - timedelta(hours=hours_ago)
    assert upkeep(settings(tmp_path, interval), last).is_due(NOON) is expected


@pytest.mark.parametrize("content", [None, "half a rec"], ids=["no record", "half a record"])
def test_without_a_record_the_time_counts_from_now_on(tmp_path: Path, content: str | None) -> None:
    found = settings(tmp_path, 7200)
    kept = upkeep(found, NOON)
    path = last_run_file(found.state_dir)
    path.unlink() if content is None else path.write_text(content)
    assert not kept.is_due(NOON)
    assert not kept.is_due(NOON + timedelta(hours=1))
    assert kept.is_due(NOON + timedelta(hours=2))


def test_a_runner_that_is_to_end_begins_no_maintenance(tmp_path: Path) -> None:
    told: list[str] = []
    found = settings(tmp_path, 7200)
    upkeep(found, NOON)
    kept = Upkeep(found, lambda event, **facts: told.append(event))
    kept.after_round(lambda: True, lambda: None, NOON + timedelta(days=1))
    assert told == []


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


def test_a_run_by_hand_takes_the_named_tables_or_all() -> None:
    found = [Table("marts", "m"), Table("staging", "s")]
    assert chosen(found, {"staging.s"}) == [Table("staging", "s")]
    assert chosen(found, set()) == found


def test_a_name_that_no_table_has_is_an_error_that_lists_the_tables() -> None:
    with pytest.raises(ConfigurationError, match=r"marts\.m, staging\.s; found m, x"):
        chosen([Table("staging", "s"), Table("marts", "m")], {"x", "m", "staging.s"})


def test_tables_that_a_run_left_over_come_first_in_the_next(tmp_path: Path) -> None:
    names = (("landing", "l"), ("marts", "m"), ("ops", "o"), ("staging", "s"))
    found = [Table(*name) for name in names]
    failed = Done(found[0], STATE, STATE, error="no memory", is_whole=False)
    begun = Done(found[1], STATE, STATE, ("compact",), is_whole=False)
    untouched = Done(found[2], STATE, STATE, is_whole=False)
    results = [failed, begun, untouched, Done(found[3], STATE, STATE)]
    rest = tmp_path / "left_over.json"
    assert left_first(found, rest) == found
    rest.write_text(json.dumps(left_over(results)))
    assert left_first(found, rest) == [found[2], found[1], found[0], found[3]]


@pytest.mark.parametrize("content", ["", "{", "3", '["gone.table"]'])
def test_a_list_of_tables_left_over_that_says_nothing_changes_no_order(
    tmp_path: Path, content: str
) -> None:
    found = [Table("landing", "l"), Table("marts", "m")]
    rest = tmp_path / "left_over.json"
    rest.write_text(content)
    assert left_first(found, rest) == found


def test_a_request_is_the_same_in_the_program_that_does_it() -> None:
    policy = Policy(snapshot_hours=12, orphan_hours=48, file_mb=128)
    request = MaintenanceRequest(
        (("marts", "m"),), policy, 30.0, "/state/left_over.json", is_logged=True
    )
    assert request_from(request.to_json()) == request
