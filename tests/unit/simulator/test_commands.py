"""Command lines: defaults from the settings, misuse ends with status 2."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simulator import launch, master_data, replay_command, simulate
from simulator.database import limit_devices, without
from stack.base.errors import ConfigurationError
from stack.base.settings import load_settings
from tests.unit.simulator.builders import device

SETTINGS = load_settings({"METERHOUSE_ENV": "no-such-file", "MESSAGE_INTERVAL": "0.5"})
DEVICES = [device(10000 + index) for index in range(6)]


def test_defaults_come_from_the_settings() -> None:
    options = simulate.parser(SETTINGS).parse_args([])
    assert options.message_interval == 500
    assert options.topic_name == "telemetry_raw"
    assert options.logs_topic_name == "meter_logs"
    assert options.kafka_bootstrap_servers == "localhost:19092"
    assert (options.num_devices, options.num_customers) == (10, 5)


def test_flags_win_over_settings() -> None:
    words = ["--message-interval", "3", "--num-devices", "2", "--topic-name", "other"]
    options = simulate.parser(SETTINGS).parse_args(words)
    assert (options.message_interval, options.num_devices) == (3000, 2)
    assert options.topic_name == "other"


@pytest.mark.parametrize(
    "words",
    [
        ["--interval", "30m"],
        ["--to", "now"],
        ["--days", "2", "--count", "5"],
        ["--days", "2", "--duration", "5"],
        ["--days", "2", "--from", "now-1d"],
        ["--from", "someday"],
        ["--from", "2026-01-01T00:01:00Z", "--to", "2026-01-01T00:02:00Z"],
        ["--from", "2009-12-31", "--to", "2010-02-01"],
        ["--num-devices", "0"],
        ["--faults", "late"],
        ["--solar", "1.5"],
        ["--solar", "some"],
        ["--message-interval", "soon"],
        ["--no-such-flag"],
    ],
    ids=" ".join,
)
def test_misuse_ends_with_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        simulate.main(words)
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_days_and_from_choose_the_same_history() -> None:
    command = simulate.parser(SETTINGS)
    now_ms = 1_764_547_200_000 + 60_000
    by_days = simulate.history_ends(command.parse_args(["--days", "2"]), now_ms)
    by_time = simulate.history_ends(command.parse_args(["--from", "now-2d"]), now_ms)
    assert by_days.tolist() == by_time.tolist()
    assert (len(by_days), int(by_days[-1])) == (96, 1_764_547_200_000)


def test_fewer_devices_are_the_first_ones() -> None:
    assert limit_devices(DEVICES, 4, 99) == DEVICES[:4]
    assert limit_devices(DEVICES, 99, 2) == DEVICES[:4]


def test_a_limit_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="NUM_DEVICES"):
        limit_devices(DEVICES, 0, 5)


def test_devices_can_be_left_out_by_name() -> None:
    assert without(DEVICES, ["MTR-10001"]) == [DEVICES[0], *DEVICES[2:]]
    with pytest.raises(ConfigurationError, match="MTR-1, MTR-2"):
        without(DEVICES, ["MTR-2", "MTR-1"])


def test_a_device_to_replay_for_must_be_active() -> None:
    assert replay_command.choose_device(DEVICES, "MTR-10002") is DEVICES[2]
    with pytest.raises(ConfigurationError, match="MTR-9"):
        replay_command.choose_device(DEVICES, "MTR-9")


def test_the_fleet_is_filled_as_the_settings_say() -> None:
    options = master_data.parser(SETTINGS).parse_args([])
    assert (options.num_devices, options.num_customers, options.seed) == (10, 5, 8831)
    assert options.time_zone == "UTC"


def test_missing_packages_are_named() -> None:
    assert launch.missing_parts(("json", "no_such_package")) == ["no_such_package"]
    advice = launch.advice(["numpy"])
    assert "numpy" in advice
    assert "pip install -r simulator/requirements.txt" in advice


def test_the_entry_files_need_only_the_standard_library() -> None:
    folder = Path(launch.__file__).parent
    for name in ("telemetry_simulator.py", "telemetry_consumer.py", "replay.py", "launch.py"):
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            if line.startswith(("import ", "from ")):
                assert line.split()[1].split(".")[0] in {*sys.stdlib_module_names, "__future__"}
