"""Start a command under a Python that has its packages; standard library only."""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT_PYTHON = ROOT / ".venv" / "bin" / "python"
REQUIRED_PACKAGES = ("confluent_kafka", "faker", "numpy", "psycopg2")
OLDEST_PYTHON = (3, 11)


def run(module: str, packages: Sequence[str] = REQUIRED_PACKAGES) -> int:
    """Call main() of a module; the exit status.

    Where this Python lacks a package, the one of the project's virtual environment takes
    over; without that one a message says what to install.
    """
    missing = missing_parts(packages)
    if missing:
        if PROJECT_PYTHON.is_file() and not in_project_environment():
            os.execv(PROJECT_PYTHON, [str(PROJECT_PYTHON), *sys.argv])  # noqa: S606
        sys.stderr.write(advice(missing) + "\n")
        return 1
    importlib.import_module("stack.base.caller").clear()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="replace")
    return int(importlib.import_module(module).main())


def missing_parts(packages: Sequence[str]) -> list[str]:
    """What this Python lacks: packages, or a newer Python itself."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    is_old = sys.version_info < OLDEST_PYTHON
    return ["Python 3.11 or newer", *missing] if is_old else missing


def in_project_environment() -> bool:
    """Whether the project's own Python runs already."""
    return Path(sys.prefix).resolve() == PROJECT_PYTHON.parent.parent.resolve()


def advice(missing: Sequence[str]) -> str:
    """What to tell the user about missing parts."""
    return (
        f"error: wanted the packages of the simulator; {sys.executable} lacks "
        f"{', '.join(missing)}; run `pip install -r simulator/requirements.txt` with "
        "Python 3.11 or newer, or ./initial-setup.sh, which makes a virtual environment"
    )
