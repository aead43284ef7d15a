"""What the last round ran is planned once after a start, and never in a round's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.base.errors import RetriableError
from stack.rounds.warm_up import WarmUp


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Dbt's folder after a round of two models."""
    for name in ("staging/stg_a.sql", "marts/b.sql"):
        for kind in ("run", "compiled"):
            path = tmp_path / kind / "meterhouse" / "models" / name
            path.parent.mkdir(parents=True)
            path.write_text(f"insert into {path.stem}")
    return tmp_path


class Trino:
    """Notes what it is asked; refuses the first."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, sql: str) -> list[list[str]]:
        """One question."""
        self.asked.append(sql)
        if len(self.asked) == 1:
            raise RetriableError("b", "no such table", "look")
        return []


def test_each_statement_is_planned_once(target: Path) -> None:
    trino, beats = Trino(), list[int]()
    warm_up = WarmUp(trino.ask, target, lambda: beats.append(1))
    for _ in range(2):
        warm_up.after_round(0, lambda: False)
    assert trino.asked == ["explain insert into b", "explain insert into stg_a"]
    assert len(beats) == 2


def test_a_round_that_ran_models_was_the_warm_up(target: Path) -> None:
    trino = Trino()
    warm_up = WarmUp(trino.ask, target, lambda: None)
    warm_up.after_round(9, lambda: False)
    warm_up.after_round(0, lambda: False)
    assert trino.asked == []


def test_a_round_that_is_asked_for_ends_the_warm_up(target: Path) -> None:
    trino = Trino()
    WarmUp(trino.ask, target, lambda: None).after_round(0, lambda: trino.asked)
    assert trino.asked == ["explain insert into b"]
