"""Decisions on positions, losses and the fence, worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stack.base.errors import FatalError
from stack.watermarks.landed import (
    NOT_KNOWN,
    Bounds,
    Loss,
    Watermark,
    losses_from_json,
    losses_to_json,
    may_write,
    plan_start,
    record_losses,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WATERMARK = Watermark(4, NOON, {0: 100, 1: 200}, topic_id="first", epochs={0: 3, 1: 3})


def test_landed_is_written_as_the_other_readers_of_the_property_expect() -> None:
    assert json.loads(WATERMARK.to_json()) == {
        "batch_id": 4,
        "landed_at": "2026-01-02T12:00:00.000000+00:00",
        "offsets": {"0": 100, "1": 200},
        "topic_id": "first",
        "epochs": {"0": 3, "1": 3},
        "skipped": {},
    }


def test_landed_survives_its_property() -> None:
    assert Watermark.from_json(WATERMARK.to_json()) == WATERMARK


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"batch_id": "x"}', WATERMARK.to_json()[:-1]])
def test_a_damaged_property_is_fatal(text: str) -> None:
    with pytest.raises(FatalError):
        Watermark.from_json(text)


def test_a_property_of_before_epochs_is_read() -> None:
    text = WATERMARK.to_json().replace(', "epochs": {"0": 3, "1": 3}, "skipped": {}', "")

    assert Watermark.from_json(text) == replace(WATERMARK, epochs={})


def test_following_moves_only_the_partitions_of_the_batch() -> None:
    later = WATERMARK.following({1: 250, 2: 5}, NOON + timedelta(seconds=5), "first", {2: 4})

    # The broker did not tell the epoch of partition 1: the old one says nothing of the new offset.
    assert later == Watermark(
        5, NOON + timedelta(seconds=5), {0: 100, 1: 250, 2: 5}, "first", {0: 3, 2: 4}
    )


def test_following_never_goes_back_in_time() -> None:
    assert WATERMARK.following({}, NOON - timedelta(hours=1), "first", {}).landed_at == NOON


def test_following_a_recreated_topic_forgets_its_old_offsets() -> None:
    later = WATERMARK.following({1: 3}, NOON, "second", {1: 0})

    assert (later.offsets, later.epochs) == ({1: 3}, {1: 0})


@pytest.mark.parametrize(
    ("partition", "held", "topic_id", "position", "lost"),
    [
        pytest.param(0, Bounds(0, 500), "first", 100, None, id="goes-on"),
        pytest.param(0, Bounds(100, 100), "first", 100, None, id="all-read-all-deleted"),
        pytest.param(0, Bounds(130, 500), "first", 130, (100, 129, "retention"), id="retention"),
        pytest.param(0, Bounds(101, 101), "first", 101, (100, 100, "retention"), id="one-lost"),
        pytest.param(0, Bounds(0, 99), "first", 99, (100, None, "topic truncated"), id="shorter"),
        pytest.param(0, Bounds(40, 40), "first", 40, (100, None, "topic truncated"), id="emptied"),
        pytest.param(7, Bounds(0, 500), "first", 0, None, id="new-partition"),
        pytest.param(
            7, Bounds(9, 500), "first", 9, (0, 8, "retention"), id="new-partition-too-late"
        ),
    ],
)
def test_reading_starts_where_the_table_ends(
    partition: int,
    held: Bounds,
    topic_id: str,
    position: int,
    lost: tuple[int, int | None, str] | None,
) -> None:
    start = plan_start(WATERMARK, {partition: held}, topic_id, NOON)

    assert start.positions == {partition: position}
    expected = [(partition, *lost)] if lost else []
    assert [(x.partition, x.first, x.last, x.reason) for x in start.losses] == expected
    assert {x.topic_id for x in start.losses} <= {"first"}


@pytest.mark.parametrize(
    ("cut", "held", "position"),
    [
        pytest.param(60, Bounds(0, 500), 60, id="hidden"),
        pytest.param(60, Bounds(80, 500), 80, id="hidden, and retention since"),
        pytest.param(0, Bounds(0, 500), 0, id="nothing left of it"),
        pytest.param(60, Bounds(0, 40), 40, id="cut again since"),
        pytest.param(100, Bounds(0, 500), None, id="after what has landed"),
    ],
)
def test_a_cut_is_read_on_from_where_it_was_made(
    cut: int, held: Bounds, position: int | None
) -> None:
    start = plan_start(WATERMARK, {0: held}, "first", NOON, {0: cut})

    lost = Loss(0, 100, None, "topic truncated", NOON, topic_id="first")
    expected = ({0: 100}, ()) if position is None else ({0: position}, (lost,))
    assert (start.positions, start.losses) == expected
    moved = WATERMARK.moved_to(start.positions, "first")
    assert moved.epochs == (WATERMARK.epochs if position is None else {1: 3})


def test_a_log_put_back_to_an_older_state_is_truncated_or_nobody_can_tell() -> None:
    start = plan_start(WATERMARK, {0: Bounds(0, 70)}, "first", NOON, {0: NOT_KNOWN})
    assert start.positions == {0: 70}
    assert [loss.reason for loss in start.losses] == ["topic truncated"]
    with pytest.raises(FatalError, match="put back to before"):
        plan_start(WATERMARK, {0: Bounds(0, 100)}, "first", NOON, {0: NOT_KNOWN})


def test_a_recreated_topic_is_read_from_0_and_may_have_lost_something_everywhere() -> None:
    start = plan_start(WATERMARK, {0: Bounds(0, 500), 7: Bounds(9, 20)}, "second", NOON)

    assert start.positions == {0: 0, 7: 9}
    assert start.losses == (
        Loss(0, 100, None, "topic recreated", NOON, topic_id="first"),
        Loss(1, 200, None, "topic recreated", NOON, topic_id="first"),
        Loss(7, 0, 8, "retention", NOON, topic_id="second"),
    )


def test_once_accepted_reading_goes_on_without_another_question() -> None:
    for bounds, topic_id in (
        ({0: Bounds(130, 130)}, "first"),
        ({0: Bounds(0, 40)}, "first"),
        ({0: Bounds(0, 0), 1: Bounds(5, 5), 2: Bounds(0, 0)}, "second"),
    ):
        start = plan_start(WATERMARK, bounds, topic_id, NOON)
        assert start.losses
        moved = WATERMARK.moved_to(start.positions, topic_id)
        again = plan_start(moved, bounds, topic_id, NOON)
        assert (again.positions, again.losses) == (start.positions, ())
        assert (moved.batch_id, moved.landed_at) == (WATERMARK.batch_id, NOON)


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        pytest.param({}, True, id="same-state"),
        pytest.param({"batch_id": 9, "offsets": {0: 100, 1: 999}}, True, id="others-moved-on"),
        pytest.param({"offsets": {0: 101, 1: 200}}, False, id="ours-moved-on"),
        pytest.param({"offsets": {0: 99, 1: 200}}, False, id="ours-moved-back"),
        pytest.param({"offsets": {1: 200}}, False, id="ours-gone"),
        pytest.param({"topic_id": "second"}, False, id="another-topic"),
    ],
)
def test_a_batch_may_be_written_only_where_its_reading_began(
    change: dict[str, Any], allowed: bool
) -> None:
    assert may_write(WATERMARK, replace(WATERMARK, **change), {0}) is allowed


def test_a_new_partition_may_be_written_while_nobody_else_did() -> None:
    assert may_write(WATERMARK, WATERMARK, {7})
    assert not may_write(WATERMARK, replace(WATERMARK, offsets={7: 1}), {7})


def test_losses_survive_their_property() -> None:
    losses = [
        Loss(0, 5, 9, "retention", NOON, topic_id="first"),
        Loss(1, 2, None, "topic recreated", NOON, True),
    ]

    assert losses_from_json(losses_to_json(losses)) == losses
    assert losses_from_json(None) == []


def test_a_loss_seen_again_is_recorded_once_with_its_first_time() -> None:
    first = Loss(0, 5, 9, "retention", NOON)
    again = Loss(0, 5, 30, "retention", NOON + timedelta(days=1), is_accepted=True)
    other = Loss(1, 5, 9, "retention", NOON)

    assert record_losses([first, other], [again]) == [
        Loss(0, 5, 30, "retention", NOON, is_accepted=True),
        other,
    ]


def test_a_loss_noticed_before_losses_had_a_topic_is_accepted_with_one() -> None:
    noticed = Loss(0, 5, 9, "retention", NOON)
    of_older_topic = Loss(1, 0, 4, "retention", NOON, is_accepted=True)
    later = NOON + timedelta(days=1)
    accepted = [
        Loss(0, 5, 30, "retention", later, is_accepted=True, topic_id="first"),
        Loss(1, 0, 6, "retention", later, is_accepted=True, topic_id="first"),
    ]

    assert record_losses([noticed, of_older_topic], accepted) == [
        of_older_topic,
        replace(accepted[0], noticed_at=NOON),
        accepted[1],
    ]


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ("topic cut short", "topic truncated"),  # codespell:ignore
        ("topic made anew", "topic recreated"),  # codespell:ignore
    ],
)
def test_a_loss_that_version_0_1_0_stored_keeps_its_reason(stored: str, reason: str) -> None:
    (loss,) = losses_from_json(
        f'[{{"partition": 0, "first": 3, "last": null, "reason": "{stored}",'
        ' "noticed_at": "2026-01-01T00:00:00+00:00", "is_accepted": true, "topic_id": "t"}]'
    )
    assert (loss.reason, loss.is_accepted) == (reason, True)
