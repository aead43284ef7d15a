"""Fixtures of the tests of a secure stack; tests/suites/secure.sh starts it."""

from __future__ import annotations

import pytest

from stack.base.errors import MeterhouseError
from stack.base.settings import Settings, load_settings
from stack.provision import ready


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The settings of a secure stack that answers."""
    found = load_settings()
    if not found.secure:
        pytest.fail(
            "the tests need a secure stack: ./initial-setup.sh demo --secure", pytrace=False
        )
    try:
        ready.wait(found, 20, lambda text: None)
    except MeterhouseError as error:
        pytest.fail(f"{error}\nstart it with ./initial-setup.sh demo --secure", pytrace=False)
    return found
