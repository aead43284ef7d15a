"""A benchmark that lacks a package says what to install before anything runs."""

from __future__ import annotations

import sys

import pytest

import benchmarks.__main__
from benchmarks import packages
from stack.base.errors import ConfigurationError


def test_a_missing_package_is_told_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after ./initial-setup.sh, which installs what services need."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert benchmarks.__main__.main(["--only", "comparison"]) == 1
    said = capsys.readouterr()
    assert "without duckdb" in said.err
    assert "-r requirements/dev.txt" in said.err
    assert said.out == ""


def test_a_benchmark_that_needs_nothing_more_runs_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    packages.check(["lander", "freshness"])
    with pytest.raises(ConfigurationError, match="dev"):
        packages.check(["lander", "thirty_days"])
