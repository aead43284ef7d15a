"""What is done before the first visitor comes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from explorer import overview, quality, warm_up
from explorer.lakehouse import Answer, Lakehouse, Problem
from explorer.queries import Query
from tests.unit.explorer.fakes import FakeLakehouse

NOON = datetime(2026, 11, 21, 12, tzinfo=ZoneInfo("Europe/Berlin"))


class SlowLakehouse(FakeLakehouse):
    """Does not answer before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Query] = []
        self.may_answer = threading.Event()

    def ask(self, queries: Mapping[str, Query]) -> dict[str, Answer | Problem]:
        """The answer to each question, once it may."""
        self.asked += queries.values()
        self.may_answer.wait(60)
        return super().ask(queries)


def test_what_the_first_visitors_ask_is_asked_before() -> None:
    lakehouse = SlowLakehouse()
    lakehouse.may_answer.set()
    warm_up.warm_up(cast(Lakehouse, lakehouse), NOON)
    first = {**overview.questions(NOON.date()), **quality.questions(NOON.date())}
    assert set(first.values()) <= set(lakehouse.asked)


def test_a_busy_trino_does_not_hold_up_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_up, "LIMIT_SECONDS", 0.05)
    lakehouse = SlowLakehouse()
    warm_up.warm_up(cast(Lakehouse, lakehouse), NOON)
    # It came back although no answer did.
    assert not lakehouse.may_answer.is_set()
    lakehouse.may_answer.set()
