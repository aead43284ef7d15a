"""The record of the last good round survives a restart and is never half believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stack.rounds import seen
from stack.rounds.decision import Seen

RECORD = Seen(
    landing={"telemetry_raw": "s3://lakehouse/v7"},
    model_tables=("marts.device_daily_metrics",),
    counted="a",
    all="b",
    newest_at="2026-01-01 00:00:00.5+00",
    project="c",
)


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "dbt" / "seen.json"
    seen.save(path, RECORD)
    assert seen.load(path) == RECORD


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param('{"landing": {}', id="cut-off"),
        pytest.param("[]", id="no-object"),
        pytest.param('{"landing": {}}', id="fields-missing"),
        pytest.param(
            '{"landing": [], "model_tables": [], "counted": "", "all": "", "newest_at": "",'
            ' "project": ""}',
            id="landing-no-object",
        ),
    ],
)
def test_record_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "seen.json"
    path.write_text(text)
    assert seen.load(path) is None


def test_record_that_is_missing_is_none(tmp_path: Path) -> None:
    assert seen.load(tmp_path / "seen.json") is None


def test_record_keeps_everything_but_its_currency_when_dbt_ran_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    seen.save(path, RECORD)
    seen.mark_stale(path)
    assert seen.load(path) == replace(RECORD, is_current=False)


def test_record_is_not_invented_when_dbt_ran_by_hand_first(tmp_path: Path) -> None:
    seen.mark_stale(tmp_path / "seen.json")
    assert list(tmp_path.iterdir()) == []
