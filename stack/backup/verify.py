"""Whether a backup is whole: what its catalog names is there, in its size, as it was copied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from stack.backup.databases import CatalogEntry
from stack.backup.folder import Backup, Stored, digest_of, place_of
from stack.backup.tables import Walk


def problems_of_tables(
    entries: list[CatalogEntry], pool: Path, bucket: str, listed: Mapping[str, Stored]
) -> list[str]:
    """What the tables need and the list lacks, or has in another size than Iceberg wrote down."""
    walk = Walk(pool, bucket)
    walk.follow(entries)
    return list(lacking(walk.needed, {key: each.bytes for key, each in listed.items()}))


def lacking(needed: Mapping[str, int | None], there: Mapping[str, int]) -> Iterator[str]:
    """What is needed and not there in its size, told. needed: key -> bytes, None for any."""
    for key, size in sorted(needed.items()):
        if key not in there:
            yield f"{key}: a table refers to it, and it is missing"
        elif size is not None and there[key] != size:
            yield f"{key}: {there[key]} bytes, and a table says {size}"


def problems_of_files(backup: Backup, listed: Mapping[str, Stored], *, deep: bool) -> list[str]:
    """What is not in the folder as the backup says. deep: the content of every object too."""
    found = [
        f"{name}: {'missing' if not (backup.folder / name).is_file() else 'another content'}"
        for name, digest in sorted(backup.sums.items())
        if not (backup.folder / name).is_file() or digest_of(backup.folder / name) != digest
    ]
    for key, each in sorted(listed.items()):
        path = place_of(backup.pool, key)
        if not path.is_file():
            found.append(f"{key}: missing")
        elif path.stat().st_size != each.bytes:
            found.append(f"{key}: {path.stat().st_size} bytes, {each.bytes} were copied")
        elif deep and digest_of(path) != each.sha256:
            found.append(f"{key}: another content than was copied")
    return found
