"""A simulated day of one meter, and what the models say of it: written down by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from stack.scorecard.evidence import QUESTIONS, table_of
from stack.scorecard.score import Comparison, KindScore, Score

METER = "MTR-1"
HALF_HOUR = timedelta(minutes=30)
NOW = datetime(2026, 6, 10, tzinfo=UTC)


def at(text: str, day: int = 1) -> datetime:
    """A time of day, UTC."""
    hour, minute = map(int, text.split(":"))
    return datetime(2026, 6, day, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)


@dataclass
class Day:
    """Slots of 0.5 kWh from midnight to midnight, each VALID unless told otherwise.

    The service of the meter is 18.4 kW, its R07 limit 1.1 times that.
    """

    folder: Path
    codes: dict[datetime, tuple[str, str | None]] = field(default_factory=dict)
    rule_hits: list[list[Any]] = field(default_factory=list)
    spans: list[list[Any]] = field(default_factory=list)
    installations: list[list[Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    runs: int = 1

    def fault(self, kind: str, start: str, end: str | None = None, **true: Any) -> None:
        """A fault of the half-hour that starts then, or of a span."""
        to_at = at(end) if end else at(start) + HALF_HOUR
        self.lines.append(line(kind, at(start), to_at, true))

    def hit(self, rule: str, start: str, minutes: int = 30) -> None:
        """A hit of a rule."""
        from_at = at(start)
        self.rule_hits.append([rule, METER, from_at, from_at + timedelta(minutes=minutes)])

    def code(self, start: str, code: str, kwh: str | None = None) -> None:
        """The code and the energy of a slot."""
        self.codes[at(start)] = code, kwh

    def span(self, status: str, slots_kwh: str, delta_kwh: str | None = "11.5") -> None:
        """A span from 00:30 to 24:00, in which 47 half-hours truly are 23.5 kWh."""
        cause = "ENERGY_LOST" if status == "MISMATCH" else None
        delta = None if delta_kwh is None else Decimal(delta_kwh)
        figures = [delta, Decimal(slots_kwh), Decimal("0.002")]
        self.spans.append(["IMPORT", status, cause, *figures, METER, at("0:30"), at("24:00")])

    def score(self) -> tuple[dict[str, Score], dict[str, KindScore]]:
        """Scores by detector and kinds by name."""
        starts = [at("0:00") + number * HALF_HOUR for number in range(48)]
        truth = [line("slot", start, start + HALF_HOUR, {"kwh": 0.5}) for start in starts]
        files = []
        for number in range(self.runs):
            files.append(self.folder / f"run-{number}.jsonl")
            told = [*truth, *(self.lines if number == 0 else [])]
            files[-1].write_text("".join(json.dumps(each) + "\n" for each in told))
        rows: dict[str, list[list[Any]]] = {
            "meters": [[METER, "household", "UTC", 18.4]],
            "limits": [["household", 1.1, date(2000, 1, 1), None]],
            "installations": self.installations,
            "rule_hits": self.rule_hits,
            "found_slots": [self.slot(start) for start in starts],
            "spans": self.spans,
        }
        evidence = {name: table_of(QUESTIONS[name][0], rows[name]) for name in QUESTIONS}
        with Comparison(files, NOW) as comparison:
            scores, kinds = comparison.score(evidence)
        return {each.detector: each for each in scores}, {each.kind: each for each in kinds}

    def slot(self, start: datetime) -> list[Any]:
        """One slot as the marts have it."""
        code, kwh = self.codes.get(start, ("VALID", "0.5"))
        energy = None if kwh is None else Decimal(kwh)
        return ["IMPORT", code, code == "MISSING", energy, METER, start, start + HALF_HOUR]


def line(kind: str, from_at: datetime, to_at: datetime, true: dict[str, Any]) -> dict[str, Any]:
    """One line of a truth file."""
    stamps = {"from": from_at, "to": to_at}
    told = {name: f"{moment:%Y-%m-%dT%H:%M:%SZ}" for name, moment in stamps.items()}
    return {"kind": kind, "device_id": METER, **told, "true": true}
