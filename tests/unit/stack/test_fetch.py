"""Downloads: the longest first, and services that need not wait for all of them do not."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError, RetriableError
from stack.base.progress import ProgressDisplay
from stack.base.settings import load_settings
from stack.modes import tools
from stack.programs import fetch
from stack.programs.paths import Paths, paths_of

SETTINGS = load_settings({})
SLOW_STORE = """
import pathlib, sys, time
for name in ("kafka", "trino-server"):
    (pathlib.Path(sys.argv[1]) / name).mkdir()
time.sleep(float(sys.argv[2]))
sys.exit(int(sys.argv[3]))
"""


def empty_cache(folder: Path) -> Paths:
    return Paths(
        state=folder / "state",
        cache=folder,
        kafka=folder / "kafka",
        trino=folder / "trino-server",
        trino_cli=folder / "trino-cli" / "trino-cli.jar",
        minio=folder / "minio" / "minio",
        mc=folder / "mc" / "mc",
        seaweedfs=folder / "seaweedfs",
        opendsm=folder / "opendsm",
    )


def downloads(
    monkeypatch: pytest.MonkeyPatch, folder: Path, seconds: float, exit_code: int
) -> fetch.Fetching:
    """Downloads played by a program that brings Kafka and Trino and then takes its time."""
    words = [sys.executable, "-c", SLOW_STORE, str(folder), str(seconds), str(exit_code)]
    monkeypatch.setattr(fetch, "paths_of", lambda settings: empty_cache(folder))
    monkeypatch.setattr(fetch, "process", lambda *_: subprocess.Popen(words))
    return fetch.Fetching(SETTINGS)


def test_trino_comes_first_and_mc_not_at_all(tmp_path: Path) -> None:
    names = [part.name for part in fetch.missing_parts(SETTINGS, empty_cache(tmp_path))]
    assert names[0] == "trino-server"
    assert "minio" in names
    assert "mc" not in names


def test_seaweedfs_needs_no_build(tmp_path: Path) -> None:
    settings = replace(SETTINGS, object_store="seaweedfs")
    names = [part.name for part in fetch.missing_parts(settings, empty_cache(tmp_path))]
    assert "seaweedfs" in names
    assert "minio" not in names


def test_an_upgrade_takes_the_minio_that_version_0_1_0_has_built(tmp_path: Path) -> None:
    first = fetch.first_folder(SETTINGS, empty_cache(tmp_path))
    first.mkdir()
    (first / "minio").write_text("built")
    part = fetch.store(SETTINGS, empty_cache(tmp_path))
    fetch.fetch([part], tmp_path, ProgressDisplay())
    assert (tmp_path / "minio" / "minio").read_text() == "built"


def test_kafka_and_trino_do_not_wait_for_the_store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started = time.monotonic()
    with downloads(monkeypatch, tmp_path, seconds=3, exit_code=0) as parts:
        parts.need("kafka")
        parts.need("trino-server")
        assert time.monotonic() - started < 2
        parts.need_all()
        assert time.monotonic() - started >= 3


def test_a_failed_download_is_told_whatever_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (
        pytest.raises(RetriableError, match="the downloads and builds"),
        downloads(monkeypatch, tmp_path, seconds=0, exit_code=1) as parts,
    ):
        parts.need("minio")


def test_nothing_is_started_where_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    downloads(monkeypatch, tmp_path, seconds=0, exit_code=1)
    monkeypatch.setattr(fetch, "missing_parts", lambda *_: [])
    with fetch.Fetching(SETTINGS) as parts:
        parts.need("kafka")
        parts.need_all()


def test_a_data_folder_that_was_never_used_holds_no_data(tmp_path: Path) -> None:
    """Setup makes the folder before it knows whether MinIO can be built."""
    assert not fetch.holds_data(tmp_path / "none")
    assert not fetch.holds_data(tmp_path)
    (tmp_path / "lakehouse").mkdir()
    assert fetch.holds_data(tmp_path)


def test_mc_that_cannot_be_built_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fetch, "process", lambda *_: subprocess.Popen(["false"]))
    with pytest.raises(ConfigurationError, match="mc, the object-store command line"):
        tools.bring_mc(replace(paths_of(SETTINGS), mc=tmp_path / "mc"))
