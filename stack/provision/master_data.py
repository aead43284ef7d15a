"""Keep values out of master data that Trino cannot evaluate, and name those that are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stack.clients.postgres import MASTER_DATA, UNLIMITED, Postgres
from stack.clients.trino import Trino

SHOWN_METERS = 5
# Names hold letters, digits and / + - _ alone: no quote and no comma.
NAMES_SQL = "select name from pg_timezone_names where name ~ '^[A-Za-z0-9/+_-]+$' order by name"
KNOWN_SQL = """
select name
from unnest(split('{names}', ',')) as zones (name)
where try(at_timezone(current_timestamp, name)) is not null
"""
ADD_SQL = "insert into time_zone select unnest(%s) on conflict do nothing"
# A zone that a newer Trino has lost stays while meters have it or had it: the models judge by
# Trino's word.
REMOVE_SQL = """
delete from time_zone
where
    name <> all(%s)
    and not exists (select from device_master where device_master.time_zone = time_zone.name)
    and not exists (select from service_point where service_point.time_zone = time_zone.name)
"""
UNUSABLE_SQL = """
select device_id || ': time_zone ' || time_zone
from device_master
where time_zone <> all(%s)
union all
select device_id || ': service_size_kw NaN'
from device_master
where service_size_kw = 'NaN'
order by 1
"""


def check_master_data(server: Postgres, trino: Trino, say: Callable[[str], None]) -> None:
    """List the time zones that Trino knows for PostgreSQL to check by; say which meters have none.

    Raises RetriableError where PostgreSQL or Trino does not answer.
    """
    with server.transaction(MASTER_DATA, "time zones", statement_seconds=UNLIMITED) as cursor:
        cursor.execute(NAMES_SQL)
        known = known_to_trino(trino, [str(name) for (name,) in cursor.fetchall()])
        cursor.execute(ADD_SQL, [known])
        cursor.execute(REMOVE_SQL, [known])
        cursor.execute(UNUSABLE_SQL, [known])
        unusable = [str(text) for (text,) in cursor.fetchall()]
    if unusable:
        say(warning(unusable))


def known_to_trino(trino: Trino, names: Sequence[str]) -> list[str]:
    """The time zones of these that Trino can evaluate."""
    return [str(name) for (name,) in trino.rows(KNOWN_SQL.format(names=",".join(names)))]


def warning(unusable: Sequence[str]) -> str:
    """The meters whose master data no model can use, and what to do."""
    rest = len(unusable) - SHOWN_METERS
    shown = "; ".join(unusable[:SHOWN_METERS]) + (f" and {rest} more" if rest > 0 else "")
    return (
        f"master data that Trino cannot evaluate: {shown}. "
        "Readings of these meters are quarantined: change the values in device_master "
        "(public.time_zone lists the zones), then run bin/stack replay"
    )
