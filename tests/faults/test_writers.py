"""A fast selection of the sweep of dbt, rounds and maintenance: each way to be struck, once."""

from __future__ import annotations

import pytest

from tests.faults import writers
from tests.faults.case import Case
from tests.faults.rounds import DONE, DUE, KILL_BOTH, LOSE_LOCK, RUNNING, SWAP
from tests.faults.steps import FREEZE, KILL, Strike
from tests.integration.lakehouse import Lakehouse

# Each strike takes two or three rounds of the models.
pytestmark = pytest.mark.thorough

SEED = 8831
# Each where it hurts most: Trino goes on with what nobody waits for, or a zombie sends it again.
STRIKES = (
    Strike(f"insert {DUE}", 1, LOSE_LOCK),
    Strike(f"insert {RUNNING}", 1, KILL),
    Strike(f"{SWAP} {RUNNING}", 1, LOSE_LOCK),
    Strike(f"merge {RUNNING}", 1, KILL_BOTH),
    Strike(f"compaction {DONE}", 1, FREEZE),
)


def test_dbt_and_maintenance_struck_lose_and_double_nothing(lakehouse: Lakehouse) -> None:
    verdict = writers.run_case(lakehouse.settings, Case(1, SEED, STRIKES))
    assert verdict.struck == STRIKES
    assert verdict.is_good, verdict
