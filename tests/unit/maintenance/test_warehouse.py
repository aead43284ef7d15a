"""A statement that another commit came before is run again, any other failure is told."""

from __future__ import annotations

from typing import Any

import pytest
from trino.exceptions import TrinoQueryError

from stack.base.errors import RetriableError
from stack.base.settings import load_settings
from stack.maintenance.warehouse import COMMIT_TRIES, CONFLICT_EXCEPTION, Warehouse


def refusal(name: str, exception: str = "") -> TrinoQueryError:
    """What Trino answers, as its client raises it."""
    return TrinoQueryError({"errorName": name, "failureInfo": {"type": exception}})


class Answers(Warehouse):
    """A warehouse that fails as told before it succeeds."""

    def __init__(self, *errors: TrinoQueryError) -> None:
        super().__init__(load_settings({}), {})
        self.errors = list(errors)
        self.asked = 0

    def rows(self, sql: str) -> list[list[Any]]:
        """The next answer."""
        self.asked += 1
        if self.errors:
            error = self.errors.pop(0)
            raise self._told(error, sql) from error
        return []


@pytest.mark.parametrize(
    "error",
    [
        refusal("ICEBERG_COMMIT_ERROR"),
        refusal("TRANSACTION_CONFLICT"),
        # As expire_snapshots answers in Trino 476.
        refusal("GENERIC_INTERNAL_ERROR", CONFLICT_EXCEPTION),
    ],
)
def test_a_conflict_is_tried_again(error: TrinoQueryError) -> None:
    warehouse = Answers(error, error)
    warehouse.commit("alter table t execute optimize", sleep=lambda seconds: None)
    assert warehouse.asked == 3


def test_conflicts_without_end_are_told() -> None:
    warehouse = Answers(*[refusal("ICEBERG_COMMIT_ERROR")] * COMMIT_TRIES)
    with pytest.raises(RetriableError):
        warehouse.commit("alter table t execute optimize", sleep=lambda seconds: None)
    assert warehouse.asked == COMMIT_TRIES


def test_another_failure_is_told_at_once() -> None:
    warehouse = Answers(refusal("GENERIC_INTERNAL_ERROR", "java.lang.NullPointerException"))
    with pytest.raises(RetriableError):
        warehouse.commit("alter table t execute optimize", sleep=lambda seconds: None)
    assert warehouse.asked == 1
