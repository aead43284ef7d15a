"""The folder of backups: objects that all share, and a folder for each backup.

The manifest is written last: a backup without it is half-written.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stack.base.errors import ConfigurationError, FatalError
from stack.base.files import replace_file

MANIFEST = "backup.json"
OBJECT_LIST = "objects.tsv"
POOL = "objects"
NAME_FORMAT = "%Y-%m-%dT%H%M%SZ"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Stored:
    """One object of a backup. sha256: of its content, hexadecimal."""

    key: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Backup:
    """A finished backup.

    taken_at: before the catalog was copied; fills_gap_until: how long Kafka will hold what came
    since, with the time a restore takes, None where no limit is known. bucket: the one its tables
    name. landed: topic -> what its landing table said (Landed as JSON). sums: file
    of its folder -> SHA-256.
    """

    folder: Path
    taken_at: datetime
    fills_gap_until: datetime | None
    bucket: str
    landed: Mapping[str, str]
    objects: int
    bytes: int
    sums: Mapping[str, str]

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.folder.name

    @property
    def pool(self) -> Path:
        """Where its objects are, with those of other backups."""
        return self.folder.parent / POOL

    def listed(self) -> dict[str, Stored]:
        """Its objects by key."""
        return read_list(self.folder / OBJECT_LIST)


def make(root: Path, now: datetime) -> Path:
    """The folder of a new backup, readable by its owner only."""
    folder = root / f"{now.astimezone(UTC):{NAME_FORMAT}}"
    (root / POOL).mkdir(parents=True, mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700)
    return folder


def finish(backup: Backup) -> None:
    """Write the manifest, with which the backup is whole."""
    content = {
        "taken_at": backup.taken_at.isoformat(),
        "fills_gap_until": backup.fills_gap_until and backup.fills_gap_until.isoformat(),
        "bucket": backup.bucket,
        "landed": dict(backup.landed),
        "objects": backup.objects,
        "bytes": backup.bytes,
        "sums": dict(backup.sums),
    }
    replace_file(backup.folder / MANIFEST, json.dumps(content, indent=1))


def read(folder: Path) -> Backup:
    """A finished backup. Raises ConfigurationError for a half-written one or another folder."""
    try:
        content: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        until = content.pop("fills_gap_until")
        return Backup(
            folder=folder,
            taken_at=datetime.fromisoformat(content.pop("taken_at")),
            fills_gap_until=datetime.fromisoformat(until) if until else None,
            **content,
        )
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"a finished backup in {folder}",
            f"no {MANIFEST}: half-written, or no backup" if folder.is_dir() else "no such folder",
            "choose another: bin/stack backup --list shows them",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise FatalError(
            f"the manifest {folder / MANIFEST}",
            f"{type(error).__name__}: {error}",
            "remove that folder, or name another backup",
        ) from error


def is_finished(folder: Path) -> bool:
    """Whether a backup's folder has its manifest."""
    return (folder / MANIFEST).is_file()


def folders(root: Path) -> list[Path]:
    """The folders of all backups, half-written ones too, oldest first."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name != POOL)


def finished(root: Path) -> list[Backup]:
    """The finished backups, oldest first."""
    return [read(path) for path in folders(root) if is_finished(path)]


def choose(place: Path) -> Backup:
    """The backup in a folder, or the newest finished one in a folder of backups.

    Raises ConfigurationError where there is none.
    """
    if (place / POOL).is_dir() or not place.is_dir():
        found = finished(place)
        if found:
            return found[-1]
        half = ", ".join(path.name for path in folders(place)) or "none at all"
        raise ConfigurationError(
            f"a finished backup in {place}",
            f"half-written ones: {half}" if folders(place) else half,
            "make one with bin/stack backup, or name another folder with --from",
        )
    return read(place)


def write_list(path: Path, stored: Iterable[Stored]) -> None:
    """Write the list of a backup's objects: key, bytes, SHA-256 between tabs."""
    lines = [f"{each.key}\t{each.bytes}\t{each.sha256}\n" for each in stored]
    path.write_text("".join(sorted(lines)), encoding="utf-8")


def read_list(path: Path) -> dict[str, Stored]:
    """The list of a backup's objects by key."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, size, digest = line.split("\t")
        found[key] = Stored(key, int(size), digest)
    return found


def place_of(pool: Path, key: str) -> Path:
    """The file of an object. Raises FatalError for a key that leads elsewhere."""
    path = pool / key
    if (
        key != Path(key).as_posix()
        or key.startswith("/")
        or ".." in Path(key).parts
        or "\n" in key
        or "\t" in key
    ):
        raise FatalError(
            "objects whose keys are plain paths", repr(key), "move it out of the bucket"
        )
    return path


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def prune(root: Path, keep: int) -> list[str]:
    """Remove all but the newest `keep` finished backups, and what only they held; their names.

    Half-written ones go too. keep: 0 for all finished ones.
    """
    whole = [path for path in folders(root) if is_finished(path)]
    kept = set(whole[-keep:] if keep else whole)
    removed = [path for path in folders(root) if path not in kept]
    for path in removed:
        # Without its manifest first: an interrupted removal leaves no backup that seems whole.
        (path / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(path)
    needed: set[str] = set()
    for path in kept:
        needed |= read_list(path / OBJECT_LIST).keys()
    for file in pool_files(root / POOL):
        if file.relative_to(root / POOL).as_posix() not in needed:
            file.unlink()
    return [path.name for path in removed]


def pool_files(pool: Path) -> list[Path]:
    """Every file of the pool."""
    return [path for path in pool.rglob("*") if path.is_file()]
