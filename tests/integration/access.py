"""The principals of the stack, and Trino as each of them meets it."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import requests
from trino.dbapi import connect

from stack.base.settings import Settings
from stack.books import ledger
from stack.books.plan import LEDGER
from stack.clients.trino import client
from stack.writing.statements import WRITER_USER
from tests.integration.lakehouse import Lakehouse, reading
from trino import exceptions

ANSWER_SECONDS = 60
# Trino has no privilege for table procedures: a row filter keeps readers from them.
DENIED = re.compile("Access Denied|ALTER TABLE EXECUTE is not supported for table with row filter")

PRINCIPALS = (
    "operator",
    "dbt",
    "dbt_project",
    "dbt-lock",
    "maintenance",
    "maintenance-lock",
    "analyst",
    "analyst_ada",
    "explorer",
    "health",
    "stranger",
)
KNOWN = set(PRINCIPALS) - {"stranger"}
OPERATOR = {"operator"}
WRITERS = {"dbt", "dbt_project"}
READERS = {"analyst", "analyst_ada", "explorer"}
LOCKS = {"dbt-lock", "maintenance-lock"}
MAINTENANCE = {"maintenance"}
NOBODY: set[str] = set()
# Columns of customer_master that are names and contacts.
PERSONAL = (
    "customer_name",
    "first_name",
    "last_name",
    "company_name",
    "street",
    "postcode",
    "email",
    "phone",
)


@dataclass(frozen=True)
class Access:
    """Trino as each principal meets it, with a landing table and names of the test's own."""

    settings: Settings
    mark: str

    def ask(self, principal: str, sql: str) -> list[list[Any]]:
        """Rows of a statement. Raises exceptions.Error."""
        connection = connect(
            host=self.settings.trino_host,
            port=self.settings.trino_port,
            user=principal,
            http_scheme="http",
            request_timeout=ANSWER_SECONDS,
        )
        with closing(connection):
            cursor = connection.cursor()
            cursor.execute(sql)
            rows: list[list[Any]] = cursor.fetchall()
            return rows

    def may(self, principal: str, sql: str) -> bool:
        """Whether Trino runs a statement or refuses it for want of rights; else it raises."""
        own = f"{self.mark}_{principal.replace('-', '_')}"
        try:
            self.ask(principal, sql.format(scratch=self.mark, own=own))
        except exceptions.Error as error:
            if DENIED.search(str(error)):
                return False
            raise
        return True

    def request(self, method: str, path: str, principal: str, **options: Any) -> requests.Response:
        """Trino's answer to a bare request."""
        address = f"http://{self.settings.trino_host}:{self.settings.trino_port}{path}"
        headers = {"X-Trino-User": principal} | options.pop("headers", {})
        return requests.request(method, address, headers=headers, timeout=ANSWER_SECONDS, **options)


def fill(lakehouse: Lakehouse) -> None:
    """Let a first message reach the marts, and a first row the books, where none ever did."""
    if not lakehouse.sql(
        "select 1 from iceberg.information_schema.tables "
        "where table_schema = 'marts' and table_name = 'device_daily_metrics'"
    ):
        lakehouse.send(reading("MTR-10000", "2026-01-01T00:30:00Z"))
        lakehouse.land_and_round()
    ledger.create(client(lakehouse.settings, WRITER_USER), LEDGER)
