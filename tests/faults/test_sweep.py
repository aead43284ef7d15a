"""A fast selection of the sweep: every step once with each strike, and builds that must fail."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.faults import broken
from tests.faults.case import PLAIN, TRANSACTIONAL, Case, Verdict, run_case
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
)
NETWORK_STRIKES = (
    Strike("messages parsed", 1, KAFKA_CUT),
    *(Strike("commit begun", 1, what) for what in ("store 503", "store full", "catalog cut")),
)


# These strike no service that another of them needs: they are played beside one another, as in a
# sweep, since each mostly waits.
CASES = {
    "kill at every step": Case(1, SEED, EVERY_STEP[KILL]),
    "freeze at every step": Case(7, SEED, EVERY_STEP[FREEZE]),
    "a network that fails in mid-commit": Case(4, SEED, NETWORK_STRIKES),
    "topic and catalog changed": Case(5, SEED, TURN_STRIKES, shares_group=True),
    "beside transactions": Case(6, SEED, TRANSACTION_STRIKES, sender=TRANSACTIONAL),
}
# A freeze lasts eight seconds at each of eleven steps.
THOROUGH = {"freeze at every step"}


@pytest.fixture(scope="module")
def verdicts(
    request: pytest.FixtureRequest, lakehouse: Lakehouse
) -> Iterator[dict[str, Future[Verdict]]]:
    """What comes of each case that this run tests."""
    tested = [item.name for item in request.session.items]
    chosen = [name for name in CASES if any(f"[{name}]" in test for test in tested)]
    with ThreadPoolExecutor(len(CASES)) as pool:
        yield {name: pool.submit(run_case, lakehouse.settings, CASES[name]) for name in chosen}


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[pytest.mark.thorough] * (each in THOROUGH)) for each in CASES],
)
def test_a_struck_lander_loses_and_duplicates_nothing(
    verdicts: dict[str, Future[Verdict]], name: str
) -> None:
    verdict = verdicts[name].result()
    assert verdict.struck == CASES[name].strikes
    assert verdict.is_good, verdict


@pytest.mark.parametrize(
    ("sender", "strikes"),
    [
        (PLAIN, SERVICE_STRIKES),
        (TRANSACTIONAL, (Strike("metadata uploaded", 1, "kafka"),)),
    ],
)
def test_services_killed_in_the_midst_of_a_commit_cost_nothing(
    lakehouse: Lakehouse, sender: str, strikes: tuple[Strike, ...]
) -> None:
    verdict = run_case(lakehouse.settings, Case(2, SEED, strikes, sender=sender))
    assert verdict.struck == strikes
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
