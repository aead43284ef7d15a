"""What is found, missed and a false alarm: a day of one meter, its answers by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError
from stack.scorecard.score import Comparison
from tests.unit.scorecard.day import METER, NOW, Day, at


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


def test_a_fault_that_its_rule_hits_is_found(day: Day) -> None:
    for start in ("6:00", "7:00", "9:00"):
        day.fault("negative", start, energy_kwh=0.5, sent_kwh=-0.501)
    day.hit("R06", "6:00")
    day.hit("R06", "7:00")
    scores, kinds = day.score()
    found = scores["R06"]
    assert (found.hits, found.tp, found.fp, found.fn) == (2, 2, 0, 1)
    assert found.precision == 1.0
    assert found.recall == pytest.approx(2 / 3)
    assert found.is_kept is False
    assert (kinds["negative"].facts, kinds["negative"].seen) == (3, 2)


def test_a_hit_without_its_fault_is_a_false_alarm(day: Day) -> None:
    day.fault("negative", "6:00", energy_kwh=0.5, sent_kwh=-0.501)
    day.hit("R06", "6:30")
    day.hit("R05", "6:00")
    scores, _ = day.score()
    assert (scores["R06"].tp, scores["R06"].fp, scores["R06"].fn) == (0, 1, 1)
    # 47 half-hours are compared: the run may have begun within the first one.
    assert scores["R05"].meter_days == pytest.approx(47 / 48)
    assert scores["R05"].false_alarms == pytest.approx(1000 / (47 / 48))
    assert scores["R05"].is_kept is False


def test_what_nobody_knows_the_truth_of_is_not_judged(day: Day) -> None:
    day.hit("R06", "0:00")
    day.rule_hits.append(["R06", METER, at("6:00", 2), at("6:30", 2)])
    day.rule_hits.append(["R06", "MTR-2", at("6:00"), at("6:30")])
    scores, _ = day.score()
    assert (scores["R06"].hits, scores["R06"].fp) == (0, 0)
    assert (scores["R06"].recall, scores["R06"].is_kept) == (None, True)


def test_a_lost_reading_is_a_missing_slot(day: Day) -> None:
    day.fault("silent_meter", "6:00", energy_kwh=0.5)
    day.fault("wrong_type", "7:00", field="energy_kwh", energy_kwh=0.5)
    day.fault("wrong_type", "8:00", field="voltage", energy_kwh=0.5)
    day.fault("malformed_json", "9:00", energy_kwh=0.5)
    # No power from 10:10 to 11:10: the readings of 10:30 and 11:00 are not sent.
    day.fault("outage", "10:10", "11:10")
    for start in ("6:00", "7:00", "10:00", "10:30", "12:00"):
        day.code(start, "MISSING")
    day.code("9:00", "PENDING")
    scores, kinds = day.score()
    found = scores["R04"]
    assert (found.hits, found.tp, found.fp, found.fn, found.unseen) == (5, 4, 1, 0, 0)
    assert kinds["wrong_type"].seen == 1


@pytest.mark.parametrize(
    ("sent_kwh", "due"),
    [
        pytest.param(10.0, {"R07": 0, "R04": 0}, id="within 1.1 x 18.4 kW"),
        pytest.param(10.2, {"R07": 1, "R04": 0}, id="beyond it"),
        pytest.param(92.1, {"R07": 0, "R04": 1}, id="more than ten times the service"),
    ],
)
def test_a_spike_is_due_where_the_service_says_so(
    day: Day, sent_kwh: float, due: dict[str, int]
) -> None:
    day.fault("spike", "6:00", energy_kwh=0.5, sent_kwh=sent_kwh)
    scores, _ = day.score()
    assert {rule: scores[rule].fn for rule in due} == due


def test_an_estimate_that_was_right_may_be_a_conflict_of_quality_alone(day: Day) -> None:
    day.fault("estimated_then_actual", "6:00", energy_kwh=0.5, sent_kwh=0.5)
    day.fault("estimated_then_actual", "7:00", energy_kwh=0.5, sent_kwh=0.6)
    day.fault("estimated_then_actual", "8:00", energy_kwh=0.5, sent_kwh=0.5)
    for start in ("6:00", "7:00", "9:00"):
        day.hit("R02", start)
    scores, _ = day.score()
    assert (scores["R02"].tp, scores["R02"].fn, scores["R02"].fp) == (1, 0, 1)


def test_a_clock_that_is_still_ahead_must_have_been_ahead(day: Day) -> None:
    day.fault("future_clock", "6:00", sent_timestamp="2026-07-01T00:15:00Z")
    day.fault("future_clock", "7:00", sent_timestamp="2026-07-01T00:45:00Z")
    day.fault("future_clock", "8:00", sent_timestamp="2026-06-02T00:15:00Z")
    day.rule_hits.append(["R17", METER, at("24:14", 30), at("24:15", 30)])
    day.rule_hits.append(["R17", METER, at("29:14", 30), at("29:15", 30)])
    scores, _ = day.score()
    found = scores["R17"]
    assert (found.tp, found.fp, found.fn, found.unseen) == (1, 1, 1, 1)


def test_registers_differ_where_energy_was_lost(day: Day) -> None:
    day.fault("silent_meter", "6:00", energy_kwh=0.5)
    day.code("6:00", "MISSING")
    day.span("MISMATCH", "23.0", "23.5")
    scores, kinds = day.score()
    assert (scores["R13"].tp, scores["R13"].fp, scores["R13"].fn) == (1, 0, 0)
    assert kinds["silent_meter"].detectors == "R04, R13"


def test_a_mismatch_without_a_fault_is_a_false_alarm(day: Day) -> None:
    day.span("MISMATCH", "23.0", "23.5")
    scores, _ = day.score()
    assert (scores["R13"].tp, scores["R13"].fp, scores["R13"].is_kept) == (0, 1, False)


def test_a_difference_that_is_called_ok_is_missed(day: Day) -> None:
    day.fault("spike", "6:00", energy_kwh=0.5, sent_kwh=1.5)
    day.span("OK", "24.5", "24.5")
    scores, _ = day.score()
    assert (scores["R13"].tp, scores["R13"].fn) == (0, 1)


def test_spans_that_are_ok_have_the_energy_of_their_slots(day: Day) -> None:
    day.code("6:00", "VALID", "0.4")
    day.span("OK", "23.5", "23.5")
    scores, _ = day.score()
    found = scores["CONSERVATION"]
    assert (found.hits, found.tp, found.fp, found.is_kept) == (1, 0, 1, False)
    assert found.difference_kwh == pytest.approx(0.1)
    assert found.wape == pytest.approx(0.1 / 23.5)
    assert found.bias == pytest.approx(-0.1 / 23.5)
    value = scores["VALUE_VALID"]
    assert (value.hits, value.tp, value.fp) == (48, 47, 1)
    assert (value.precision, value.false_alarms, value.is_kept) == (None, None, None)
    assert value.wape == pytest.approx(0.1 / 24.0)


@pytest.mark.parametrize(
    ("kind", "is_recorded", "detector"),
    [
        ("rollover", False, "R14_ROLLOVER"),
        ("exchange", True, "R14_EXCHANGE"),
        ("exchange", False, "R14_RESET"),
        ("exchange_unrecorded", False, "R14_RESET"),
        ("register_reset", False, "R14_RESET"),
    ],
)
def test_a_registers_fault_has_its_status(
    day: Day, kind: str, is_recorded: bool, detector: str
) -> None:
    day.fault(kind, "6:00", "6:00")
    if is_recorded:
        day.installations.append([METER, at("6:00")])
    day.span(detector.removeprefix("R14_"), "23.5", None)
    scores, _ = day.score()
    found = {name: each for name, each in scores.items() if name.startswith("R14")}
    assert {name: (each.tp, each.fp, each.fn) for name, each in found.items()} == {
        name: (int(name == detector), 0, 0) for name in found
    }


def test_an_overlap_is_resolved_where_the_slot_has_its_energy(day: Day) -> None:
    day.fault("overlap", "6:00", energy_kwh=0.5)
    day.fault("overlap", "7:00", energy_kwh=0.5)
    day.code("7:00", "VALID", "0.75")
    scores, _ = day.score()
    assert (scores["R03"].tp, scores["R03"].fn) == (1, 1)


def test_readings_of_two_runs_are_duplicates(day: Day) -> None:
    day.runs = 2
    day.hit("R01", "6:00")
    day.hit("R06", "6:00")
    scores, _ = day.score()
    assert (scores["R01"].fp, scores["R06"].fp) == (0, 1)


def test_a_truth_file_without_slots_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("no truth\n")
    with pytest.raises(ConfigurationError, match="truth of slots"):
        Comparison([tmp_path / "empty.jsonl"], NOW)
    with pytest.raises(ConfigurationError, match="none in any file"):
        Comparison([], NOW)
