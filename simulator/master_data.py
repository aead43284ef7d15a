"""Fill customer_master and device_master with an invented fleet; only missing rows are added.

Run as `python -m simulator.master_data`. A second run changes nothing, a larger fleet adds
rows to it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing

from simulator.arguments import positive_count
from simulator.database import connect, count_rows, insert_new
from simulator.fleet import FleetPlan, customers, meters
from stack.base import caller
from stack.base.errors import MeterhouseError
from stack.base.settings import Settings, load_settings
from stack.clients import postgres

Counts = list[tuple[str, int, int]]


def parser(settings: Settings) -> argparse.ArgumentParser:
    """The command line, its defaults from the settings."""
    result = argparse.ArgumentParser(
        prog="python -m simulator.master_data",
        description="Fill public.customer_master and public.device_master with an invented "
        "fleet. Rows that exist are left as they are, so it can be run again at any time.",
    )
    result.add_argument(
        "--num-devices",
        type=positive_count,
        default=settings.num_devices,
        metavar="N",
        help="meters in the fleet (NUM_DEVICES, %(default)s)",
    )
    result.add_argument(
        "--num-customers",
        type=positive_count,
        default=settings.num_customers,
        metavar="N",
        help="customers (NUM_CUSTOMERS, %(default)s)",
    )
    result.add_argument(
        "--seed",
        type=int,
        default=settings.fleet_seed,
        help="seed of names and numbers (FLEET_SEED, %(default)s)",
    )
    result.add_argument(
        "--time-zone",
        default=settings.meter_time_zone,
        metavar="ZONE",
        help="IANA zone of new meters (METER_TIME_ZONE, %(default)s)",
    )
    return result


def fill(settings: Settings, plan: FleetPlan) -> Counts:
    """Insert what is missing, in one transaction: (table, rows added, rows now)."""
    with (
        closing(connect(settings, postgres.OWNER)) as connection,
        connection,
    ):
        added = [
            ("customer_master", insert_new(connection, "customer_master", customers(plan))),
            ("device_master", insert_new(connection, "device_master", meters(plan))),
        ]
        return [(table, count, count_rows(connection, table)) for table, count in added]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    try:
        settings = load_settings()
        options = parser(settings).parse_args(arguments)
        plan = FleetPlan(
            options.seed, options.num_devices, options.num_customers, options.time_zone
        )
        for table, added, total in fill(settings, plan):
            sys.stdout.write(f"✓ {table}: {total} rows ({added} added)\n")
    except MeterhouseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    caller.clear()
    sys.exit(main())
