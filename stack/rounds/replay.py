"""Quarantine with a way back: list its reasons, and move back what the rules accept by now."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stack.base.errors import FatalError
from stack.base.settings import Settings
from stack.base.text import aligned
from stack.clients.trino import TableGoneError, Trino, patient
from stack.rounds import seen
from stack.rounds.by_hand import run_dbt
from stack.rounds.project import Project, seen_file
from stack.writing.lock import one_writer

REPLAY = "replay by hand"
WAIT_SECONDS = 600.0
LEDGER = "iceberg.quality.replayed_telemetry_raw"
REPLAYABLE = "iceberg.quality.replayable_telemetry_raw"
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
COUNT_SQL = """
select reason, count(*)
from {replayable}
where {choice}
group by reason
order by reason
"""
NUMBER_SQL = "select coalesce(max(replay_number), 0) + 1 from {ledger}"
# One that is sent again by a writer without its lock finds its number taken.
RECORD_SQL = """
insert into {ledger}
    (telemetry_key, device_id, reason, replay_number, reading_at, landed_at, replayed_at)
select
    telemetry_key,
    device_id,
    reason,
    {number},
    reading_at,
    landed_at,
    cast(current_timestamp as timestamp(6) with time zone)
from {replayable}
where {choice} and not exists (select 1 from {ledger} where replay_number >= {number})
"""
# The models read it as the number of the newest replay.
PROGRESS_SQL = """
alter table {ledger} set properties extra_properties = map_from_entries(array[
    row('meterhouse.progress', '{{"replay": {number}}}')
])
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

    def to_sql(self) -> str:
        """A predicate on the messages that the rules accept by now."""
        bounds = ["true"]
        if self.reasons:
            bounds.append(f"reason in ({', '.join(map(quoted, self.reasons))})")
        for sign, limit in ((">=", self.since), ("<", self.until)):
            if limit:
                utc = limit.astimezone(UTC)
                bounds.append(f"kafka_at {sign} timestamp '{utc:%Y-%m-%d %H:%M:%S.%f} UTC'")
        return " and ".join(bounds)


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def show_quarantine(settings: Settings, say: Say) -> int:
    """Say each reason with its number of messages and its newest message; 0.

    Raises FatalError before the first run of the models.
    """
    trino = patient(settings, Project().trino_user)
    found = rows_of(trino, REASONS_SQL, "table iceberg.quality.quarantine_telemetry_raw")
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
    times = [shown_time(moment) for moment in (first, last)]
    example = " ".join(json.dumps(message).split())[:EXAMPLE_CHARACTERS]
    return reason, str(count), *times, f"partition {partition}, offset {offset}", example


def shown_time(moment: datetime | None) -> str:
    """A time in UTC to the second, - where Kafka holds none."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else "-"


def run_replay(settings: Settings, request: Request, say: Say, *, is_dry: bool = False) -> int:
    """Move messages back and bring every model up to date; dbt's exit code, 0 if all is well.

    A message goes back only if the rules accept it now; where none would, nothing is written.
    Raises FatalError before the first run of the models, and RetriableError as run_dbt does.
    """
    user = Project().trino_user
    trino = patient(settings, user)
    returning = count_returning(trino, request)
    for reason, count in returning:
        say(f"{reason}: {count} {'would go' if is_dry else 'go'} back to staging")
    if not returning:
        say("nothing in quarantine that the rules accept by now; bin/stack quarantine lists it")
    if is_dry or not returning:
        return 0
    with one_writer(settings, REPLAY, WAIT_SECONDS, say, user) as lock:
        # Should the run below not come to pass, the next round does its work.
        seen.mark_stale(seen_file(settings))
        lock.check()
        record(trino, request)
    return run_dbt(["run"], settings)


def count_returning(trino: Trino, request: Request) -> list[tuple[str, int]]:
    """Each reason with the messages that a replay would move back."""
    sql = COUNT_SQL.format(replayable=REPLAYABLE, choice=request.to_sql())
    found = rows_of(trino, sql, f"view {REPLAYABLE}")
    return [(str(reason), int(count)) for reason, count in found]


def rows_of(trino: Trino, sql: str, wanted: str) -> list[list[Any]]:
    """The rows of one statement. Raises FatalError if dbt has not made what it reads.

    wanted: what that is, for the error.
    """
    try:
        return trino.rows(sql)
    except TableGoneError as error:
        raise FatalError(wanted, "none", "run bin/dbt run, it makes it") from error


def record(trino: Trino, request: Request) -> None:
    """Put the messages into the ledger under a new number; staging takes them from there.

    A replay that ends between the two statements is taken up by the next one.
    """
    ((number,),) = trino.rows(NUMBER_SQL.format(ledger=LEDGER))
    parts = {"ledger": LEDGER, "replayable": REPLAYABLE, "number": number}
    trino.commit(RECORD_SQL.format(**parts, choice=request.to_sql()))
    trino.commit(PROGRESS_SQL.format(**parts))
