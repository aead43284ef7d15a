"""The first call of setup for Python packages, with an installer played by a script."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from stack.base.root import PROJECT_ROOT

# Answers as a new virtual environment does: no uv yet, and a pip that --user breaks.
PYTHON = """#!/bin/sh
case "$*" in
  "-m uv --version") exit 1 ;;
  "-m pip "*)
    if [ -n "$PIP_USER" ]; then echo "Can not perform a '--user' install" >&2; exit 1; fi
    exit {pip_code} ;;
esac
"""
STEP = """
set -euo pipefail
source setup/lib.sh
venv_python=$PWD/.venv/bin/python
python=python3
source setup/python.sh runtime
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What the step reads of the project."""
    for name in ("setup", "stack", "requirements", ".env.example"):
        (tmp_path / name).symlink_to(PROJECT_ROOT / name)
    return tmp_path


def install(clone: Path, pip_code: int) -> subprocess.CompletedProcess[str]:
    """Run the step, called by somebody who installs packages for themselves alone."""
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(pip_code=pip_code))
    python.chmod(0o755)
    return subprocess.run(
        ["bash", "-c", STEP],
        cwd=clone,
        env=os.environ | {"PIP_USER": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_callers_wish_for_packages_of_their_own_does_not_reach_pip(clone: Path) -> None:
    result = install(clone, pip_code=0)
    assert (result.returncode, result.stderr) == (0, "")
    assert (clone / ".venv" / "runtime.installed").exists()


def test_a_pip_that_fails_is_told_with_what_to_do(clone: Path) -> None:
    result = install(clone, pip_code=1)
    assert result.returncode == 1
    assert "✗ wanted: the packages of requirements/uv.txt" in result.stderr
    assert "found:  an error of pip, above" in result.stderr
    assert "next:   check that the Python package index can be reached" in result.stderr
