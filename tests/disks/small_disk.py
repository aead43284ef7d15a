"""A file system of one service, which a test fills and frees."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of its own at a folder. Fails the test where the folder has none."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_mount():
            pytest.fail(
                f"wanted a file system of its own at {folder}; found a folder; "
                "run the tests by tests/suites/disks.sh",
                pytrace=False,
            )
        self._folder, self._ballast = folder, folder / "ballast"

    def __enter__(self) -> SmallDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self.free()

    @property
    def free_bytes(self) -> int:
        """Room for data."""
        return shutil.disk_usage(self._folder).free

    def fill(self, room: int) -> None:
        """Take all but so many bytes."""
        with self._ballast.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, self.free_bytes - room)

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)
