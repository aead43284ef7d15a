"""Fixtures of the seeded run: the running stack, as the integration tests see it."""

from __future__ import annotations

from tests.integration.conftest import lakehouse, settings

__all__ = ["lakehouse", "settings"]
