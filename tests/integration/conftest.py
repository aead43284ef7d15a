"""Fixtures of the integration tests: the stack that METERHOUSE_ENV names, whoever started it."""

from __future__ import annotations

import pytest

from stack.base.errors import MeterhouseError
from stack.base.settings import Settings, load_settings
from stack.provision import ready
from tests.integration.lakehouse import Lakehouse


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings()


@pytest.fixture(scope="session")
def lakehouse(settings: Settings) -> Lakehouse:
    """A stack that answers; the tests fail, and say how to start it, where none does."""
    try:
        ready.wait(settings, 20, lambda text: None)
    except MeterhouseError as error:
        pytest.fail(f"{error}\nstart it with ./initial-setup.sh", pytrace=False)
    return Lakehouse(settings)
