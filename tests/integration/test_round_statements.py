"""Count what a warm round asks of Trino: each statement costs, whatever it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.lakehouse import Lakehouse, reading
from tests.integration.test_what_models_see import progress

pytestmark = pytest.mark.same_in_both_modes

# Which days readings touch; nine writes, none of a quarantine that gets nothing.
MOST_STATEMENTS = 1 + 9
# Where a test has sent a longer reading before, mart, slots and days of registers ask for the
# days themselves (decisions 17 and 20).
DAY_SECONDS = 86_400


def test_a_warm_round_of_one_batch_asks_little(lakehouse: Lakehouse) -> None:
    (device,) = lakehouse.new_devices()
    lakehouse.round()
    for minutes in (60, 30):
        moment = datetime.now(UTC) - timedelta(minutes=minutes)
        lakehouse.send(reading(device, moment.strftime("%Y-%m-%dT%H:%M:%SZ")))
        lakehouse.land()
        began = lakehouse.value("select cast(current_timestamp as varchar)")
        lakehouse.round(changed=["source:landing.telemetry_raw"])
    counted = "select sum(reading_count) from iceberg.marts.device_daily_metrics where device_id = "
    assert lakehouse.value(f"{counted}'{device}'") == 2
    statements = lakehouse.sql(
        "select query from system.runtime.queries where \"user\" in ('dbt', 'dbt-lock') "
        f"and created >= timestamp '{began}' and query not like '%system.runtime%'"
    )
    listed = "\n".join(" ".join(sql.split())[:200] for (sql,) in statements)
    longest_s = json.loads(progress(lakehouse, "intermediate.int_meter_readings"))["longest_s"]
    assert len(statements) <= MOST_STATEMENTS + 3 * (longest_s > DAY_SECONDS), listed
