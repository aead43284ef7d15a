"""Two versions measured by turns in one run: their names in figures, and what they are."""

from __future__ import annotations

import tomllib
from pathlib import Path

OLD, NEW = "before", "now"


def version_of(checkout: Path) -> str:
    """The version of a checkout, by its pyproject.toml."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])
