"""Truth files, reports and sessions."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from simulator.delivery import Delivery
from simulator.live import LiveLimits, run_live
from simulator.meter_logs import LogLine
from simulator.outputs import TruthFile, write_report
from simulator.screen import Screen
from simulator.session import Session, StopFlag
from simulator.simulation import Outgoing, Simulation
from simulator.slots import Slots
from simulator.truth import Truth
from stack.base.errors import ConfigurationError
from tests.unit.simulator.builders import SEED, device, fleet
from tests.unit.simulator.test_delivery import FakeProducer

LATE = Truth("late", "MTR-10000", 0, 1_800_000, {"energy_kwh": 0.42})
LOGGED = Truth("log_line", "MTR-10000", 1000, 1000, {"event": "LAST_GASP"})


def session(folder: Path, producer: FakeProducer, stream: io.StringIO) -> Session:
    return Session(
        topic="telemetry",
        logs_topic="logs",
        delivery=Delivery(producer, with_hash=True),
        truth=TruthFile(folder / "new" / "truth.jsonl"),
        report_path=folder / "report.json",
        screen=Screen(stream),
        stop=StopFlag(),
    )


def test_facts_are_json_lines(tmp_path: Path) -> None:
    with TruthFile(tmp_path / "truth.jsonl") as file:
        file.write([LATE, LOGGED])
    lines = (tmp_path / "truth.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == {
        "kind": "late",
        "device_id": "MTR-10000",
        "from": "1970-01-01T00:00:00Z",
        "to": "1970-01-01T00:30:00Z",
        "true": {"energy_kwh": 0.42},
    }
    assert len(lines) == 2
    assert file.faults == {"late": 1}


def test_slots_are_json_lines_of_their_kind(tmp_path: Path) -> None:
    slots = Slots(
        devices=[device(10000), device(10001)],
        end_ms=np.array([1_800_000]),
        slot_ms=1_800_000,
        units_a_kwh=1000,
        energy_units=np.array([[420], [0]]),
        dark_ms=np.array([[0], [90_500]]),
    )
    one = session(tmp_path, FakeProducer(), io.StringIO())
    with one.truth:
        one.send(Outgoing([], [], slots=slots))
    lines = one.truth.path.read_text().splitlines()
    span = {"from": "1970-01-01T00:00:00Z", "to": "1970-01-01T00:30:00Z"}
    assert [json.loads(line) for line in lines] == [
        {"kind": "slot", "device_id": "MTR-10000"} | span | {"true": {"kwh": 0.42, "dark_s": 0}},
        {"kind": "slot", "device_id": "MTR-10001"} | span | {"true": {"kwh": 0, "dark_s": 90.5}},
    ]
    assert one.truth.counts == {"slot": 2}


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="--truth"):
        TruthFile(tmp_path / "file" / "truth.jsonl")
    with pytest.raises(ConfigurationError, match="--report"):
        write_report(tmp_path, {})


def test_a_session_sends_to_both_topics_and_reports(tmp_path: Path) -> None:
    stream = io.StringIO()
    one = session(tmp_path, FakeProducer(), stream)
    with one.truth:
        one.send(Outgoing([b"k"], [b"v"], [LogLine(None, "gone", LOGGED)], [LATE]))
        assert one.finish({"mode": "test"}) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["mode"] == "test"
    assert report["topics"]["telemetry"]["acknowledged"] == 1
    assert report["topics"]["logs"]["sent"] == 1
    assert report["faults"] == {"late": 1}
    assert report["facts"] == {"late": 1, "log_line": 1}
    assert Path(report["truth_file"]).read_text().count("\n") == 2
    assert "Totals: sent 2 | acknowledged 2 | failed 0" in stream.getvalue()


def test_a_session_with_failures_ends_with_status_one(tmp_path: Path) -> None:
    one = session(tmp_path, FakeProducer(fail_every=1), io.StringIO())
    with one.truth:
        one.send(Outgoing([b"k"], [b"v"]))
        assert one.finish({}) == 1


def test_the_second_signal_gives_up() -> None:
    stop = StopFlag()
    stop.on_signal(15, None)
    assert (stop.stopped, stop.given_up) == (True, False)
    stop.on_signal(2, None)
    assert stop.given_up


def test_a_live_run_ends_after_its_count(tmp_path: Path) -> None:
    stream = io.StringIO()
    one = session(tmp_path, FakeProducer(), stream)
    simulation = Simulation(fleet(3), SEED, interval_ms=10)
    with one.truth:
        run_live(one, simulation, LiveLimits(None, 7), quiet=False)
        one.finish({})
    assert one.delivery.counts["telemetry"].acknowledged == 7
    assert stream.getvalue().count("✓ Sent: MTR-1000") == 7


def test_a_live_run_ends_after_its_time(tmp_path: Path) -> None:
    one = session(tmp_path, FakeProducer(), io.StringIO())
    simulation = Simulation(fleet(3), SEED, interval_ms=1000)
    with one.truth:
        run_live(one, simulation, LiveLimits(50, None), quiet=True)
        one.finish({})
    # The interval that ends at the full second before the start, and perhaps none after it.
    assert one.delivery.counts["telemetry"].sent in (3, 6)


def test_a_stop_signal_ends_a_live_run(tmp_path: Path) -> None:
    one = session(tmp_path, FakeProducer(), io.StringIO())
    one.stop.on_signal(2, None)
    with one.truth:
        run_live(one, Simulation(fleet(3), SEED, 1000), LiveLimits(None, None), quiet=True)
        assert one.finish({}) == 0
    assert one.delivery.total.sent == 0
