"""Copy objects from the bucket into a folder and back: each once, checked, and never in part."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from stack.backup.folder import CHUNK_BYTES, Stored, digest_of, place_of
from stack.base.errors import FatalError, RetriableError
from stack.base.settings import Settings
from stack.clients import s3

# Enough to hide the waiting for answers, few enough to leave the store to its writers.
THREADS = 4
READ_SECONDS = 60.0
RETRIES = 3
PART = ".part"
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}

Result = TypeVar("Result")


class ObjectStore(Protocol):
    """What is asked of the object store."""

    def sizes(self) -> dict[str, int]:
        """Key -> bytes of every object."""

    def read(self, key: str) -> Iterator[bytes]:
        """An object's content in pieces. Raises KeyError if it is gone."""

    def write(self, key: str, path: Path) -> None:
        """Put a file as an object."""


class Bucket:
    """The bucket of one stack. Its methods raise RetriableError where the store fails."""

    def __init__(self, settings: Settings) -> None:
        self._client = s3.client(settings, READ_SECONDS, RETRIES)
        self._name = settings.s3_bucket
        self._endpoint = settings.s3_endpoint

    def sizes(self) -> dict[str, int]:
        """Key -> bytes of every object; none where there is no bucket.

        Keys that end with a slash are markers of folders, which PyArrow leaves: nothing is in them.
        """
        with self._answering():
            if not self._client.bucket_exists(self._name):
                return {}
            listed = self._client.list_objects(self._name, recursive=True)
            sizes = {str(each.object_name): int(each.size or 0) for each in listed}
        return {key: size for key, size in sizes.items() if not key.endswith("/")}

    def read(self, key: str) -> Iterator[bytes]:
        """An object's content in pieces. Raises KeyError if it is gone."""
        with self._answering():
            try:
                answer = self._client.get_object(self._name, key)
            except S3Error as error:
                if error.code == "NoSuchKey":
                    raise KeyError(key) from error
                raise
            try:
                yield from answer.stream(CHUNK_BYTES)
            finally:
                answer.close()
                answer.release_conn()

    def write(self, key: str, path: Path) -> None:
        """Put a file as an object."""
        with self._answering():
            self._client.fput_object(self._name, key, str(path))

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (MinioException, HTTPError) as error:
            raise RetriableError(
                f"bucket {self._name} of the object store at {self._endpoint}",
                f"{type(error).__name__}: {error}"[:300],
                "see ./initial-setup.sh status, then run it again: what is copied stays copied",
            ) from error


def copy_in(
    store: ObjectStore, pool: Path, wanted: Mapping[str, int], known: Mapping[str, Stored]
) -> dict[str, Stored]:
    """Have each wanted object in the pool; those that went meanwhile are left out.

    wanted: key -> bytes; known: what earlier backups say of the pool. Objects never change, so
    one that is there in its size is not copied again. Raises RetriableError if the disk is full.
    """
    missing = {k: n for k, n in wanted.items() if not is_there(place_of(pool, k), n)}
    check_space(pool, sum(missing.values()))

    def have(key: str) -> Stored | None:
        path, size = place_of(pool, key), wanted[key]
        if key in missing:
            return fetch(store, key, path)
        earlier = known.get(key)
        if earlier and earlier.bytes == size:
            return earlier
        return Stored(key, size, digest_of(path))

    with running_out(pool):
        return {found.key: found for found in in_parallel(have, wanted) if found}


def fetch(store: ObjectStore, key: str, path: Path) -> Stored | None:
    """Copy one object; a part of it never has its name. None if it is gone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + PART)
    digest, size = hashlib.sha256(), 0
    try:
        with draft.open("wb") as stream:
            for piece in store.read(key):
                digest.update(piece)
                size += stream.write(piece)
        draft.replace(path)
    except KeyError:
        return None
    finally:
        draft.unlink(missing_ok=True)
    return Stored(key, size, digest.hexdigest())


def copy_back(store: ObjectStore, pool: Path, listed: Mapping[str, Stored]) -> int:
    """Put back what the store lacks or holds in another size; how many objects.

    What else the store holds stays. Raises FatalError for a file that is not what was copied.
    """
    there = store.sizes()
    lacking = [key for key, each in listed.items() if there.get(key) != each.bytes]

    def put(key: str) -> None:
        path = place_of(pool, key)
        if not path.is_file() or digest_of(path) != listed[key].sha256:
            raise FatalError(
                f"{path} as it was copied",
                "another content" if path.is_file() else "no such file",
                "restore another backup; bin/stack backup --check tells which are whole",
            )
        store.write(key, path)

    for _ in in_parallel(put, lacking):
        pass
    return len(lacking)


def in_parallel(work: Callable[[str], Result], keys: Collection[str]) -> Iterator[Result]:
    """The results of some work on each key; the first failure ends it."""
    executor = ThreadPoolExecutor(THREADS)
    try:
        yield from executor.map(work, keys)
    finally:
        executor.shutdown(cancel_futures=True)


def is_there(path: Path, size: int) -> bool:
    """Whether a file is there in this size."""
    return path.is_file() and path.stat().st_size == size


def check_space(folder: Path, wanted: int) -> None:
    """Raise RetriableError unless so many bytes fit."""
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise full(folder, f"{free / 1e9:.1f} GB, and {wanted / 1e9:.1f} GB to copy")


@contextmanager
def running_out(folder: Path) -> Iterator[None]:
    """Tell of a disk that becomes full while something is written there."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise full(folder, str(error.strerror)) from error


def full(folder: Path, found: str) -> RetriableError:
    """The error of a disk without room."""
    return RetriableError(
        f"room for the backup on the disk of {folder}",
        found,
        "free some, lower BACKUP_KEEP or change BACKUP_DIR, then run it again: older backups are "
        "untouched, and what was copied is not copied again",
    )
