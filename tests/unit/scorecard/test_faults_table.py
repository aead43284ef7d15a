"""The table of faults and detectors: complete, and only of what there is."""

from __future__ import annotations

import csv
import re

from simulator.faults import FAULT_KINDS
from stack.base.root import PROJECT_ROOT
from stack.scorecard.score import HERE

# Of docs/simulator.md, beside the kinds of --faults; a slot is no fault.
OTHER_FACTS = {
    "outage",
    "under_voltage",
    "over_voltage",
    "tamper",
    "low_battery",
    "log_line",
    "recorded",
}
DERIVED = {"sent_again"}
# Who is installed where, and who pays: not in the truth.
UNRATED = {"R20"}


def rows(name: str) -> list[dict[str, str]]:
    text = (HERE / name).read_text("utf-8").splitlines()
    return list(csv.DictReader((line for line in text if line[0] != "#"), delimiter="\t"))


def test_each_kind_of_fact_has_a_detector_or_says_why_none() -> None:
    faults = rows("faults.tsv")
    assert {row["kind"] for row in faults} == {*FAULT_KINDS, *OTHER_FACTS, *DERIVED}
    assert all(row["note"] != "-" for row in faults if row["detector"] == "-")
    assert {row["claim"] for row in faults if row["detector"] != "-"} == {
        "must",
        "may",
        "explains",
    }


def test_each_detector_of_a_fault_is_listed_with_its_promise() -> None:
    detectors = {row["detector"]: row["severity"] for row in rows("detectors.tsv")}
    assert {row["detector"] for row in rows("faults.tsv")} - {"-"} <= set(detectors)
    assert set(detectors.values()) == {"hard", "soft", "info"}


def test_each_rule_that_setup_fills_in_is_a_detector_of_its_severity() -> None:
    script = (PROJECT_ROOT / "postgres-init" / "37_vee_rules.sql").read_text("utf-8")
    defaults = dict(re.findall(r"\('(R\d\d)', '(hard|soft|info)'", script))
    detectors = {row["detector"]: row["severity"] for row in rows("detectors.tsv")}
    assert defaults
    rated = {rule: severity for rule, severity in defaults.items() if rule not in UNRATED}
    assert rated.items() <= detectors.items()


def test_each_circumstance_is_one_that_faults_are_given() -> None:
    sql = (HERE / "sql" / "faults.sql").read_text("utf-8")
    asked = {row["circumstance"] for row in rows("faults.tsv")} - {"-"}
    assert {name for name in asked if f"'{name}'" in sql} == asked
