"""Landers as members of a group: shared topics, rebalances, and who is left out."""

from __future__ import annotations

import pytest

from lander.group_watch import ASK_SECONDS, LEFT_OUT_SECONDS, LeftOutError
from tests.unit.lander.world import World


def test_two_landers_share_a_table() -> None:
    world = World()
    world.topic.send(b"a", b"b", partition=0)
    world.topic.send(b"c", partition=1)
    left, right = world.lander(0), world.lander(1)
    left.steps()
    right.steps()
    world.clock.pass_seconds(6)

    left.steps()
    right.steps()

    assert world.lake.coordinates == [(0, 0), (0, 1), (1, 0)]
    assert world.lake.watermark is not None
    assert world.lake.watermark.offsets == {0: 2, 1: 1}
    assert sorted({batch for batch, *_ in world.lake.rows}) == [1, 2]


def test_a_lander_that_slept_through_a_rebalance_duplicates_nothing() -> None:
    world = World()
    world.topic.send(b"a", b"b")
    sleeper = world.lander(0)
    sleeper.steps()
    world.lander(0).land()

    world.clock.pass_seconds(60)
    sleeper.steps()
    world.topic.send(b"c")
    sleeper.land()

    assert world.lake.coordinates == [(0, 0), (0, 1), (0, 2)]


def test_a_sleeper_is_not_misled_by_a_partition_without_rows_of_its_own() -> None:
    world = World()
    world.topic.send(b"a", partition=0)
    sleeper = world.lander(0, 1)
    sleeper.steps()
    world.topic.send(b"b", partition=1)
    world.lander(1).land()

    sleeper.land()
    sleeper.land()

    assert world.lake.coordinates == [(0, 0), (1, 0)]


def test_a_rebalance_drops_what_is_not_committed_and_starts_from_the_table() -> None:
    world = World()
    world.topic.send(b"a", partition=0)
    world.topic.send(b"b", partition=1)
    pair = world.lander(0, 1)
    pair.steps()

    pair.reader.assign(1)
    pair.land()

    assert world.lake.coordinates == [(1, 0)]


def test_a_lander_left_out_by_its_group_for_long_gives_up() -> None:
    pair = World().lander()
    pair.reader.assign()
    pair.reader.is_left_out_by_group = True
    pair.clock.pass_seconds(ASK_SECONDS)
    pair.steps()
    pair.clock.pass_seconds(LEFT_OUT_SECONDS - 1)
    pair.steps()

    pair.clock.pass_seconds(ASK_SECONDS)
    with pytest.raises(LeftOutError, match="partitions of topic lines"):
        pair.steps()


@pytest.mark.parametrize("reassigned", [(0,), ()])
def test_a_lander_without_partitions_stays_while_others_hold_them(
    reassigned: tuple[int, ...],
) -> None:
    """Left out for a moment, then with a share again or with nothing left to have."""
    pair = World().lander()
    pair.reader.assign()
    pair.reader.is_left_out_by_group = True
    pair.clock.pass_seconds(ASK_SECONDS)
    pair.steps()
    pair.reader.assign(*reassigned)
    pair.reader.is_left_out_by_group = False
    pair.clock.pass_seconds(ASK_SECONDS)
    pair.steps()
    pair.reader.assign()
    pair.reader.is_left_out_by_group = True
    for _ in range(2):
        pair.clock.pass_seconds(ASK_SECONDS)
        pair.steps()

    assert pair.lander.health.state == "waiting"
