"""Packages that benchmarks need and setup does not install."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable

from stack.base.errors import ConfigurationError

NEEDED = {"comparison": "duckdb", "thirty_days": "duckdb"}
LOCK = "requirements/dev.txt"


def check(names: Iterable[str]) -> None:
    """Raise ConfigurationError if one of these benchmarks lacks a package."""
    wanted = {NEEDED[name] for name in names if name in NEEDED}
    missing = sorted(package for package in wanted if importlib.util.find_spec(package) is None)
    if missing:
        raise ConfigurationError(
            f"the packages of {LOCK}, which these benchmarks need",
            f"{sys.executable} without {', '.join(missing)}",
            f".venv/bin/python -m uv pip install --require-hashes -r {LOCK}",
        )
