"""Whether Kafka keeps what has not landed, judged from offsets and settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stack.maintenance.retention import Held, judge
from stack.watermarks.landed import Watermark

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
WEEK = {
    "retention.ms": "604800000",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
}


def watermark(hours_ago: float, **offsets: int) -> Watermark:
    numbers = {int(name[1:]): offset for name, offset in offsets.items()}
    return Watermark(1, NOON - timedelta(hours=hours_ago), numbers, "first")


def test_what_has_all_landed_has_the_whole_retention_to_spare() -> None:
    found = judge("t", watermark(100, p0=10), Held(WEEK, {0: (4, 10)}), NOON)
    assert (found.hours, found.problems) == (168, ())


def test_what_waits_has_the_time_since_the_last_commit_less() -> None:
    found = judge("t", watermark(20, p0=9), Held(WEEK, {0: (4, 10)}), NOON)
    assert (found.hours, found.problems) == (148, ())


def test_a_lander_that_is_away_too_long_is_told_before_it_is_overtaken() -> None:
    found = judge("t", watermark(150, p0=9), Held(WEEK, {0: (4, 10)}), NOON)
    assert found.hours == 18
    assert found.problems == ("under 24 h: start the lander or raise retention.ms",)


def test_an_overtaken_partition_is_named_with_what_is_gone() -> None:
    bounds = {0: (4, 10), 1: (7, 9)}
    found = judge("t", watermark(1, p0=4, p1=3), Held(WEEK, bounds), NOON)
    assert found.problems == ("partition 1: offsets 3 to 6 are gone",)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"cleanup.policy": "compact,delete"}, "cleanup.policy compact"),
        ({"retention.bytes": "1000000"}, "retention.bytes"),
        ({"retention.ms": "3600000"}, "under 24 h"),
        ({"message.timestamp.type": "CreateTime"}, "message.timestamp.type is not LogAppendTime"),
    ],
    ids=["compaction", "by size", "an hour", "senders' time"],
)
def test_a_setting_that_deletes_too_soon_is_named(change: dict[str, str], problem: str) -> None:
    found = judge("t", watermark(0, p0=10), Held(WEEK | change, {0: (0, 10)}), NOON)
    assert found.problems[0].startswith(problem)


def test_a_topic_kept_for_ever_has_no_limit() -> None:
    held = Held(WEEK | {"retention.ms": "-1"}, {0: (0, 10)})
    found = judge("t", watermark(1000, p0=5), held, NOON)
    assert (found.hours, found.problems) == (None, ())
    assert str(found) == "topic t: without limit"
