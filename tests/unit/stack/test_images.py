"""Each container's programs start with what its image installs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from stack.base.root import PROJECT_ROOT

REQUIREMENTS = PROJECT_ROOT / "requirements"
RUN_BY_DBT = (
    "stack.__main__",
    "stack.base.health",
    "stack.maintenance.service",
    "stack.books.by_hand",
    "stack.rounds.by_hand",
    "stack.rounds.replay",
    "stack.rounds.request",
    "stack.rounds.service",
)


def installed(image: str) -> set[str]:
    """The packages of an image."""
    text = (REQUIREMENTS / f"{image}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def test_rounds_and_maintenance_start_without_the_landers_packages() -> None:
    lacking = sorted({"minio", "numpy", "pyarrow", "pyiceberg", "faker"} - installed("dbt"))
    assert "pyarrow" in lacking
    lines = [
        "import sys",
        *(f"sys.modules[{name!r}] = None" for name in lacking),
        *(f"import {name}" for name in RUN_BY_DBT),
    ]
    result = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_minio_is_built_with_what_its_image_copies(tmp_path: Path) -> None:
    """The container tests leave this stage out: they copy programs that are compiled already."""
    text = (PROJECT_ROOT / "minio" / "Dockerfile").read_text(encoding="utf-8")
    copied = re.findall(r"(?:requirements|stack)/[\w/-]+\.\w+", text)
    assert "stack/programs/go_build.py" in copied
    for name in copied:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT_ROOT / name, tmp_path / name)

    # Without packages: the stage installs uv only, which is started as a program.
    command = [sys.executable, "-S", "-c", "import stack.programs.go_build"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
