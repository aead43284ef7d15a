"""The table of commands: complete, without a name twice, and quick to load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stack.__main__ import COMMANDS, main
from stack.base.root import PROJECT_ROOT


def test_the_table_lists_the_commands_of_every_package() -> None:
    files = (PROJECT_ROOT / "stack").glob("*/command.py")
    packages = {f"stack.{path.parent.name}.command" for path in files}
    assert {command.run.__module__ for command in COMMANDS} == packages


def test_no_two_commands_have_one_name() -> None:
    names = [command.name for command in COMMANDS]
    assert sorted(names) == sorted(set(names))


def test_the_table_needs_nothing_installed() -> None:
    """`doctor` and `env` work before setup has installed anything, and no start waits for it."""
    result = subprocess.run(
        [sys.executable, "-S", "-c", "import stack.__main__"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_a_tool_without_a_name_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tool"]) == 2
    assert "usage" in capsys.readouterr().err
