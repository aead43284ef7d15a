"""Backups as the rest of the stack knows them: one row each in PostgreSQL, public.backups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stack.clients.postgres import MASTER_DATA, Postgres

SAVE_SQL = """
insert into public.backups (name, taken_at, fills_gap_until, objects, bytes, restored_at)
values (%(name)s, %(taken_at)s, %(fills_gap_until)s, %(objects)s, %(bytes)s, %(restored_at)s)
on conflict (name) do update set restored_at = excluded.restored_at
"""


@dataclass(frozen=True)
class BackupRow:
    """One backup. restored_at: when it was put back the last time, None if never."""

    name: str
    taken_at: datetime
    fills_gap_until: datetime | None
    objects: int
    bytes: int
    restored_at: datetime | None = None


def save(server: Postgres, row: BackupRow) -> None:
    """Note a backup, or that it was restored. Raises RetriableError."""
    with server.transaction(MASTER_DATA, "backup") as cursor:
        cursor.execute(SAVE_SQL, vars(row))
