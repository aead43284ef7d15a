"""Natural hits: whatever a rule finds in the recorded households is a false alarm.

DuckDB states the rules (tests/seeded/rules.sql); tests/seeded holds that the stack finds the same.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from simulator.load_profiles import DAY_MS
from simulator.recorded import HALF_HOUR_MS, SERIES, messages, read_series
from stack.base.root import PROJECT_ROOT
from tests.unit.simulator.builders import device
from tests.unit.simulator.conftest import recordings

__all__ = ["recordings"]

RULES = (PROJECT_ROOT / "tests" / "seeded" / "rules.sql").read_text("utf-8")
# A fuse of 80 A at 230 V, as the recorded country has most.
SERVICE_KW = 18.4
MOST_FALSE_ALARMS = 2


@pytest.mark.parametrize("series", SERIES)
def test_the_recorded_households_raise_no_more_alarms_than_promised(
    recordings: Path, tmp_path: Path, series: int
) -> None:
    # R15 and R16 read the median of other days: a multiplier lets R16 look at all.
    meter = device(10000 + series, multiplier=20)
    readings = sorted(set(read_series(recordings, series)), key=lambda each: each.end_ms)
    sent = messages(meter, readings, series)
    files = {name: str(tmp_path / f"{name}.jsonl") for name in ("meters", "messages")}
    known = {"device_id": meter.device_id, "service_size_kw": SERVICE_KW, "multiplier": 20}
    Path(files["meters"]).write_text(json.dumps(known), encoding="utf-8")
    Path(files["messages"]).write_bytes(b"\n".join(sent.values))
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")

    hits = Counter((row[0], row[2]) for row in connection.execute(RULES, files).fetchall())

    meter_days = len(readings) * HALF_HOUR_MS / DAY_MS
    assert meter_days > 450
    rates = {rule: 1000 * count / meter_days for (rule, severity), count in hits.items()}
    assert all(rate <= MOST_FALSE_ALARMS for rate in rates.values()), rates
    assert not [rule for rule, severity in hits if severity == "hard"], hits
