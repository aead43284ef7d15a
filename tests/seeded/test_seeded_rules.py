"""Four simulated weeks through Kafka: rules find what DuckDB finds, and the truth explains it.

DuckDB states the rules once more, from the messages as they were sent (rules.sql).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from stack.scorecard.by_hand import score
from stack.scorecard.score import Score
from tests.integration.lakehouse import Lakehouse
from tests.seeded.rule_weeks import GROUPS, lines, meters_of, simulated

RULES = Path(__file__).with_name("rules.sql").read_text("utf-8")
FOUND = """
select rule_code, cause, severity, device_id, to_unixtime(from_at)
from iceberg.intermediate.int_rule_hits
where device_id between 'MTR-20000' and 'MTR-29999'
"""
CAUSES = {"NEGATIVE", "SERVICE_LIMIT", "WH_AS_KWH", "MULTIPLIER_MISSED"}
Hit = tuple[str, str, str, str, float]


@dataclass(frozen=True)
class Weeks:
    """found: hits of the stack; expected: those of DuckDB; scores: by detector."""

    found: Counter[Hit]
    expected: Counter[Hit]
    scores: Mapping[str, Score]


@pytest.fixture(scope="module")
def weeks(lakehouse: Lakehouse, tmp_path_factory: pytest.TempPathFactory) -> Weeks:
    folder = tmp_path_factory.mktemp("weeks")
    meters = [meter for group in GROUPS for meter in meters_of(group)]
    for meter in meters:
        lakehouse.add_device(
            meter["device_id"],
            service_size_kw=meter["service_size_kw"],
            meter_multiplier=meter["multiplier"],
            time_zone="UTC",
        )
    simulations = [simulated(group) for group in GROUPS]
    messages = [message for each in simulations for message in each.messages]
    lakehouse.send_raw(messages)
    files = {name: str(folder / f"{name}.jsonl") for name in ("meters", "messages")}
    Path(files["meters"]).write_text(lines(meters), encoding="utf-8")
    Path(files["messages"]).write_bytes(b"\n".join(value or b"" for _, value in messages))
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    expected = connection.execute(RULES, files).fetchall()
    lakehouse.land_and_round()
    found = [tuple(row) for row in lakehouse.sql(FOUND)]
    truth = folder / "truth.jsonl"
    truth.write_text("".join(line for each in simulations for line in each.truth), "utf-8")
    scores, _ = score(lakehouse.settings, [truth], print)
    return Weeks(Counter(found), Counter(expected), {each.detector: each for each in scores})


def test_the_stack_finds_what_duckdb_finds(weeks: Weeks) -> None:
    assert weeks.found == weeks.expected


def test_each_kind_of_fault_is_found(weeks: Weeks) -> None:
    assert {cause for _, cause, *_ in weeks.found} == CAUSES


def test_what_is_promised_of_each_rule_holds(weeks: Weeks) -> None:
    assert {each.detector for each in weeks.scores.values() if each.is_kept is False} == set()


@pytest.mark.parametrize("rule", ["R06", "R07", "R13"])
def test_each_fault_that_a_rule_must_find_is_found(weeks: Weeks, rule: str) -> None:
    found = weeks.scores[rule]
    assert found.tp > 10
    assert (found.recall, found.precision) == (1.0, 1.0)


@pytest.mark.parametrize("rule", ["R15", "R16"])
def test_a_day_that_a_rule_hits_has_such_a_fault(weeks: Weeks, rule: str) -> None:
    found = weeks.scores[rule]
    assert found.hits > 0
    assert found.precision == 1.0


def test_slots_add_up_to_what_registers_counted(weeks: Weeks) -> None:
    found = weeks.scores["CONSERVATION"]
    assert found.hits > 100
    assert found.tp == found.hits
    assert (found.wape or 0.0) < 0.0001
