"""What a replay asks of the models, and how quarantine is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from stack.rounds.command import moment
from stack.rounds.replay import Request, reason_cells

SEEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_replay_of_everything_names_no_limit() -> None:
    assert Request().to_sql() == "true"


def test_limits_are_handed_on_in_utc_and_reasons_as_text() -> None:
    berlin = datetime(2026, 1, 2, 1, tzinfo=timezone(timedelta(hours=1)))
    assert Request(("unknown_device", "it's odd"), berlin, SEEN).to_sql() == (
        "true and reason in ('unknown_device', 'it''s odd')"
        " and kafka_at >= timestamp '2026-01-02 00:00:00.000000 UTC'"
        " and kafka_at < timestamp '2026-01-02 03:04:05.000000 UTC'"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-01-02T03:04:05+00:00", SEEN),
    ],
    ids=["a day", "with its zone"],
)
def test_a_time_without_a_zone_is_utc(text: str, expected: datetime) -> None:
    assert moment(text) == expected


def test_control_characters_of_an_example_do_not_reach_the_terminal() -> None:
    row = ["not_json", 3, SEEN, SEEN, [4, 17], "a\x1b[31m\nb\x7f"]
    assert reason_cells(row) == (
        "not_json",
        "3",
        "2026-01-02 03:04:05",
        "2026-01-02 03:04:05",
        "partition 4, offset 17",
        '"a\\u001b[31m\\nb\\u007f"',
    )


def test_a_tombstone_is_told_as_null() -> None:
    assert reason_cells(["not_json", 1, SEEN, SEEN, (0, 0), None])[-1] == "null"


def test_messages_without_a_time_are_told() -> None:
    assert reason_cells(["not_json", 1, None, None, (0, 0), ""])[2:4] == ("-", "-")
