"""Master data in a database of the test's own: the tables and triggers, without a fleet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients.postgres import Session
from tests.postgres import admin_connection

FIRST_SCRIPT = "30_master_data.sql"
DATED_SCRIPTS = (
    "31_dated_master_data.sql",
    "32_period_changes.sql",
    "33_device_master.sql",
    "34_device_periods.sql",
)
ZONES = "insert into time_zone values ('UTC'), ('Australia/Sydney'), ('Europe/London')"
CUSTOMER = (
    "insert into customer_master (customer_id, customer_name, first_name, last_name, "
    "customer_class, tariff_code, street, postcode, city, country_code, email, phone) "
    "values (%s, 'N', 'F', 'L', 'household', 'T-1', 'S 1', '1', 'C', 'AU', 'a@b', '1')"
)
POINT = (
    "insert into service_point (service_point_id, valid_from, transformer_id, time_zone, "
    "country_code, nominal_voltage_v, service_size_kw) values (%s, %s, 'TRF-1', %s, 'AU', 230, 10)"
)
INSTALLATION = (
    "insert into meter_installation (device_id, installed_at, removed_at, service_point_id) "
    "values (%s, %s, %s, %s)"
)
AGREEMENT = (
    "insert into agreement (service_point_id, customer_id, tariff_code, start_date, end_date) "
    "values (%s, %s, 'T-1', %s, %s)"
)
# From when on the first period of a meter holds.
BEGIN = "0001-01-01 00:00:00"
METER: dict[str, Any] = {
    "customer_id": "A",
    "model": "M",
    "manufacturer": "M",
    "firmware_version": "1",
    "transformer_id": "TRF-1",
    "time_zone": "UTC",
    "nominal_voltage_v": 230,
    "service_size_kw": 10,
    "latitude": 0,
    "longitude": 0,
    "installed_at": "2026-01-01T00:00:00Z",
}


def script(name: str) -> str:
    """A file of postgres-init/, without the words that only psql knows."""
    text = (PROJECT_ROOT / "postgres-init" / name).read_text("utf-8")
    return text.replace("\\connect meterhouse\n", "")


class MasterData:
    """A database with customers A, B and C and no meter."""

    def __init__(self, settings: Settings, database: str) -> None:
        self._settings, self._database = settings, database
        self.session = self.another_session()
        self.session.autocommit = True

    def another_session(self) -> Session:
        """A session beside the test's own; the caller closes it."""
        return admin_connection(self._settings, self._database)

    def run(self, statement: str, *values: Any) -> None:
        """Run a statement as the owner, in a transaction of its own."""
        with self.session.cursor() as cursor:
            cursor.execute(statement, values or None)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.session.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall()

    def add_meter(self, device: str, **columns: Any) -> None:
        """Write a meter to device_master."""
        values = {"device_id": device} | METER | columns
        marks = ", ".join(["%s"] * len(values))
        self.run(
            f"insert into device_master ({', '.join(values)}) values ({marks})", *values.values()
        )

    def change_meter(self, device: str, **columns: Any) -> None:
        """Change columns of a meter in device_master."""
        changes = ", ".join(f"{name} = %s" for name in columns)
        self.run(
            f"update device_master set {changes} where device_id = %s", *columns.values(), device
        )

    def periods(self, device: str, *columns: str) -> list[tuple[Any, ...]]:
        """Columns of a meter's periods, the first one first; times in UTC, to the second."""
        shown = [
            f"to_char({name}, 'YYYY-MM-DD HH24:MI:SS')" if name in {"from_at", "to_at"} else name
            for name in columns
        ]
        return self.rows(
            f"select {', '.join(shown)} from device_period where device_id = %s order by from_at",
            device,
        )

    def changes(self) -> list[tuple[Any, ...]]:
        """Meter and first moment of each change, in order; none stands there twice."""
        return self.rows(
            "select device_id, to_char(from_at, 'YYYY-MM-DD HH24:MI:SS') "
            "from device_period_change where device_id is not null "
            "group by device_id, from_at order by min(change_id)"
        )


@contextmanager
def scratch_master_data(
    settings: Settings, name: str, scripts: tuple[str, ...] = DATED_SCRIPTS
) -> Iterator[MasterData]:
    """Master data in a new database, gone at the end. name: of the database."""
    server = admin_connection(settings)
    with closing(server), server.cursor() as cursor:
        cursor.execute(f"drop database if exists {name} with (force)")
        cursor.execute(f"create database {name}")
        try:
            data = MasterData(settings, name)
            with closing(data.session):
                data.run("set timezone = 'UTC'")
                for each in (FIRST_SCRIPT, *scripts):
                    data.run(script(each))
                data.run(ZONES)
                for customer in ("A", "B", "C"):
                    data.run(CUSTOMER, customer)
                yield data
        finally:
            cursor.execute(f"drop database if exists {name} with (force)")
