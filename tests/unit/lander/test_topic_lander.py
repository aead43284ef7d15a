"""The loop: what is landed, once, whatever happens to Kafka, the table or the group."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lander.topic_lander import (
    ASK_SECONDS,
    LEFT_OUT_SECONDS,
    LeftOutError,
    Limits,
    LostMessagesError,
    TopicLander,
    messages_of_size,
)
from lander.topics import Topic
from tests.unit.lander.fakes import FakeClock, FakeLake, FakeReader, FakeTable, FakeTopic

TOPIC = Topic(name="lines", format="text", description="", sort_by=(), fields=())


@dataclass
class World:
    """One topic, one lake, one clock, and as many landers as wanted."""

    topic: FakeTopic = field(default_factory=lambda: FakeTopic(partitions=2))
    lake: FakeLake = field(default_factory=FakeLake)
    clock: FakeClock = field(default_factory=FakeClock)

    def lander(self, *partitions: int, **options: bool) -> Pair:
        """One more lander, assigned to these partitions (all)."""
        reader, table = FakeReader(self.topic, partitions), FakeTable(self.lake)
        limits = Limits(seconds=5, rows=100, byte_count=1_000)
        lander = TopicLander(TOPIC, reader, table, limits, self.clock, **options)
        return Pair(lander, reader, table, self.clock)


@dataclass
class Pair:
    """A lander and the fakes it works on."""

    lander: TopicLander
    reader: FakeReader
    table: FakeTable
    clock: FakeClock

    def steps(self, count: int = 3) -> None:
        """Some rounds of the loop."""
        for _ in range(count):
            self.lander.step()

    def land(self) -> None:
        """Read, let the commit fall due, commit."""
        self.steps()
        self.clock.pass_seconds(6)
        self.steps()


def test_messages_land_once_the_time_is_up() -> None:
    world = World()
    world.topic.send(b"a", b"b")
    pair = world.lander()

    pair.steps()
    assert world.lake.rows == []
    pair.clock.pass_seconds(5)
    pair.steps()

    assert world.lake.rows == [(1, 0, 0, "a"), (1, 0, 1, "b")]
    assert world.lake.landed is not None
    assert world.lake.landed.offsets == {0: 2, 1: 0}
    assert pair.reader.shown == {0: 2}


@pytest.mark.parametrize(
    "messages",
    [pytest.param([b"x"] * 100, id="rows"), pytest.param([b"x" * 1_000], id="bytes")],
)
def test_a_full_batch_does_not_wait(messages: list[bytes]) -> None:
    world = World()
    world.topic.send(*messages)

    world.lander().steps(2)

    assert len(world.lake.rows) == len(messages)


def test_an_idle_topic_commits_nothing() -> None:
    world = World()
    pair = world.lander()

    for _ in range(5):
        pair.land()

    assert pair.table.commits == 0


def test_a_lander_started_again_goes_on_where_the_table_ends() -> None:
    world = World()
    world.topic.send(b"a")
    world.lander().land()
    world.topic.send(b"b")

    world.lander().land()

    assert world.lake.rows == [(1, 0, 0, "a"), (2, 0, 1, "b")]


def test_a_gap_of_offsets_is_no_obstacle() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.land()
    world.topic.messages[0].append((9, b"after compaction"))

    pair.land()

    assert world.lake.coordinates == [(0, 0), (0, 9)]


def test_maintenance_in_between_costs_only_another_try() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.steps()
    world.lake.state += 1

    pair.land()

    assert world.lake.coordinates == [(0, 0)]


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
    assert world.lake.landed is not None
    assert world.lake.landed.offsets == {0: 2, 1: 1}
    assert sorted({batch for batch, *_ in world.lake.rows}) == [1, 2]


def test_a_lander_that_slept_through_a_rebalance_doubles_nothing() -> None:
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


@pytest.mark.parametrize("is_done", [False, True], ids=["lost", "done"])
def test_a_commit_of_unknown_outcome_is_looked_up(is_done: bool) -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.table.error = ConnectionResetError("gone in the middle")
    pair.table.is_done_anyway = is_done

    pair.land()
    assert pair.lander.health.state == "waiting"
    pair.land()
    pair.land()

    assert world.lake.coordinates == [(0, 0)]
    assert pair.lander.health.state == "running"
    world.topic.send(b"b")
    pair.land()
    assert world.lake.coordinates == [(0, 0), (0, 1)]


def test_nothing_is_read_while_the_table_is_away() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.steps()
    pair.clock.pass_seconds(6)
    pair.table.error = OSError("no route")
    pair.steps(1)
    world.topic.send(*[b"x"] * 50)

    pair.steps(1)

    assert pair.reader.positions == {}
    pair.land()
    pair.land()
    assert len(world.lake.rows) == 51


def test_trouble_with_kafka_is_waited_out() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.reader.error = OSError("broker away")

    pair.land()
    assert pair.lander.health.state == "waiting"
    assert pair.lander.health.reason == "broker away"
    pair.reader.error = None
    pair.clock.pass_seconds(10)
    pair.land()

    assert world.lake.coordinates == [(0, 0)]


def lose_messages(world: World) -> None:
    """Land two messages, then let retention take the next three."""
    world.topic.send(b"a", b"b")
    world.lander().land()
    world.topic.earliest[0] = 5
    world.topic.messages[0] = [(5, b"f")]


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


def test_lost_messages_stop_the_lander_and_are_recorded() -> None:
    world = World()
    lose_messages(world)

    with pytest.raises(LostMessagesError, match="offsets 2 to 4: retention"):
        world.lander().land()

    assert [(x.first, x.last, x.is_accepted) for x in world.lake.losses] == [(2, 4, False)]
    assert world.lake.coordinates == [(0, 0), (0, 1)]


def test_accepted_losses_are_recorded_with_the_rows_behind_them() -> None:
    world = World()
    lose_messages(world)

    world.lander(accept_loss=True).land()

    assert [(x.first, x.last, x.is_accepted) for x in world.lake.losses] == [(2, 4, True)]
    assert world.lake.coordinates == [(0, 0), (0, 1), (0, 5)]


def test_a_topic_made_anew_is_noticed_even_if_it_is_longer_than_the_old_one() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.land()
    world.topic.id = "second"
    world.topic.send(b"other", b"other")

    with pytest.raises(LostMessagesError, match="made anew"):
        pair.land()

    assert world.lake.coordinates == [(0, 0)]


def test_an_accepted_topic_made_anew_is_read_from_its_start_in_every_partition() -> None:
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
    assert world.lake.landed is not None
    assert (world.lake.landed.topic_id, world.lake.landed.offsets) == ("second", {0: 1, 1: 1})


def test_a_position_kafka_refuses_is_asked_of_the_table_again() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.steps()
    pair.reader.needs_restart = True

    pair.land()

    assert world.lake.coordinates == [(0, 0)]


def test_a_run_until_caught_up_ends_without_waiting_for_the_clock() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander(stop_at_end=True)

    pair.steps()

    assert pair.lander.is_finished
    assert world.lake.coordinates == [(0, 0)]


def test_a_run_until_caught_up_waits_for_what_others_land() -> None:
    world = World()
    world.topic.send(b"a", partition=0)
    world.topic.send(b"b", partition=1)
    pair, other = world.lander(0, stop_at_end=True), world.lander(1)

    pair.steps()
    assert not pair.lander.is_finished
    other.land()
    pair.steps()

    assert pair.lander.is_finished


def test_a_run_until_caught_up_lands_a_topic_made_anew_that_is_shorter_than_the_old_one() -> None:
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


def test_a_partition_that_ends_in_no_message_is_caught_up_at_its_end() -> None:
    world = World()
    world.topic.earliest[0] = 0
    world.topic.send(b"a", b"aborted")
    pair = world.lander(stop_at_end=True)
    pair.steps(1)
    world.topic.messages[0].pop()
    pair.reader.ends = {0: 2}

    pair.steps()

    assert pair.lander.is_finished


def test_stopping_lands_what_has_been_read() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.steps()

    pair.lander.finish()

    assert world.lake.coordinates == [(0, 0)]
    assert pair.reader.is_closed
    assert pair.lander.health.state == "stopped"


def test_stopping_while_the_table_is_away_abandons_the_batch() -> None:
    world = World()
    world.topic.send(b"a")
    pair = world.lander()
    pair.steps()
    pair.table.error = OSError("no route")

    pair.lander.finish()

    assert world.lake.rows == []
    assert pair.reader.is_closed


def test_health_counts_commits_and_rows() -> None:
    world = World()
    world.topic.send(b"a", b"b")
    pair = world.lander()
    pair.land()
    world.topic.send(b"c")
    pair.land()

    health = pair.lander.health
    assert (health.commits, health.rows, health.bytes) == (2, 3, 2)
    assert health.partitions == (0, 1)
    assert health.last_commit_at == "2026-01-01T00:00:12+00:00"


@pytest.mark.parametrize(
    ("average_bytes", "messages"),
    [
        pytest.param(0, 5_000, id="empty"),
        pytest.param(200, 5_000, id="readings"),
        pytest.param(4_194, 1_000, id="four-kilobytes"),
        pytest.param(10_000_000, 1, id="ten-megabytes"),
    ],
)
def test_large_messages_are_read_few_at_a_time(average_bytes: int, messages: int) -> None:
    assert messages_of_size(average_bytes) == messages
