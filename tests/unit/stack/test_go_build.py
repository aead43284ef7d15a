"""Where a Go build keeps what it downloads and compiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.programs.go_build import Go


@pytest.fixture
def go(tmp_path: Path) -> Go:
    program = tmp_path / "wheel" / "go" / "bin" / "go"
    program.parent.mkdir(parents=True)
    program.touch()
    return Go(tmp_path)


def test_nothing_is_kept_outside_the_workshop(
    go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOCACHE", raising=False)
    monkeypatch.setenv("GOPATH", "/elsewhere")
    found = go.environment()
    assert Path(found["GOCACHE"]).is_relative_to(tmp_path)
    assert Path(found["GOPATH"]).is_relative_to(tmp_path)


def test_a_cache_that_the_caller_names_is_used(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCACHE", "/kept/for/the/next/build")
    assert go.environment()["GOCACHE"] == "/kept/for/the/next/build"
