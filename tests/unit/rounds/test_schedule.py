"""Rounds are due at fixed slots, whatever the rounds before them did."""

from __future__ import annotations

import pytest

from stack.rounds.schedule import Schedule, Slot, missed, sooner

EVERY_TEN_MINUTES = Schedule(first_due=1000.0, interval_seconds=600.0)


def test_schedule_is_due_at_once_and_then_at_each_interval() -> None:
    assert [EVERY_TEN_MINUTES.slot(number).due for number in range(3)] == [1000, 1600, 2200]


@pytest.mark.parametrize(
    ("now", "number", "due", "skipped"),
    [
        pytest.param(1000.0, 1, 1600.0, 0, id="no-time-passed"),
        pytest.param(1599.0, 1, 1600.0, 0, id="just-in-time"),
        pytest.param(1600.0, 2, 2200.0, 1, id="just-too-late"),
        pytest.param(2900.0, 4, 3400.0, 3, id="three-slots-too-late"),
    ],
)
def test_schedule_skips_the_slots_that_a_long_round_missed(
    now: float, number: int, due: float, skipped: int
) -> None:
    done = EVERY_TEN_MINUTES.slot(0)
    following = EVERY_TEN_MINUTES.after(done, now)
    assert (following, missed(done, following)) == (Slot(number, due), skipped)


def test_schedule_never_plays_a_slot_twice() -> None:
    """A clock that was read a moment before the slot was due must not bring it again."""
    done = EVERY_TEN_MINUTES.slot(1)
    assert EVERY_TEN_MINUTES.after(done, 1599.999) == Slot(2, 2200.0)


def test_schedule_keeps_its_slots_after_an_early_look() -> None:
    early = sooner(Slot(1, 1600.0), due=1010.0)
    assert early.due == 1010.0
    assert EVERY_TEN_MINUTES.after(early, 1012.0) == Slot(1, 1600.0)
    assert missed(Slot(0, 1000.0), early) == 0


def test_schedule_takes_the_slot_itself_if_it_comes_first() -> None:
    assert sooner(Slot(1, 1600.0), due=1605.0) == Slot(1, 1600.0)
