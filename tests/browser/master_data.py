"""Customers and meters of a test's own, with odd names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from stack.base.settings import Settings
from tests.postgres import admin_connection

EVIL = '<img src=x onerror="window.harmed=1"><b>"O\'Brien"</b> & **Söhne** :red[x] $a$'
COPY = (
    "insert into {table} select (jsonb_populate_record({table}, %s::jsonb)).* "
    "from {table} order by 1 limit 1"
)


@dataclass(frozen=True)
class Oddity:
    """Who has the odd names."""

    device_id: str
    customer_id: str


@contextmanager
def registered(settings: Settings, oddities: Sequence[Oddity]) -> Iterator[None]:
    """Register customers and meters like the first ones but for their names; gone at the end."""
    try:
        for odd in oddities:
            names = {"customer_id": odd.customer_id}
            run(settings, *insertion("customer_master", **names, city=EVIL))
            run(settings, *insertion("device_master", **names, device_id=odd.device_id, model=EVIL))
        yield
    finally:
        for odd in oddities:
            run(settings, "delete from device_master where device_id = %s", odd.device_id)
            run(settings, "delete from agreement where customer_id = %s", odd.customer_id)
            run(settings, "delete from customer_master where customer_id = %s", odd.customer_id)


def insertion(table: str, **columns: str) -> tuple[str, str]:
    """The statement that copies a table's first row with changes, and its parameter."""
    return COPY.format(table=table), json.dumps(columns)


def run(settings: Settings, statement: str, *values: str) -> None:
    """One statement as the owner of the master data."""
    with (
        closing(admin_connection(settings, "meterhouse")) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)
