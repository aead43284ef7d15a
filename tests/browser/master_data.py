"""A customer and a meter of a test's own, with names that are none."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
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
def odd_names(settings: Settings) -> Iterator[Oddity]:
    """Register a customer and a meter like the first ones but for EVIL; gone at the end."""
    number = 900_000_000 + uuid.uuid4().int % 90_000_000
    oddity = Oddity(f"MTR-{number}", f"CUST-{number}")
    try:
        run(settings, *insertion("customer_master", customer_id=oddity.customer_id, city=EVIL))
        names = {"device_id": oddity.device_id, "customer_id": oddity.customer_id}
        run(settings, *insertion("device_master", **names, model=EVIL))
        yield oddity
    finally:
        run(settings, "delete from device_master where device_id = %s", oddity.device_id)
        run(settings, "delete from customer_master where customer_id = %s", oddity.customer_id)


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
