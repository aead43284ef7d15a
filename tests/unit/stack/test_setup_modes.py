"""What initial-setup.sh says of the mode on machines with other Dockers, played by scripts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from stack.base.root import PROJECT_ROOT

V1 = {
    "docker": "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1",
    "docker-compose": "echo 1.29.2",
}
OLD_PLUGIN = {"docker": "echo 2.17.3"}
NO_ENGINE = {
    "docker": """
case $* in
  "compose version"*) echo 2.29.0 ;;
  info*) echo '{"ServerErrors": ["Cannot connect to the Docker daemon"]}'; exit 1 ;;
esac
"""
}


def doctor(folder: Path, programs: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """`initial-setup.sh doctor` where these programs come first, on settings of its own."""
    for name, script in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name != "RUN_MODE"}
    changes = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "METERHOUSE_ENV": str(folder / ".env"),
    }
    return subprocess.run(
        [str(PROJECT_ROOT / "initial-setup.sh"), "doctor", *words],
        env=kept | changes,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("programs", "reason"),
    [
        (V1, "docker-compose 1.29.2 (v1) is too old"),
        (OLD_PLUGIN, "Docker Compose 2.24 or newer is needed"),
        (NO_ENGINE, "Cannot connect to the Docker daemon"),
    ],
    ids=["v1", "old plugin", "no engine"],
)
def test_compose_that_cannot_run_is_told_and_native_offered(
    tmp_path: Path, programs: dict[str, str], reason: str
) -> None:
    result = doctor(tmp_path, programs, "--compose")
    assert result.returncode == 1
    assert reason in result.stderr
    assert "./initial-setup.sh --native" in result.stderr
    # The other checks are shown all the same.
    assert "disk" in result.stdout
    assert reason in result.stdout


def test_native_is_chosen_where_compose_cannot_run_and_the_reason_is_told(tmp_path: Path) -> None:
    result = doctor(tmp_path, V1)
    assert "native: docker-compose 1.29.2 (v1) is too old" in result.stderr
