"""Keeping answers: age, failures, room, and two askers at once."""

from __future__ import annotations

import threading

import pytest

from explorer.cache import Cache


class Clock:
    """Seconds that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The seconds."""
        return self.now


def test_an_item_is_kept_until_it_is_too_old() -> None:
    clock = Clock()
    cache: Cache[int] = Cache(60, 10, clock)
    assert cache.get("a", lambda: 1).item == 1
    clock.now = 60
    assert cache.get("a", lambda: 2).item == 1
    clock.now = 61
    assert cache.get("a", lambda: 3).item == 3


def test_what_could_not_be_made_is_not_kept() -> None:
    cache: Cache[float] = Cache(60, 10, Clock())
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 / 0)
    assert cache.get("a", lambda: 2.0).item == 2.0


def test_the_oldest_go_first_when_there_are_too_many() -> None:
    clock = Clock()
    cache: Cache[int] = Cache(60, 2, clock)
    for number in range(3):
        clock.now = number
        cache.get(number, lambda: number)  # noqa: B023 - called at once
    assert cache.get(2, lambda: -1).item == 2
    assert cache.get(0, lambda: -1).item == -1


def test_two_askers_at_once_make_an_item_once() -> None:
    cache: Cache[int] = Cache(60, 10, Clock())
    made: list[int] = []
    first_is_in = threading.Event()
    go_on = threading.Event()

    def make() -> int:
        made.append(1)
        first_is_in.set()
        go_on.wait(5)
        return 1

    threads = [threading.Thread(target=cache.get, args=("a", make)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert first_is_in.wait(5)
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert made == [1]
