"""Making Java's caches: once, beside nobody, and with nothing left where it fails or is ended."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings, load_settings
from stack.modes import training
from stack.modes.training import Trainee
from stack.programs.class_cache import ClassCache
from stack.programs.paths import Paths, paths_of
from stack.programs.service import Service

SETTINGS = load_settings({})
# What stands in for Java: takes the options as Java would and does what its mode says.
PROGRAM = """
import shlex, sys, time
from pathlib import Path
options = dict(word.removeprefix("-XX:").split("=", 1)
               for word in shlex.split(Path(sys.argv[1]).read_text()))
if options["AOTMode"] == "record":
    Path(options["AOTConfiguration"]).write_text("record")
    time.sleep(600)
print("making the cache")
Path(options["AOTCache"]).write_text("cache")
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def cache(tmp_path: Path) -> ClassCache:
    return cache_in(tmp_path, paths_of(SETTINGS))


def cache_in(folder: Path, paths: Paths) -> ClassCache:
    return ClassCache("kafka", folder, "fit", paths.state / "options")


def trainee(folder: Path, code: int = 0) -> Trainee:
    """A program that answers when it has its record."""

    def service(settings: Settings, paths: Paths) -> Service:
        options = str(paths.state / "options")
        return Service("kafka", [sys.executable, "-c", PROGRAM, options, str(code)], folder)

    def ask(settings: Settings) -> None:
        next(folder.glob(f"{training.PREFIX}*/record"))

    return Trainee("kafka", partial(cache_in, folder), lambda *_: None, service, ask)


def make(folder: Path, code: int = 0) -> str:
    said: list[str] = []
    training.make(trainee(folder, code), SETTINGS, said.append)
    return said[0]


@pytest.fixture(autouse=True)
def quick_and_with_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(training, "FREE_MEMORY_BYTES", 0)
    monkeypatch.setattr(training, "FREE_DISK_BYTES", 0)


def test_a_cache_is_made_of_a_recorded_run(cache: ClassCache) -> None:
    assert "cache for kafka made" in make(cache.folder)
    assert [file.read_text() for file in cache.folder.iterdir()] == ["cache"]
    assert cache.sound() is not None


def test_what_java_could_not_end_is_not_kept(cache: ClassCache) -> None:
    """As on a full disk: a file is there, and Java says that it failed."""
    assert make(cache.folder, code=1) == "no cache for kafka: making the cache\n"
    assert list(cache.folder.iterdir()) == []


def test_a_program_that_does_not_answer_makes_no_cache(
    cache: ClassCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "START_SECONDS", 0.0)
    assert "no cache for kafka" in make(cache.folder)
    assert list(cache.folder.iterdir()) == []


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack of one program, in whose cache folder a killed training left something."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "meterhouse"
    (folder / f"{training.PREFIX}left").mkdir(parents=True)
    monkeypatch.setattr(training, "TRAINEES", (trainee(folder),))
    return folder


def train() -> list[str]:
    said: list[str] = []
    training.train(SETTINGS, said.append)
    return said


def test_a_cache_is_made_once(stack: Path) -> None:
    assert len(train()) == 1
    assert train() == []
    assert sorted(file.name for file in stack.iterdir())[0] == f"{training.PREFIX}lock"
    assert len(list(stack.iterdir())) == 2


def test_two_stacks_make_one_cache(stack: Path) -> None:
    with (stack / f"{training.PREFIX}lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert train() == ["another stack makes the caches"]
    assert (stack / f"{training.PREFIX}left").exists()


@pytest.mark.parametrize("limit", ["FREE_MEMORY_BYTES", "FREE_DISK_BYTES"])
def test_without_room_no_cache_is_made(
    limit: str, stack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, limit, 10**15)
    (said,) = train()
    assert said.startswith("no cache for kafka: less than 1000000.0 GB")
    assert not list(stack.glob("*.aot"))


def test_beside_a_secure_stack_no_program_without_passwords_is_started(stack: Path) -> None:
    assert training.missing(SETTINGS)
    assert training.missing(replace(SETTINGS, secure=True)) == []


def test_a_program_that_does_not_end_in_time_makes_no_cache(
    cache: ClassCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "END_SECONDS", 0)
    assert make(cache.folder).startswith("no cache for kafka: ")
    assert list(cache.folder.iterdir()) == []


def test_a_run_keeps_away_from_the_stacks_ports() -> None:
    run = training.settings_of_a_run(SETTINGS)
    own = {run.trino_port, run.kafka_port, run.kafka_controller_port}
    assert len(own) == 3
    assert not own & {SETTINGS.trino_port, SETTINGS.kafka_port, SETTINGS.kafka_controller_port}
    assert run.kafka_bootstrap_servers == f"localhost:{run.kafka_port}"
    assert not run.secure


def test_a_stop_ends_the_training_and_what_it_runs(tmp_path: Path) -> None:
    """The supervisor sends SIGTERM to the training alone."""
    code = """
import sys
from dataclasses import replace
from pathlib import Path
from stack.modes import training
from tests.unit.stack.test_training import trainee
training.DELAY_SECONDS = training.FREE_MEMORY_BYTES = training.FREE_DISK_BYTES = 0
one = trainee(Path(sys.argv[1]) / "meterhouse")
training.TRAINEES = (replace(one, ask=lambda settings: 1 / 0),)
sys.exit(training.main())
"""
    (tmp_path / "meterhouse").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=PROJECT_ROOT,
        env={"XDG_CACHE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    end = time.monotonic() + 60
    while not list(tmp_path.glob("meterhouse/.training-*/record")):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.1)
    children = psutil.Process(process.pid).children()
    process.terminate()
    assert process.wait(20) == 0
    assert not any(child.is_running() for child in children)
    assert [path.name for path in (tmp_path / "meterhouse").iterdir()] == [".training-lock"]
