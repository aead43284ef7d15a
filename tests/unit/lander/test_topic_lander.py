"""The loop: what is landed, once, whatever happens to Kafka or the table."""

from __future__ import annotations

import pytest

from lander.pace import (
    messages_of_size,
)
from tests.unit.lander.world import World


def test_messages_land_once_the_time_is_up() -> None:
    world = World()
    world.topic.send(b"a", b"b")
    pair = world.lander()

    pair.steps()
    assert world.lake.rows == []
    pair.clock.pass_seconds(5)
    pair.steps()

    assert world.lake.rows == [(1, 0, 0, "a"), (1, 0, 1, "b")]
    assert world.lake.watermark is not None
    assert world.lake.watermark.offsets == {0: 2, 1: 0}
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


def test_a_partition_that_ends_in_no_message_is_caught_up_at_its_end() -> None:
    world = World()
    world.topic.send(b"a")
    world.topic.tails[0] = 3
    pair = world.lander(stop_at_end=True)

    pair.steps()

    assert pair.lander.is_finished
    assert world.lake.watermark is not None
    assert (world.lake.watermark.offsets, world.lake.watermark.skipped) == ({0: 3, 1: 0}, {0: 2})
    assert (pair.table.commits, pair.table.moves) == (1, 0)


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
