"""Offsets that hold no message: no loss, no lag, no commit of their own unless positions moved."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from lander.opening import LostMessagesError
from stack.watermarks.landed import Bounds, Watermark, may_write, plan_start
from tests.unit.lander.world import World

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
# Offset 7 holds the last landed message; 8 and 9 were read and hold none.
WATERMARK = Watermark(4, NOON, {0: 10}, "first", epochs={0: 3}, skipped={0: 2})


def test_skipped_offsets_survive_the_property() -> None:
    assert Watermark.from_json(WATERMARK.to_json()) == WATERMARK
    assert WATERMARK.ends_of("first") == {0: 8}
    assert WATERMARK.ends_of("second") == {}


def test_reading_on_without_a_message_moves_the_position() -> None:
    moved = WATERMARK.read_to({0: 12, 1: 3})

    assert (moved.offsets, moved.skipped) == ({0: 12, 1: 3}, {0: 4, 1: 3})
    assert (moved.batch_id, moved.landed_at, moved.epochs) == (4, NOON, {0: 3})
    assert WATERMARK.read_to({0: 10, 1: 0}) is WATERMARK


def test_a_message_ends_what_was_skipped_before_it() -> None:
    later = WATERMARK.following({0: 13}, NOON, "first", {0: 4})

    assert (later.offsets, later.skipped) == ({0: 13}, {})
    assert WATERMARK.following({1: 1}, NOON, "first", {}).skipped == {0: 2}
    assert WATERMARK.following({0: 1}, NOON, "second", {}).skipped == {}


def test_a_state_with_other_offsets_skipped_is_another_state() -> None:
    other = Watermark(4, NOON, {0: 10}, "first")

    assert may_write(WATERMARK, WATERMARK, [0])
    assert not may_write(WATERMARK, other, [0])


@pytest.mark.parametrize(
    ("held", "position", "reading", "lost", "skipped"),
    [
        pytest.param(Bounds(0, 10), 10, 8, None, {0: 2}, id="as-it-was"),
        pytest.param(Bounds(9, 10), 10, 9, None, {0: 2}, id="retention-of-some"),
        pytest.param(Bounds(10, 10), 10, 10, None, {0: 2}, id="retention-of-all"),
        pytest.param(Bounds(12, 20), 12, 12, (8, 11, "retention"), {}, id="retention-of-more"),
        pytest.param(Bounds(0, 9), 9, 8, (8, None, "topic truncated"), {0: 1}, id="cut-within"),
        pytest.param(Bounds(0, 5), 5, 5, (8, None, "topic truncated"), {}, id="cut-before"),
    ],
)
def test_what_was_skipped_can_go_without_a_loss(
    held: Bounds,
    position: int,
    reading: int,
    lost: tuple[int, int | None, str] | None,
    skipped: dict[int, int],
) -> None:
    start = plan_start(WATERMARK, {0: held}, "first", NOON)

    assert (start.positions, start.reading) == ({0: position}, {0: reading})
    assert [(x.first, x.last, x.reason) for x in start.losses] == ([lost] if lost else [])
    assert WATERMARK.moved_to(start.positions, "first").skipped == skipped


def test_the_marker_of_a_transaction_is_stored_with_its_messages() -> None:
    world = World()
    world.topic.send(b"a")
    world.topic.tails[0] = 2
    pair = world.lander()

    pair.land()
    pair.land()

    assert (pair.table.commits, pair.table.moves) == (1, 0)
    assert pair.reader.shown == {0: 2}
    # As retention does once the messages are old; nobody misses the marker.
    world.topic.messages[0], world.topic.earliest[0] = [], 2
    world.lander().land()
    assert world.lake.losses == []


def test_a_position_that_moved_alone_is_stored_once_its_time_is_up() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.land()
    world.topic.tails[0] = 4

    pair.steps()
    assert pair.table.moves == 0
    pair.land()
    pair.land()

    assert (pair.table.commits, pair.table.moves) == (1, 1)
    assert world.lake.watermark is not None
    assert (world.lake.watermark.offsets, world.lake.watermark.skipped) == ({0: 4, 1: 0}, {0: 3})
    assert world.lake.watermark.batch_id == 1
    world.topic.send(b"b")
    pair.land()
    assert world.lake.coordinates == [(0, 0), (0, 4)]
    assert world.lake.watermark.skipped == {}


def test_stopping_stores_a_position_that_moved_alone() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.land()
    world.topic.tails[0] = 2
    pair.steps()

    pair.lander.finish()

    assert world.lake.watermark is not None
    assert world.lake.watermark.offsets == {0: 2, 1: 0}


def test_another_lander_that_moved_on_is_not_written_over() -> None:
    world = World()
    world.topic.send(b"a")
    world.lander().land()
    pair, other = world.lander(), world.lander()
    pair.steps()
    world.topic.tails[0] = 3
    other.land()
    world.topic.send(b"b")

    pair.land()
    pair.land()

    assert world.lake.coordinates == [(0, 0), (0, 3)]


def test_a_lander_reads_skipped_offsets_again_in_case_the_log_was_cut_there() -> None:
    world = World()
    world.topic.send(b"a")
    world.topic.tails[0] = 2
    world.lander().land()
    world.topic.cut(1)
    world.topic.send(b"b", b"c")

    pair = world.lander()
    pair.land()

    assert world.lake.coordinates == [(0, 0), (0, 1), (0, 2)]
    assert pair.reader.started_with[0] == 0


def test_a_lander_away_while_retention_took_the_marker_cannot_tell_it_from_a_message() -> None:
    """The one case that is left: no reader has seen the marker at offset 1."""
    world = World()
    world.topic.send(b"a")
    world.lander().land()
    world.topic.messages[0], world.topic.earliest[0] = [], 2

    with pytest.raises(LostMessagesError, match="offsets 1 to 1: retention"):
        world.lander().land()


def test_a_run_until_caught_up_names_what_an_open_transaction_holds_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.topic.send(b"a")
    world.topic.held_back[0] = 2
    pair = world.lander(stop_at_end=True)

    with caplog.at_level(logging.WARNING, "lander"):
        pair.steps()

    assert pair.lander.is_finished
    (record,) = caplog.records
    assert "partition=0 first_offset=1 last_offset=2 reason=an open transaction" in record.message
