"""A stop in good order and a start lose nothing."""

from __future__ import annotations

import pytest

from tests.integration.lakehouse import Lakehouse
from tests.integration.test_setup import setup


# In containers tests/compose/test_lifecycle.py also recreates them in between.
# A minute for all services; each one's way back from a sudden end is in tests/faults.
@pytest.mark.thorough
@pytest.mark.same_in_both_modes
def test_a_stop_and_a_start_keep_all_data(lakehouse: Lakehouse) -> None:
    lakehouse.land_and_round()
    query = "select * from iceberg.marts.device_daily_metrics order by device_id, reading_date"
    rows, offsets = lakehouse.sql(query), lakehouse.end_offsets()
    assert setup("stop").returncode == 0
    stopped = setup("status")
    assert stopped.returncode == 1
    result = setup()
    assert result.returncode == 0, result.stdout + result.stderr
    assert lakehouse.sql(query) == rows
    assert lakehouse.end_offsets() == offsets
    lakehouse.offsets_exactly_once()
