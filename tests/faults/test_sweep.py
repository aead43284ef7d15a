"""A fast selection of the sweep: every step once with each strike, and builds that must fail."""

from __future__ import annotations

import pytest

from tests.faults import broken
from tests.faults.case import TRANSACTIONAL, Case, run_case
from tests.faults.steps import FREEZE, KAFKA_CUT, KILL, SERVICES, STEPS, TURNS, Strike
from tests.integration.lakehouse import Lakehouse

SEED = 8831
EVERY_STEP = {what: tuple(Strike(step, 1, what) for step in STEPS) for what in (KILL, FREEZE)}
SERVICE_STRIKES = tuple(Strike("file uploaded", 1, service) for service in SERVICES)
# Each at a step where it hurts most.
TURN_STRIKES = tuple(Strike("metadata uploaded", 1, what) for what in TURNS)
TRANSACTION_STRIKES = (
    Strike("messages consumed", 2, KILL),
    Strike("file uploaded", 1, FREEZE),
    Strike("committed", 1, KILL),
    Strike("metadata uploaded", 1, "kafka"),
)
NETWORK_STRIKES = (
    Strike("messages parsed", 1, KAFKA_CUT),
    *(Strike("commit begun", 1, what) for what in ("store 503", "store full", "catalog cut")),
)


# A freeze lasts eight seconds at each of eleven steps.
@pytest.mark.parametrize("what", [KILL, pytest.param(FREEZE, marks=pytest.mark.thorough)])
def test_a_lander_struck_at_every_step_loses_and_duplicates_nothing(
    lakehouse: Lakehouse, what: str
) -> None:
    verdict = run_case(lakehouse.settings, Case(1, SEED, EVERY_STEP[what]))
    assert verdict.struck == EVERY_STEP[what]
    assert verdict.is_good, verdict


def test_a_lander_struck_beside_transactions_lands_what_was_committed(lakehouse: Lakehouse) -> None:
    case = Case(6, SEED, TRANSACTION_STRIKES, sender=TRANSACTIONAL)
    verdict = run_case(lakehouse.settings, case)
    assert verdict.struck == TRANSACTION_STRIKES
    assert verdict.is_good, verdict


def test_services_killed_in_the_midst_of_a_commit_cost_nothing(lakehouse: Lakehouse) -> None:
    verdict = run_case(lakehouse.settings, Case(2, SEED, SERVICE_STRIKES))
    assert verdict.struck == SERVICE_STRIKES
    assert verdict.is_good, verdict


def test_a_network_that_fails_in_the_midst_of_a_commit_costs_nothing(
    lakehouse: Lakehouse,
) -> None:
    verdict = run_case(lakehouse.settings, Case(4, SEED, NETWORK_STRIKES))
    assert verdict.struck == NETWORK_STRIKES
    assert verdict.is_good, verdict


def test_a_topic_and_a_catalog_that_change_in_mid_stream_cost_nothing(
    lakehouse: Lakehouse,
) -> None:
    verdict = run_case(lakehouse.settings, Case(5, SEED, TURN_STRIKES, shares_group=True))
    assert verdict.struck == TURN_STRIKES
    assert verdict.is_good, verdict


@pytest.mark.parametrize(
    ("build", "strike"),
    [
        ("retry-commits", Strike("catalog asked", 1, FREEZE)),
        ("trust-the-group", Strike("committed", 1, KILL)),
    ],
)
def test_a_build_without_the_fence_is_found_out(
    lakehouse: Lakehouse, build: str, strike: Strike
) -> None:
    shares_group = build in broken.NEED_A_GROUP
    verdict = run_case(lakehouse.settings, Case(3, SEED, (strike,), shares_group, build))
    assert verdict.struck == (strike,)
    assert verdict.finding.duplicated > 0
    assert not verdict.is_good
