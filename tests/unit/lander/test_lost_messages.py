"""What Kafka no longer holds stops a lander, until a person accepts that; nothing lands twice."""

from __future__ import annotations

import pytest

from lander.opening import LostMessagesError
from tests.unit.lander.world import World


def lose_messages(world: World) -> None:
    """Land two messages, then let retention take the next three."""
    world.topic.send(b"a", b"b")
    world.lander().land()
    world.topic.earliest[0] = 5
    world.topic.messages[0] = [(5, b"f")]


def test_lost_messages_stop_the_lander_and_are_recorded() -> None:
    world = World()
    lose_messages(world)

    with pytest.raises(LostMessagesError, match="offsets 2 to 4: retention"):
        world.lander().land()

    assert [(x.first, x.last, x.is_accepted) for x in world.lake.losses] == [(2, 4, False)]
    assert world.lake.coordinates == [(0, 0), (0, 1)]


def test_accepted_losses_are_recorded_with_the_rows_after_them() -> None:
    world = World()
    lose_messages(world)

    world.lander(accept_loss=True).land()

    assert [(x.first, x.last, x.is_accepted) for x in world.lake.losses] == [(2, 4, True)]
    assert world.lake.coordinates == [(0, 0), (0, 1), (0, 5)]


def test_an_accepted_loss_is_remembered_where_no_message_follows_it() -> None:
    world = World()
    world.topic.send(b"a", b"b")
    world.lander().land()
    world.topic.messages[0], world.topic.earliest[0] = [], 5

    with pytest.raises(LostMessagesError, match="offsets 2 to 4: retention"):
        world.lander(stop_at_end=True).land()
    world.lander(stop_at_end=True, accept_loss=True).land()
    world.lander().land()
    world.topic.send(b"f")
    world.lander().land()

    assert [(x.first, x.last, x.is_accepted) for x in world.lake.losses] == [(2, 4, True)]
    assert world.lake.coordinates == [(0, 0), (0, 1), (0, 5)]


def test_an_empty_recreated_topic_is_no_end_of_a_run_until_it_is_accepted() -> None:
    world = World()
    world.topic.send(b"a", b"b")
    world.lander().land()
    world.topic.id, world.topic.messages = "second", {0: []}

    with pytest.raises(LostMessagesError, match="recreated"):
        world.lander(stop_at_end=True).land()
    pair = world.lander(stop_at_end=True, accept_loss=True)
    pair.land()
    assert pair.lander.is_finished
    world.lander().land()

    assert {(x.partition, x.first, x.is_accepted) for x in world.lake.losses} == {
        (0, 2, True),
        (1, 0, True),
    }
    assert world.lake.watermark is not None
    assert (world.lake.watermark.topic_id, world.lake.watermark.offsets) == ("second", {0: 0})


def test_a_truncated_topic_is_not_landed_again_once_that_is_accepted() -> None:
    world = World()
    world.topic.send(b"a", b"b", b"c")
    world.lander().land()
    world.topic.messages[0] = world.topic.messages[0][:1]

    with pytest.raises(LostMessagesError, match="truncated"):
        world.lander().land()
    world.lander(stop_at_end=True, accept_loss=True).land()
    world.topic.send(b"new")
    world.lander().land()

    assert [message for *_, message in world.lake.rows] == ["a", "b", "c", "new"]


def test_a_cut_that_new_messages_hide_is_noticed_and_nothing_is_left_out() -> None:
    world = World()
    world.topic.send(b"a", b"b", b"c")
    world.lander().land()
    world.topic.cut(1)
    world.topic.send(b"d", b"e", b"f", b"g")

    with pytest.raises(LostMessagesError, match="offsets 3 to unknown: topic truncated"):
        world.lander().land()
    assert [(x.first, x.is_accepted) for x in world.lake.losses] == [(3, False)]
    world.lander(accept_loss=True).land()
    world.lander().land()

    assert [message for *_, message in world.lake.rows] == [*"abc", *"defg"]
    assert [(x.first, x.is_accepted) for x in world.lake.losses] == [(3, True)]


def test_a_new_leader_that_lost_nothing_is_no_cut() -> None:
    world = World()
    world.topic.send(b"a", b"b")
    world.lander().land()
    world.topic.cut(2)
    world.topic.send(b"c")
    world.lander().land()
    world.lander().land()

    assert world.lake.losses == []
    assert world.lake.coordinates == [(0, 0), (0, 1), (0, 2)]


def test_what_another_lander_lands_meanwhile_is_no_truncated_topic() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()

    def others() -> None:
        world.topic.send(b"b", b"c")
        world.lander().land()

    pair.table.before_open = others
    pair.land()

    assert world.lake.losses == []
    assert world.lake.coordinates == [(0, 0), (0, 1), (0, 2)]


def test_what_another_lander_lands_before_kafka_deletes_it_is_not_lost() -> None:
    world = World()
    world.topic.send(b"a")
    world.lander().land()
    pair = world.lander()

    def others() -> None:
        world.topic.send(b"b", b"c")
        world.lander().land()
        world.topic.earliest[0] = 3
        world.topic.messages[0] = [(3, b"d")]

    pair.table.after_open = others
    pair.land()

    assert world.lake.losses == []
    assert world.lake.coordinates == [(0, 0), (0, 1), (0, 2), (0, 3)]


def test_a_recreated_topic_is_noticed_even_if_it_is_longer_than_the_old_one() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.land()
    world.topic.id = "second"
    world.topic.send(b"other", b"other")

    with pytest.raises(LostMessagesError, match="recreated"):
        pair.land()

    assert world.lake.coordinates == [(0, 0)]


def test_an_accepted_recreated_topic_is_read_from_its_start_in_every_partition() -> None:
    world = World()
    world.topic.send(b"a", b"b", partition=0)
    world.topic.send(b"c", partition=1)
    world.lander().land()
    world.topic.id = "second"
    world.topic.messages = {0: [(0, b"new")], 1: [(0, b"new")]}

    left, right = world.lander(0, accept_loss=True), world.lander(1, accept_loss=True)
    left.land()
    right.land()
    right.land()

    assert [message for *_, message in world.lake.rows[3:]] == ["new", "new"]
    assert world.lake.watermark is not None
    assert (world.lake.watermark.topic_id, world.lake.watermark.offsets) == ("second", {0: 1, 1: 1})


def test_a_run_until_caught_up_lands_a_recreated_topic_that_is_shorter_than_the_old_one() -> None:
    world = World()
    world.topic.send(b"a", b"b")
    world.lander().land()
    world.topic.id = "second"
    world.topic.messages = {0: [(0, b"new")]}

    pair = world.lander(stop_at_end=True, accept_loss=True)
    # A service ends with the step after which it is finished.
    for _ in range(10):
        if not pair.lander.is_finished:
            pair.steps(1)

    assert pair.lander.is_finished
    assert [message for *_, message in world.lake.rows[2:]] == ["new"]
