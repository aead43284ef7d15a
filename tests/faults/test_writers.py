"""A fast selection of the sweep of dbt and maintenance, judged by DuckDB's rebuild of the marts."""

from __future__ import annotations

from trino.exceptions import TrinoQueryError

from tests.faults.case import Case
from tests.faults.steps import Strike
from tests.faults.writers import LOSE_LOCK, run_case
from tests.integration.lakehouse import Lakehouse

SEED = 8831
# A zombie with an insert in its hands, which another has made meanwhile.
HEAL_SECONDS = 60.0
STRIKES = (Strike("insert due", 1, LOSE_LOCK),)


def test_the_marts_equal_a_rebuild_though_a_zombie_wrote_without_its_lock(
    lakehouse: Lakehouse,
) -> None:
    lakehouse.wait_until(lambda: is_catalog_back(lakehouse), HEAL_SECONDS)
    verdict = run_case(lakehouse.settings, Case(1, SEED, STRIKES))
    assert verdict.struck == STRIKES
    assert verdict.is_good, verdict


def is_catalog_back(lakehouse: Lakehouse) -> bool:
    """Whether Trino's connections to the catalog are all from after PostgreSQL was last killed."""
    try:
        return len([lakehouse.snapshots() for _ in range(3)]) == 3
    except TrinoQueryError:
        return False
