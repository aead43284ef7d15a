"""Objects are copied once, whole, and come back as they were."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.backup import objects
from stack.backup.folder import Stored
from stack.base.errors import FatalError, RetriableError


class FakeStore:
    """A bucket as a dictionary. broken: raised in the middle of reading that key."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents
        self.read_keys: list[str] = []
        self.broken: dict[str, Exception] = {}

    def sizes(self) -> dict[str, int]:
        """Key -> bytes."""
        return {key: len(content) for key, content in self.contents.items()}

    def read(self, key: str) -> Iterator[bytes]:
        """In two pieces."""
        self.read_keys.append(key)
        content = self.contents[key]
        yield content[:2]
        if key in self.broken:
            raise self.broken[key]
        yield content[2:]

    def write(self, key: str, path: Path) -> None:
        """Keep the file's content."""
        self.contents[key] = path.read_bytes()


def stored(key: str, content: bytes) -> Stored:
    return Stored(key, len(content), hashlib.sha256(content).hexdigest())


def test_each_object_is_copied_with_its_sum(tmp_path: Path) -> None:
    store = FakeStore(a=b"first", b=b"second")
    found = objects.copy_in(store, tmp_path, store.sizes(), {})
    assert found == {"a": stored("a", b"first"), "b": stored("b", b"second")}
    assert (tmp_path / "a").read_bytes() == b"first"


def test_what_is_there_is_not_copied_again(tmp_path: Path) -> None:
    store = FakeStore(a=b"first", b=b"second")
    known = objects.copy_in(store, tmp_path, {"a": 5}, {})
    store.read_keys.clear()
    found = objects.copy_in(store, tmp_path, store.sizes(), known)
    assert store.read_keys == ["b"]
    assert found["a"] == stored("a", b"first")


def test_what_a_half_written_backup_left_is_counted_again(tmp_path: Path) -> None:
    store = FakeStore(a=b"first")
    objects.copy_in(store, tmp_path, store.sizes(), {})
    found = objects.copy_in(store, tmp_path, store.sizes(), {})
    assert found == {"a": stored("a", b"first")}


def test_an_object_that_went_meanwhile_is_left_out(tmp_path: Path) -> None:
    store = FakeStore(a=b"first")
    assert objects.copy_in(store, tmp_path, {"gone": 3}, {}) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), RetriableError("store", "503", "again")],
    ids=["disk full", "store away"],
)
def test_a_interrupted_copy_leaves_no_part_under_the_objects_name(
    tmp_path: Path, error: Exception
) -> None:
    store = FakeStore(a=b"first")
    store.broken["a"] = error
    with pytest.raises(RetriableError):
        objects.copy_in(store, tmp_path, store.sizes(), {})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    store = FakeStore(a=b"first")
    store.broken["a"] = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(RetriableError, match=r"wanted room for the backup.*BACKUP_KEEP"):
        objects.copy_in(store, tmp_path, store.sizes(), {})


def test_a_copy_that_cannot_fit_is_not_begun(tmp_path: Path) -> None:
    store = FakeStore()
    with pytest.raises(RetriableError, match=r"1000000000\.0 GB to copy"):
        objects.copy_in(store, tmp_path, {"a": 10**18}, {})
    assert store.read_keys == []


def test_only_what_the_bucket_lacks_is_put_back(tmp_path: Path) -> None:
    store = FakeStore(a=b"first", b=b"second", c=b"third")
    listed = objects.copy_in(store, tmp_path, store.sizes(), {})
    store.contents = {"a": b"first", "b": b"cut", "newer": b"stays"}
    assert objects.copy_back(store, tmp_path, listed) == 2
    assert store.contents == {"a": b"first", "b": b"second", "c": b"third", "newer": b"stays"}


def test_a_file_that_changed_is_not_put_back(tmp_path: Path) -> None:
    store = FakeStore(a=b"first")
    listed = objects.copy_in(store, tmp_path, store.sizes(), {})
    store.contents = {}
    (tmp_path / "a").write_bytes(b"worse")
    with pytest.raises(FatalError, match="another content"):
        objects.copy_back(store, tmp_path, listed)
    assert store.contents == {}
