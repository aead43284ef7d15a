"""Replay and quarantine before the first run of the models."""

from __future__ import annotations

import pytest

from stack.base.errors import FatalError
from stack.clients.trino import TableGoneError, Trino
from stack.rounds.replay import rows_of


class EmptyTrino(Trino):
    """A Trino without any table."""

    def rows(self, sql: str) -> list[list[object]]:
        """No rows: the table is not there."""
        raise TableGoneError("to run it", "TABLE_NOT_FOUND", "run it again")


def test_a_missing_table_is_told_with_the_command_that_makes_it() -> None:
    trino = EmptyTrino("localhost", 0, "nobody")
    with pytest.raises(FatalError) as caught:
        rows_of(trino, "select 1 from quarantine", "table quarantine")
    assert (caught.value.wanted, caught.value.found) == ("table quarantine", "none")
    assert "bin/dbt run" in str(caught.value)
