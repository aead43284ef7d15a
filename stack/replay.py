"""Quarantine with a way back: list its reasons, and move back what the rules accept by now."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stack.errors import FatalError
from stack.maintenance.warehouse import Warehouse
from stack.rounds import run_dbt
from stack.rounds.project import Project
from stack.settings import Settings
from stack.text import aligned

LEDGER = "replayed_telemetry_raw"
EXAMPLE_CHARACTERS = 80
REASONS_SQL = """
select
    reason,
    count(*),
    min(kafka_at),
    max(kafka_at),
    max_by(row(kafka_partition, kafka_offset), coalesce(kafka_at, landed_at)),
    max_by(substr(message, 1, 80), coalesce(kafka_at, landed_at))
from iceberg.quality.quarantine_telemetry_raw
group by reason
order by 2 desc, 1
"""
HEADER = ("reason", "messages", "first seen", "last seen", "example at", "example")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """Which messages to move back.

    reasons: of quarantine, none for all. since, until: Kafka time, the second excluded; None for
    no limit.
    """

    reasons: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def to_json(self) -> str:
        """As dbt's variables."""
        content: dict[str, Any] = {"reasons": list(self.reasons)}
        for name, limit in (("since", self.since), ("until", self.until)):
            if limit:
                content[name] = limit.astimezone(UTC).isoformat()
        return json.dumps({"replay": content})


def show_quarantine(settings: Settings, say: Say) -> int:
    """Say each reason with its number of messages and its newest message; 0."""
    with closing(Warehouse(settings, {}, Project().trino_user)) as warehouse:
        found = warehouse.rows(REASONS_SQL)
    if not found:
        say("quarantine is empty")
        return 0
    for line in aligned([HEADER, *map(reason_cells, found)]):
        say(line)
    return 0


def reason_cells(row: Sequence[Any]) -> tuple[str, ...]:
    """One reason's line."""
    reason, count, first, last, place, message = row
    partition, offset = place
    seen = [shown_time(moment) for moment in (first, last)]
    example = " ".join(json.dumps(message).split())[:EXAMPLE_CHARACTERS]
    return reason, str(count), *seen, f"partition {partition}, offset {offset}", example


def shown_time(moment: datetime | None) -> str:
    """A time in UTC to the second, - where Kafka holds none."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else "-"


def run_replay(settings: Settings, request: Request, say: Say, *, is_dry: bool = False) -> int:
    """Move messages back and bring every model up to date; dbt's exit code, 0 if all is well.

    A message goes back only if the rules accept it now; where none would, nothing is written.
    Raises RetriableError as run_dbt does.
    """
    returning = count_returning(settings, request)
    for reason, count in returning:
        say(f"{reason}: {count} {'would go' if is_dry else 'go'} back to staging")
    if not returning:
        say("nothing in quarantine that the rules accept by now; bin/stack quarantine lists it")
    if is_dry or not returning:
        return 0
    return run_dbt(["run", "--vars", request.to_json()], settings)


def count_returning(settings: Settings, request: Request) -> list[tuple[str, int]]:
    """Each reason with the messages that a replay would move back, by the replay's own SQL."""
    folder = settings.state_dir / "dbt" / "by-hand"
    # dbt shows what it compiled, unless it is told to say nothing at all.
    quiet = ["--log-level", "none"]
    if run_dbt(["compile", *quiet, "--select", LEDGER, "--vars", request.to_json()], settings):
        raise FatalError(
            f"dbt to compile {LEDGER}",
            f"an error, in {folder / 'dbt.log'}",
            "mend what it names, then run it again",
        )
    compiled = folder / "compiled" / "meterhouse" / "models" / "quality"
    sql = (compiled / f"{LEDGER}.sql").read_text(encoding="utf-8")
    with closing(Warehouse(settings, {}, Project().trino_user)) as warehouse:
        found = warehouse.rows(
            f"select reason, count(*) from ({sql}\n) as returning group by 1 order by 1"  # noqa: S608
        )
    return [(str(reason), int(count)) for reason, count in found]
