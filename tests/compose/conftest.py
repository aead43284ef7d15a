"""Fixtures of the container tests: the running stack, as the integration tests see it."""

from __future__ import annotations

import pytest

from stack.base.settings import COMPOSE
from tests.integration.conftest import lakehouse, settings

__all__ = ["lakehouse", "settings"]


@pytest.fixture(scope="session", autouse=True)
def needs_containers(settings: object) -> None:
    """These tests are about containers; on a native stack they fail and say so."""
    if getattr(settings, "run_mode", "") != COMPOSE:
        pytest.fail("wanted a stack in containers: tests/suites/compose.sh", pytrace=False)
