"""Fixtures of the tests of full disks; tests/suites/disks.sh mounts and starts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from stack.base.settings import Settings
from stack.programs.paths import paths_of
from tests.disks.small_disk import SmallDisk
from tests.integration.conftest import lakehouse, settings

__all__ = ["lakehouse", "settings"]

DiskOf = Callable[[str], SmallDisk]


@pytest.fixture
def disk_of(settings: Settings) -> Iterator[DiskOf]:
    """The disk that a service has for itself; it has room again after the test."""
    with ExitStack() as stack:
        yield lambda service: stack.enter_context(SmallDisk(paths_of(settings).data(service)))
