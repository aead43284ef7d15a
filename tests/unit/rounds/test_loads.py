"""Each command that writes has a load of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from stack.rounds.loads import CAN_COUNT_SQL, NEXT_SQL, newest, next_load
from stack.writing.lock import WriterLock


@dataclass
class Session:
    """The lock's session of a stack with or without the function."""

    can_count: bool
    given: list[object] = field(default_factory=list)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Answer each of the statements."""
        if sql == CAN_COUNT_SQL:
            return [(self.can_count,)]
        assert sql == NEXT_SQL
        self.given += values
        return [(1_700_000_000_123,)]


@pytest.mark.parametrize(
    ("can_count", "expected", "asked"), [(True, "1700000000123", [41]), (False, "", [])]
)
def test_a_command_is_given_its_load_where_the_catalog_counts(
    can_count: bool, expected: str, asked: list[int]
) -> None:
    session = Session(can_count)
    assert next_load(cast(WriterLock, session), 41) == {"NEXT_LOAD": expected}
    assert session.given == asked


def test_the_newest_load_is_that_of_any_table() -> None:
    assert newest({"staging.a": {"load_id": 5}, "marts.b": {"load_id": 9}, "landing.c": {}}) == 9
    assert newest({}) == 0
