"""Be a run of maintenance, for service.py, which watches.

Started as `python -m stack.maintenance.program CHANNEL REQUEST`, a Request in JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from stack.base.errors import MeterhouseError
from stack.base.files import replace_file
from stack.base.settings import Settings, load_settings
from stack.clients.kafka import DBT, administrator
from stack.maintenance import record, retention
from stack.maintenance.policy import Policy
from stack.maintenance.tables import Table
from stack.maintenance.work import Done, client_of, maintain
from stack.rounds import facts
from stack.rounds.lifeline import held
from stack.rounds.program import INTERRUPTED
from stack.writing import statements
from stack.writing.statements import MAINTENANCE_USER

OK, FAILED, UNFINISHED = 0, 1, 3


@dataclass(frozen=True)
class MaintenanceRequest:
    """What is to be done.

    tables: (schema, name) of each, in order. limit_seconds: no statement begins later; None for no
    limit. rest: file for the tables that the limit left over. is_logged: what is told goes to a
    log, not to a person.
    """

    tables: tuple[tuple[str, str], ...]
    policy: Policy
    limit_seconds: float | None = None
    rest: str | None = None
    is_logged: bool = False

    def to_json(self) -> str:
        """As the program's argument."""
        return json.dumps(asdict(self))


def request_from(text: str) -> MaintenanceRequest:
    """A request from its JSON form."""
    values = json.loads(text)
    tables = tuple((schema, name) for schema, name in values["tables"])
    return MaintenanceRequest(**{**values, "tables": tables, "policy": Policy(**values["policy"])})


def run(request: MaintenanceRequest, settings: Settings) -> int:
    """Maintain the tables, look at the topics, tell of both; OK, FAILED or UNFINISHED."""
    started_at, started = datetime.now(UTC), time.monotonic()
    limit = float("inf") if request.limit_seconds is None else request.limit_seconds
    found = [Table(schema, name) for schema, name in request.tables]
    trino = client_of(settings, request.policy)
    every = (
        maintain(trino, table, request.policy, lambda: time.monotonic() - started > limit)
        for table in found
    )
    results = [done for done in every if done]
    if request.rest:
        replace_file(Path(request.rest), json.dumps(left_over(results)))
    record.keep(trino, results, started_at)
    topics = retention.check(administrator(settings, DBT), trino, found, datetime.now(UTC))
    log = facts.logger()
    for text in (*record.lines(results), *map(str, topics)):
        if request.is_logged:
            log(text)
        else:
            sys.stdout.write(f"{text}\n")
    return exit_code(results, topics)


def exit_code(results: list[Done], topics: list[retention.Retention]) -> int:
    """What the caller is told."""
    if any(done.error for done in results) or any(topic.problems for topic in topics):
        return FAILED
    return OK if all(done.is_whole for done in results) else UNFINISHED


def left_over(results: list[Done]) -> list[str]:
    """Tables not done to their end: the untouched ones first, those that failed last."""
    unfinished = [done for done in results if not done.is_whole]
    in_turn = sorted(unfinished, key=lambda done: (bool(done.error), len(done.steps)))
    return [str(done.table) for done in in_turn]


def main(words: list[str]) -> int:
    """Do what is asked; an expected failure is said."""
    channel, request = words
    settings = load_settings()

    def clean_up() -> None:
        statements.settle(
            statements.writers(settings, MAINTENANCE_USER), lambda text: None, grace_seconds=0
        )

    with held(socket.socket(fileno=int(channel)), clean_up):
        try:
            return run(request_from(request), settings)
        except MeterhouseError as error:
            sys.stderr.write(f"{error}\n")
            return FAILED
        except KeyboardInterrupt:
            return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
