"""These tests need the stack that METERHOUSE_ENV names, as the integration tests do."""

from tests.integration.conftest import lakehouse, settings

__all__ = ["lakehouse", "settings"]
