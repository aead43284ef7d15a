"""Four simulated weeks through Kafka: rules find what DuckDB finds, and the truth explains it.

DuckDB states the rules once more, from the messages as they were sent (rules.sql).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.integration.lakehouse import Lakehouse
from tests.seeded.rule_weeks import CLEAN, ENERGIES, GROUPS, lines, meters_of, simulated

RULES = Path(__file__).with_name("rules.sql").read_text("utf-8")
FOUND = """
select rule_code, cause, severity, device_id, to_unixtime(from_at)
from iceberg.intermediate.int_rule_hits
where device_id between 'MTR-20000' and 'MTR-29999'
"""
# What truth calls the faults that look like this.
FAULTS = {
    "NEGATIVE": {"negative"},
    "SERVICE_LIMIT": {"spike", "wh_as_kwh"},
    "WH_AS_KWH": {"wh_as_kwh"},
    "MULTIPLIER_MISSED": {"multiplier_missed"},
}
OF_DAYS = {"R15", "R16"}
Hit = tuple[str, str, str, str, float]


@dataclass(frozen=True)
class Weeks:
    """found: hits of the stack. expected: those of DuckDB. truths: faults of the simulator."""

    found: Counter[Hit]
    expected: Counter[Hit]
    truths: list[dict[str, Any]]

    def starts(self, rule: str) -> set[tuple[str, str]]:
        """Meters and starts of the hits of a rule."""
        return {
            (device, start_of(from_s)) for code, *_, device, from_s in self.found if code == rule
        }


def start_of(from_s: float) -> str:
    """A time as truth writes it."""
    return f"{datetime.fromtimestamp(from_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


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
    truths = [truth for each in simulations for truth in each.truths]
    return Weeks(Counter(found), Counter(expected), truths)


def test_the_stack_finds_what_duckdb_finds(weeks: Weeks) -> None:
    assert weeks.found == weeks.expected


def test_each_kind_of_fault_is_found(weeks: Weeks) -> None:
    assert {cause for _, cause, *_ in weeks.found} == set(FAULTS)


def test_a_hit_is_of_a_reading_or_day_with_such_a_fault(weeks: Weeks) -> None:
    faults: dict[tuple[str, str], set[str]] = {}
    for each in weeks.truths:
        for length in (len("2025-04-01"), None):
            faults.setdefault((each["device_id"], each["from"][:length]), set()).add(each["kind"])
    for rule, cause, _, device, from_s in weeks.found:
        start = start_of(from_s)
        key = (device, start.partition("T")[0] if rule in OF_DAYS else start)
        assert faults.get(key, set()) & FAULTS[cause], (rule, key)


def test_each_negative_energy_is_found(weeks: Weeks) -> None:
    sent = {
        (each["device_id"], each["from"]) for each in weeks.truths if each["kind"] == "negative"
    }
    assert sent == weeks.starts("R06")


def test_each_spike_beyond_the_service_is_found(weeks: Weeks) -> None:
    limit_kwh = 1.1 * ENERGIES.service_size_kw / 2
    spikes = [each for each in weeks.truths if each["kind"] == "spike"]
    beyond = {
        (each["device_id"], each["from"]) for each in spikes if each["true"]["sent_kwh"] > limit_kwh
    }
    assert len(spikes) > len(beyond) > 10
    assert beyond <= weeks.starts("R07")


def test_meters_without_fault_have_no_hit(weeks: Weeks) -> None:
    clean = {meter["device_id"] for meter in meters_of(CLEAN)}
    assert not [hit for hit in weeks.found if hit[3] in clean]
