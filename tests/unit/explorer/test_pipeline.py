"""The balance, the lag and the last round."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from explorer import pipeline
from stack.base.settings import load_settings
from tests.unit.explorer.fakes import flow_frame


def test_the_balance_holds_only_if_every_landed_message_is_accounted_for() -> None:
    whole = pipeline.flow_of(flow_frame(accepted=83).row)
    short = pipeline.flow_of(flow_frame(accepted=82).row)
    assert whole is not None
    assert whole.is_balanced
    assert whole.waiting == 10
    assert short is not None
    assert not short.is_balanced


def test_a_difference_that_reconciliation_found_is_no_balance() -> None:
    found = pipeline.flow_of(flow_frame(83, "wanted topic t in Kafka; found none").row)
    assert found is not None
    assert not found.is_balanced
    assert found.differences == ("wanted topic t in Kafka; found none",)


def test_there_is_no_flow_before_the_first_landing() -> None:
    assert pipeline.flow_of({}) is None
    assert pipeline.flow_of(flow_frame(83).row | {"landed": None}) is None
    assert pipeline.flow_of(flow_frame(83).row | {"landed_through": None}) is None


def test_lag_counts_what_is_beyond_the_landed_offsets() -> None:
    assert pipeline.lag({0: 10, 1: 5}, {0: 7}) == 8
    # The topic grew between the two looks.
    assert pipeline.lag({0: 10}, {0: 12}) == 0


def test_the_last_round_is_read_from_the_runners_file(tmp_path: Path) -> None:
    settings = load_settings({"STATE_DIR": str(tmp_path)})
    assert not pipeline.last_round(settings).is_known
    (tmp_path / "health").mkdir()
    (tmp_path / "health" / "dbt.json").write_text(
        json.dumps(
            {
                "state": "idle",
                "result": "ok",
                "seconds": 5.5,
                "started_at": "2026-11-21T15:39:00Z",
                "next_round_at": None,
                "consecutive_failures": 0,
            }
        )
    )
    told = pipeline.last_round(settings)
    assert (told.result, told.seconds, told.next_at) == ("ok", 5.5, None)
    assert told.started_at == datetime(2026, 11, 21, 15, 39, tzinfo=UTC)
