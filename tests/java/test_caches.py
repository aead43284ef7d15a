"""Java's ahead-of-time caches of the real Kafka and Trino, in a folder beside the stack's."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from stack.base import caller
from stack.base.settings import load_settings
from stack.modes import training
from stack.programs import kafka, trino
from stack.programs.paths import Paths, paths_of
from stack.provision import ready

LIMIT_SECONDS = 240.0
SETTINGS = training.settings_of_a_run(load_settings())
KAFKA, TRINO = training.TRAINEES

# Each start and each training of a program takes a quarter of a minute.
pytestmark = pytest.mark.thorough


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A stack without data, whose user's cache folder holds the programs and none of the caches."""
    real = paths_of(SETTINGS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    own = replace(paths_of(SETTINGS), state=tmp_path / "state")
    own.cache.mkdir()
    own.state.mkdir()
    own.kafka.symlink_to(real.kafka)
    own.trino.symlink_to(real.trino)
    return own


def files_in_use(program: ModuleType, trainee: training.Trainee, paths: Paths) -> str:
    """Start Kafka or Trino, have it answer, and return the files in its memory."""
    program.prepare(SETTINGS, paths)
    service = program.service(SETTINGS, paths)
    environment = {**caller.service_environment(), **service.environment}
    with subprocess.Popen(service.command, cwd=service.directory, env=environment) as process:
        try:
            ready.wait(SETTINGS, LIMIT_SECONDS, print, [ready.Probe(trainee.name, trainee.ask)])
            return Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")
        finally:
            process.kill()


def test_kafka_answers_with_its_cache_and_a_damaged_one_is_replaced(paths: Paths) -> None:
    assert ".aot" not in files_in_use(kafka, KAFKA, paths)
    training.make(KAFKA, SETTINGS, print)
    (made,) = kafka.cache(paths).files()
    assert str(made) in files_in_use(kafka, KAFKA, paths)

    with made.open("r+b") as file:
        file.seek(made.stat().st_size // 2)
        file.write(time.time_ns().to_bytes(8, "big"))
    assert ".aot" not in files_in_use(kafka, KAFKA, paths)
    assert not kafka.cache(paths).files()
    training.make(KAFKA, SETTINGS, print)
    assert ".aot" in files_in_use(kafka, KAFKA, paths)


def test_trino_uses_the_cache_whichever_collector_it_runs_with(paths: Paths) -> None:
    training.make(TRINO, SETTINGS, print)
    (made,) = trino.cache(paths).files()
    assert str(made) in files_in_use(trino, TRINO, paths)
