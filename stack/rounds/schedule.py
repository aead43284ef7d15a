"""When rounds are due: fixed slots that a long or failed round does not shift."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slot:
    """One place in the schedule. number: from 0; due: in seconds of the schedule's clock."""

    number: int
    due: float


@dataclass(frozen=True)
class Schedule:
    """Slots every interval_seconds from first_due on, the first one included."""

    first_due: float
    interval_seconds: float

    def slot(self, number: int) -> Slot:
        """The slot of that number."""
        return Slot(number, self.first_due + number * self.interval_seconds)

    def after(self, slot: Slot, now: float) -> Slot:
        """The first slot after both the given one and now."""
        passed = int((now - self.first_due) // self.interval_seconds)
        return self.slot(max(slot.number, passed) + 1)


def missed(done: Slot, following: Slot) -> int:
    """How many slots between two rounds went by without one."""
    return max(0, following.number - done.number - 1)


def sooner(following: Slot, due: float) -> Slot:
    """A look before the next slot, which stays as it is; or that slot if it comes first."""
    return Slot(following.number - 1, due) if due < following.due else following
