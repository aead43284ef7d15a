"""The edge to PostgreSQL: read the active meters, insert master data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import astuple, fields
from typing import Any

import psycopg2
from psycopg2.extras import execute_values

from simulator.devices import Device, device_number
from simulator.fleet import Customer, Meter
from stack.base.errors import ConfigurationError
from stack.base.settings import Settings
from stack.clients import postgres
from stack.clients.postgres import Session

CONNECT_SECONDS = 10
ACTIVE_DEVICES = """
    select
        device_master.device_id, device_master.customer_id, customer_master.customer_class,
        device_master.transformer_id, device_master.time_zone, device_master.meter_multiplier,
        device_master.nominal_voltage_v, device_master.service_size_kw::double precision,
        device_master.register_digits, device_master.installed_at
    from public.device_master
    inner join public.customer_master
        on device_master.customer_id = customer_master.customer_id
    where device_master.is_active and customer_master.is_active
"""


def connect(settings: Settings, role: str) -> Session:
    """A session with the master data, for as long as its statements take.

    Raises RetriableError where the server does not answer or refuses the role.
    """
    return postgres.client(settings, role).connect(
        postgres.MASTER_DATA,
        "simulator",
        answer_seconds=CONNECT_SECONDS,
        statement_seconds=postgres.UNLIMITED,
    )


def read_active_devices(settings: Settings) -> list[Device]:
    """All meters in service of customers in supply, by number.

    Raises RetriableError without a server, ConfigurationError without tables or active meters.
    """
    with closing(connect(settings, postgres.SIMULATOR)) as connection:
        rows = select(connection, ACTIVE_DEVICES)
    devices = sorted(
        (Device(*row) for row in rows),
        key=lambda device: (device_number(device.device_id), device.device_id),
    )
    if not devices:
        raise ConfigurationError(
            "at least one active device in public.device_master",
            "none",
            "fill the master data with `python -m simulator.master_data`, "
            "or set is_active on the devices that should report",
        )
    return devices


def select(connection: Session, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query. Raises ConfigurationError where a table is not there."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()
    except psycopg2.errors.UndefinedTable as error:
        raise ConfigurationError(
            "the tables public.device_master and public.customer_master",
            " ".join(str(error).split()),
            "run ./initial-setup.sh, which creates them",
        ) from error


def without(devices: Sequence[Device], left_out: Sequence[str]) -> list[Device]:
    """The devices but some. Raises ConfigurationError for a device that is not there."""
    unknown = sorted(set(left_out) - {device.device_id for device in devices})
    if unknown:
        raise ConfigurationError(
            "active devices to leave out",
            f"no device {', '.join(unknown)} in public.device_master",
            "check --without",
        )
    return [device for device in devices if device.device_id not in left_out]


def limit_devices(devices: Sequence[Device], most: int, customers: int) -> list[Device]:
    """The first devices: at most so many, of at most so many customers.

    Raises ConfigurationError where a limit leaves none.
    """
    owners = list(dict.fromkeys(device.customer_id for device in devices))[: max(customers, 0)]
    chosen = [device for device in devices if device.customer_id in set(owners)][: max(most, 0)]
    if not chosen:
        raise ConfigurationError(
            "NUM_DEVICES and NUM_CUSTOMERS of at least 1",
            f"{most} and {customers}",
            "set them in .env, the environment, or by --num-devices and --num-customers",
        )
    return chosen


def insert_new(connection: Session, table: str, rows: Iterable[Customer | Meter]) -> int:
    """Insert the rows whose key is not in the table yet; the number of them.

    Raises ConfigurationError where the table is missing or refuses a value.
    """
    tuples = [(type(row), astuple(row)) for row in rows]
    columns = ", ".join(field.name for field in fields(tuples[0][0]))
    statement = (
        f"insert into public.{table} ({columns}) values %s on conflict do nothing returning 1"  # noqa: S608
    )
    values = [row for _, row in tuples]
    try:
        with connection.cursor() as cursor:
            return len(execute_values(cursor, statement, values, page_size=1000, fetch=True))
    except psycopg2.Error as error:
        raise ConfigurationError(
            f"rows that public.{table} takes",
            " ".join(str(error).split()),
            "check METER_TIME_ZONE and run ./initial-setup.sh, which creates the tables",
        ) from error


def count_rows(connection: Session, table: str) -> int:
    """Rows of a table."""
    [[count]] = select(connection, f"select count(*) from public.{table}")  # noqa: S608
    return int(count)
