"""A writer that does not get its turn learns who has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

import pytest

from stack.base.errors import RetriableError
from stack.writing.lock import Holder, WriterLock, session_name, wait_for_lock

ROUND = Holder(
    "scheduled round, process 71 on meterhouse", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
)
LOCK = cast(WriterLock, object())
POSTGRES_NAME_BYTES = 63


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Seconds that passed."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        self.now += seconds


def attempts(*answers: WriterLock | Holder) -> Callable[[], WriterLock | Holder]:
    """Attempts that end as told; the last answer repeats."""
    left = list(answers)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def waited(
    attempt: Callable[[], WriterLock | Holder], time: Time, said: list[str], seconds: float = 10.0
) -> WriterLock:
    return wait_for_lock(attempt, seconds, said.append, monotonic=time.monotonic, sleep=time.sleep)


def test_holder_is_told_with_its_work_its_process_and_its_time() -> None:
    assert str(ROUND) == ("scheduled round, process 71 on meterhouse since 2026-01-02 03:04:05 UTC")


def test_holder_that_cannot_be_seen_is_told_as_such() -> None:
    assert str(Holder("", None)) == "a session without a name"


def test_session_name_keeps_the_process_id_within_what_postgresql_shows() -> None:
    name = session_name("dbt run by hand", "h" * 200, 4_194_304)
    assert len(name) <= POSTGRES_NAME_BYTES
    assert name.startswith("dbt run by hand, process 4194304 on hhh")


def test_free_lock_is_taken_without_a_word_or_a_pause() -> None:
    time, said = Time(), list[str]()
    assert waited(attempts(LOCK), time, said) is LOCK
    assert (said, time.now) == ([], 0.0)


def test_second_writer_waits_and_says_once_for_whom() -> None:
    time, said = Time(), list[str]()
    assert waited(attempts(ROUND, ROUND, ROUND, LOCK), time, said) is LOCK
    assert said == [f"waiting up to 10 s for the one-writer lock, held by {ROUND}"]


def test_second_writer_says_when_the_holder_changes() -> None:
    other = Holder("maintenance, process 8 on meterhouse", None)
    said: list[str] = []
    waited(attempts(ROUND, other, LOCK), Time(), said)
    assert len(said) == 2
    assert said[1].endswith(str(other))


def test_second_writer_gives_up_at_its_limit_and_names_the_holder() -> None:
    time = Time()
    with pytest.raises(RetriableError) as raised:
        waited(attempts(ROUND), time, [], seconds=3.2)
    assert raised.value.found == f"held by {ROUND}"
    assert time.now == pytest.approx(3.2)


def test_waiting_writer_shows_signs_of_life() -> None:
    beats: list[float] = []
    time = Time()
    wait_for_lock(
        attempts(ROUND, ROUND, LOCK),
        10.0,
        list[str]().append,
        beat=lambda: beats.append(time.now),
        monotonic=time.monotonic,
        sleep=time.sleep,
    )
    assert len(beats) == 2
