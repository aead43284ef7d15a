"""Java's ahead-of-time caches: used where they are whole and fit, never a reason to restart."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from stack.base.settings import load_settings
from stack.modes import training
from stack.programs import java, kafka, trino
from stack.programs.class_cache import KEPT, ClassCache, cache_of
from stack.programs.paths import Paths, paths_of

SETTINGS = load_settings({})


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A stack with nothing in it, and two jars."""
    for name in ("a", "b"):
        jar = tmp_path / "kafka" / "lib" / f"{name}.jar"
        jar.parent.mkdir(parents=True, exist_ok=True)
        jar.write_text(name)
    state = tmp_path / "state"
    state.mkdir()
    return replace(paths_of(SETTINGS), state=state, cache=tmp_path, kafka=tmp_path / "kafka")


def make(cache: ClassCache, content: str = "classes") -> Path:
    made = cache.folder / "made"
    made.write_text(content)
    cache.keep(made)
    (file,) = cache.files()
    return file


def options(cache: ClassCache) -> list[str]:
    cache.prepare()
    return shlex.split(cache.options_file.read_text(encoding="utf-8"))


def test_a_program_uses_the_cache_that_is_there(paths: Paths) -> None:
    cache = kafka.cache(paths)
    assert options(cache) == []
    file = make(cache)
    assert options(cache) == [f"-XX:AOTCache={file}"]


@pytest.mark.parametrize("content", ["", "class", "classes and more"])
def test_a_damaged_cache_is_deleted_and_not_used(paths: Paths, content: str) -> None:
    cache = kafka.cache(paths)
    file = make(cache)
    file.write_text(content)
    assert options(cache) == []
    assert not file.exists()


@pytest.mark.parametrize("program", [kafka, trino])
def test_a_new_cache_is_no_reason_to_restart(program: ModuleType, paths: Paths) -> None:
    """Setup restarts a service whose command changed."""
    cache = program.cache(paths)
    before = program.service(SETTINGS, paths)
    make(cache)
    cache.prepare()
    assert program.service(SETTINGS, paths) == before
    assert f"@{cache.options_file}" in before.command


def test_the_training_runs_trino_with_g1_on_all_machines(paths: Paths) -> None:
    command = training.trino_with_g1(SETTINGS, paths).command
    assert not [word for word in command if "UseSerialGC" in word or "-UseG1GC" in word]
    assert "-XX:+UseG1GC" in (trino.ETC / "jvm.config").read_text(encoding="utf-8")


def test_another_java_has_another_cache(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kafka.cache(paths).fit
    monkeypatch.setattr(java, "fingerprint", lambda: "another")
    assert kafka.cache(paths).fit != first


def test_other_jars_have_another_cache(paths: Paths) -> None:
    first = kafka.cache(paths).fit
    (paths.kafka / "lib" / "b.jar").write_text("b, another version")
    second = kafka.cache(paths).fit
    os.utime(paths.kafka / "lib" / "a.jar", (1, 1))
    assert len({first, second, kafka.cache(paths).fit}) == 3


def test_other_options_have_another_cache(paths: Paths) -> None:
    library = paths.kafka / "lib"
    fits = {cache_of("kafka", paths, library, words).fit for words in (["-a"], ["-b"], [])}
    assert len(fits) == 3


def test_two_stacks_share_a_cache(paths: Paths, tmp_path: Path) -> None:
    file = make(kafka.cache(paths))
    assert kafka.cache(replace(paths, state=tmp_path / "other")).files() == [file]


def test_the_newest_are_kept_of_each_program(paths: Paths) -> None:
    other = make(trino.cache(paths))
    os.utime(other, (1, 1))
    caches = [replace(kafka.cache(paths), fit=str(age)) for age in range(KEPT + 2)]
    for age, cache in enumerate(caches):
        file = make(cache)
        os.utime(file, (100 + age, 100 + age))
    assert [len(cache.files()) for cache in caches] == [0, 0, 1, 1, 1]
    assert other.exists()


def test_a_folder_of_any_name_survives(tmp_path: Path) -> None:
    folder = tmp_path / 'a "b" \\ ü'
    folder.mkdir()
    cache = ClassCache("kafka", folder, "fit", tmp_path / "options")
    file = make(cache)
    assert options(cache) == [f"-XX:AOTCache={file}"]
