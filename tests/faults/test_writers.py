"""A fast selection of the sweep of dbt and maintenance, judged by DuckDB's rebuild of the marts."""

from __future__ import annotations

from tests.faults.case import Case
from tests.faults.steps import Strike
from tests.faults.writers import LOSE_LOCK, run_case
from tests.integration.lakehouse import Lakehouse

SEED = 8831
# A zombie with an insert in its hands, which another has made meanwhile.
STRIKES = (Strike("insert due", 1, LOSE_LOCK),)


def test_the_marts_equal_a_rebuild_though_a_zombie_wrote_without_its_lock(
    lakehouse: Lakehouse,
) -> None:
    verdict = run_case(lakehouse.settings, Case(1, SEED, STRIKES))
    assert verdict.struck == STRIKES
    assert verdict.is_good, verdict
