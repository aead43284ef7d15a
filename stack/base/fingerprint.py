"""A digest of files that people wrote, to see whether they changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Set
from pathlib import Path


def written_files(root: Path, generated: Set[str] = frozenset()) -> Iterator[Path]:
    """A file itself, or every file in a folder that a person wrote, in order.

    generated: names of folders that programs make. Caches and hidden folders are left out too.
    """
    if root.is_file():
        yield root
        return
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name not in generated and not name.startswith((".", "__"))
        )
        yield from (Path(folder) / name for name in sorted(names))


def fingerprint(roots: Iterable[Path], generated: Set[str] = frozenset()) -> str:
    """A digest that changes with the content or name of any written file below the roots."""
    digest = hashlib.sha256()
    for root in roots:
        for path in written_files(root, generated):
            digest.update(f"{path.relative_to(root)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
