"""The recorded households, for the tests that look at real load."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.base.settings import load_settings
from stack.programs.fetch import fetch_samples
from stack.programs.paths import paths_of


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder that opendsm is installed into; fetched where no setup has done so."""
    settings = load_settings({})
    fetch_samples(settings, print)
    return paths_of(settings).opendsm
