"""Install a locked wheel into a folder of its own, apart from the project's environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT


def install(name: str, target: Path) -> None:
    """Install requirements/<name>.txt, hashes checked, without dependencies, into `target`.

    Raises ConfigurationError with the installer's own words.
    """
    lock = PROJECT_ROOT / "requirements" / f"{name}.txt"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"]
    options = [
        "--require-hashes",
        "--link-mode",
        "copy",
        "--target",
        str(target),
        "-r",
        str(lock),
    ]
    result = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ConfigurationError(
            f"the packages of requirements/{name}.txt",
            result.stderr.strip(),
            "check that the Python package index can be reached and run setup again",
        )
