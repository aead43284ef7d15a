"""The one-writer lock as the child sees that works while its parent watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from stack.errors import RetriableError
from stack.lock import WriterLock, try_lock
from stack.rounds import child
from tests.integration.lakehouse import Lakehouse

pytestmark = pytest.mark.same_in_both_modes

# A number that no writer of a stack uses.
KEY = 88_319_999
CHECKS = 2_000
END_SECONDS = 60


@pytest.fixture
def lock(lakehouse: Lakehouse) -> Iterator[WriterLock]:
    made = try_lock(lakehouse.settings, "a test", KEY)
    assert isinstance(made, WriterLock)
    yield made
    made.release()


def looks(check: Callable[[], None]) -> None:
    """Look again and again."""
    for _ in range(CHECKS):
        check()


def test_parent_and_child_look_at_the_lock_at_once(lakehouse: Lakehouse, lock: WriterLock) -> None:
    witness = lock.for_child(lakehouse.settings)
    # Both in processes that can be ended: who misses an answer waits without end.
    processes = [
        child.start(partial(looks, check), lambda: None) for check in (lock.check, witness.check)
    ]
    for process in processes:
        process.join(END_SECONDS)
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    assert codes == [0, 0]


def test_a_child_learns_that_the_lock_is_gone(lakehouse: Lakehouse, lock: WriterLock) -> None:
    witness = lock.for_child(lakehouse.settings)
    witness.check()
    lock.release()
    with pytest.raises(RetriableError, match="nothing more is written"):
        witness.check()
