"""A lakehouse made of literal tables, and pages drawn without a browser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from explorer import overview, pipeline, view
from explorer.lakehouse import Answer, Problem
from explorer.queries import Query

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EMPTY = Answer(pd.DataFrame())
NAUGHTY = '<img src=x onerror=alert(1)> "O\'Brien" & `$x$` [a](b) :red[no]'


@dataclass
class FakeLakehouse:
    """Answers by the names that pages give their questions; other questions have no rows."""

    answers: Mapping[str, Answer | Problem] = field(default_factory=dict)
    otherwise: Answer | Problem = EMPTY

    def ask(self, queries: Mapping[str, Query]) -> dict[str, Answer | Problem]:
        """The answer to each question."""
        return {name: self.answers.get(name, self.otherwise) for name in queries}

    def forget(self) -> None:
        """There is nothing kept."""


def health_row(device_id: str, status: str, reasons: str) -> dict[str, object]:
    """A meter as the overview and the list ask for it."""
    return {
        "device_id": device_id,
        "customer_id": "CUST-1",
        "customer_name": NAUGHTY,
        "transformer_id": "TRF-1000",
        "model": "M-1",
        "device_health_status": status,
        "reasons": reasons,
        "health_score_pct": 99.0,
        "week_warning_count": 1,
        "battery_pct": 50.0,
        "battery_trend_pct_per_day": -0.5,
        "open_fault_count": 0,
        "last_seen_at": pd.Timestamp(NOW),
        "status_count": 1,
        "place": 1,
    }


def flow_frame(accepted: int, *differences: str) -> Answer:
    """Of 100 landed messages 90 were seen by the models, 7 of them quarantined."""
    return Answer(
        pd.DataFrame(
            {
                "landed": ['{"landed_at": "2026-11-21T11:59:00+00:00", "offsets": {"0": 100}}'],
                "landed_now": [100],
                "differences": ["\n".join(differences)],
                "landed_through": [90],
                "accepted": [accepted],
                "quarantined": [7],
            }
        )
    )


def page(monkeypatch: pytest.MonkeyPatch, name: str, fake: FakeLakehouse, **state: str) -> AppTest:
    """A page drawn on a lakehouse of its own; state: what stands in the address."""
    monkeypatch.setattr(view, "lakehouse", lambda: fake)
    monkeypatch.setattr(view, "now", lambda: NOW)
    monkeypatch.setattr(overview, "topic_ends", lambda: {0: 105})
    known = pipeline.LastRound("idle", "ok", 5.0, NOW, NOW, 0)
    monkeypatch.setattr(pipeline, "last_round", lambda settings: known)
    test = AppTest.from_string(f"from explorer.app import main\nmain({name!r})", default_timeout=30)
    for key, value in state.items():
        test.query_params[key] = value
    return test.run()


def texts(test: AppTest) -> Iterator[str]:
    """What the page says in words."""
    for kind in ("markdown", "caption", "success", "error", "info", "title", "code"):
        for element in test.get(kind):
            yield str(element.value)  # type: ignore[union-attr]  # blocks have no value
