"""Asking the resident runner for a round: answered by one that began after, or refused in time."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stack.base import health
from stack.base.errors import ConfigurationError, RetriableError
from stack.base.settings import Settings, load_settings
from stack.rounds.health import Health
from stack.rounds.request import Requests, folder_of, run_round

OK = {"result": "ok", "models_run": 9, "seconds": 3.21, "consecutive_failures": 0}
FAILED = {"result": "failed: stg: no", "models_run": 1, "seconds": 1.0, "consecutive_failures": 1}
SKIPPED = {"result": "skipped: held by maintenance", "models_run": 0, "seconds": 60.0}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings({}), state_dir=tmp_path, dbt_auto_run=True)


def report(settings: Settings, state: str, facts: dict[str, object]) -> None:
    path = settings.state_dir / "health" / "dbt.json"
    health.write(path, state, datetime.now(UTC), facts)


def play(settings: Settings, state: str, facts: dict[str, object]) -> threading.Thread:
    """A runner that plays one round when it is asked."""

    def run() -> None:
        requests = Requests(folder_of(settings))
        while not requests.waiting():
            time.sleep(0.01)
        shown = Health(
            state,
            result=str(facts["result"]),
            models_run=int(str(facts["models_run"])),
            seconds=float(str(facts["seconds"])),
        )
        with requests.answered(lambda: shown):
            # The next round may have begun before whoever asked looks again.
            report(settings, "running", {"round": 3, "result": None, "seconds": None})

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("state", "facts", "code", "line"),
    [
        ("idle", OK, 0, "round: ok, 9 models in 3.2 s"),
        ("failed", FAILED, 1, "round: failed: stg: no, 1 models in 1.0 s"),
        ("idle", SKIPPED, 1, "round: skipped: held by maintenance, 0 models in 60.0 s"),
    ],
    ids=["good", "bad", "skipped"],
)
def test_a_round_is_asked_for_and_its_result_told(
    settings: Settings, state: str, facts: dict[str, object], code: int, line: str
) -> None:
    report(settings, "idle", OK)
    thread, said = play(settings, state, facts), list[str]()
    assert run_round(settings, said.append) == code
    thread.join()
    assert said == [line]


def test_a_request_that_comes_in_a_round_waits_for_the_next(settings: Settings) -> None:
    folder = folder_of(settings)
    folder.mkdir(parents=True)
    (folder / "1").touch()
    with Requests(folder).answered(lambda: Health("idle", result="ok", seconds=1.0)):
        (folder / "2").touch()
    assert Requests(folder).waiting() == [folder / "2"]


def test_an_answer_that_nobody_fetched_goes_with_the_next_runner(settings: Settings) -> None:
    folder = folder_of(settings)
    folder.mkdir(parents=True)
    (folder / "left").write_text("{}")
    (folder / "waiting").touch()
    assert Requests(folder).waiting() == [folder / "waiting"]
    assert [file.name for file in folder.iterdir()] == ["waiting"]


@pytest.mark.parametrize("state", ["stopped", ""], ids=["stopped", "never started"])
def test_without_a_runner_a_request_fails_at_once(settings: Settings, state: str) -> None:
    if state:
        report(settings, state, OK)
    with pytest.raises(RetriableError, match=r"initial-setup\.sh"):
        run_round(settings, print)
    assert Requests(folder_of(settings)).waiting() == []


def test_a_round_that_takes_too_long_is_told(settings: Settings) -> None:
    report(settings, "running", {"round": 1})
    with pytest.raises(RetriableError, match="state running"):
        run_round(settings, print, limit_seconds=0)


def test_a_runner_that_is_off_is_not_asked(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="DBT_AUTO_RUN"):
        run_round(replace(settings, dbt_auto_run=False), print)
