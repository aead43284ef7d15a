"""A backup without its manifest is none, and removing old ones leaves the others whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stack.backup import folder, listing, verify
from stack.backup.folder import Backup, Stored
from stack.base.errors import ConfigurationError, FatalError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make(root: Path, hour: int, *contents: str, is_finished: bool = True) -> Path:
    """A backup of objects named as their contents, in the pool and in its list."""
    place = folder.make(root, NOON + timedelta(hours=hour))
    stored = []
    for text in contents:
        path = root / folder.POOL / "a" / text
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        stored.append(Stored(f"a/{text}", len(text), folder.digest_of(path)))
    folder.write_list(place / folder.OBJECT_LIST, stored)
    sums = {folder.OBJECT_LIST: folder.digest_of(place / folder.OBJECT_LIST)}
    if is_finished:
        taken_at = NOON + timedelta(hours=hour)
        folder.finish(
            Backup(place, taken_at, taken_at + timedelta(days=6), "lakehouse", {}, 1, 3, sums)
        )
    return place


def test_a_backup_is_read_as_it_was_finished(tmp_path: Path) -> None:
    found = folder.read(make(tmp_path, 0, "old"))
    assert (found.name, found.taken_at, found.bucket) == ("2026-03-01T120000Z", NOON, "lakehouse")
    assert found.fills_gap_until == NOON + timedelta(days=6)
    assert found.listed()["a/old"].bytes == 3


def test_a_backup_that_no_topic_limits_is_read_too(tmp_path: Path) -> None:
    found = folder.read(make(tmp_path, 0))
    folder.finish(replace(found, fills_gap_until=None))
    assert folder.read(found.folder).fills_gap_until is None


def test_a_half_written_backup_is_refused_by_name(tmp_path: Path) -> None:
    place = make(tmp_path, 0, is_finished=False)
    with pytest.raises(ConfigurationError, match="half-written"):
        folder.read(place)
    with pytest.raises(ConfigurationError, match="half-written ones: 2026-03-01T120000Z"):
        folder.choose(tmp_path)


def test_the_newest_finished_backup_is_chosen(tmp_path: Path) -> None:
    make(tmp_path, 0)
    newest = make(tmp_path, 1)
    make(tmp_path, 2, is_finished=False)
    assert folder.choose(tmp_path).folder == newest
    assert folder.choose(newest).folder == newest


@pytest.mark.parametrize("content", ["", "[]", '{"taken_at": "x"}'])
def test_a_damaged_manifest_is_told(tmp_path: Path, content: str) -> None:
    place = make(tmp_path, 0)
    (place / folder.MANIFEST).write_text(content)
    with pytest.raises(FatalError, match="the manifest"):
        folder.read(place)


def test_no_backup_at_all_is_told_with_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="bin/stack backup"):
        folder.choose(tmp_path / "none")


def test_pruning_takes_old_and_half_written_backups_and_only_their_objects(tmp_path: Path) -> None:
    make(tmp_path, 0, "old", "shared")
    make(tmp_path, 1, "half", is_finished=False)
    kept = [make(tmp_path, 2, "shared", "mid"), make(tmp_path, 3, "new")]
    removed = folder.prune(tmp_path, 2)
    assert removed == ["2026-03-01T120000Z", "2026-03-01T130000Z"]
    assert {path.name for path in (tmp_path / folder.POOL).rglob("*") if path.is_file()} == {
        "shared",
        "mid",
        "new",
    }
    for path in kept:
        backup = folder.read(path)
        assert verify.problems_of_files(backup, backup.listed(), deep=True) == []


def test_pruning_with_zero_keeps_every_finished_backup(tmp_path: Path) -> None:
    make(tmp_path, 0, "old")
    make(tmp_path, 1, "new")
    assert folder.prune(tmp_path, 0) == []


@pytest.mark.parametrize("key", ["/etc/passwd", "a/../../b", "a\tb", "a\nb", "folder/", "a//b"])
def test_a_key_that_leads_elsewhere_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(FatalError, match="plain paths"):
        folder.place_of(tmp_path, key)


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda path: path.unlink(), "a/old: missing"),
        (lambda path: path.write_text("older"), "a/old: 5 bytes, 3 were copied"),
        (lambda path: path.write_text("odd"), "a/old: another content than was copied"),
    ],
    ids=["missing", "another size", "another content"],
)
def test_a_damaged_object_is_found(tmp_path: Path, harm: object, expected: str) -> None:
    backup = folder.read(make(tmp_path, 0, "old"))
    assert callable(harm)
    harm(tmp_path / folder.POOL / "a" / "old")
    assert verify.problems_of_files(backup, backup.listed(), deep=True) == [expected]


def test_a_damaged_list_is_found(tmp_path: Path) -> None:
    backup = folder.read(make(tmp_path, 0, "old"))
    listed = backup.listed()
    (backup.folder / folder.OBJECT_LIST).write_text("")
    found = verify.problems_of_files(backup, listed, deep=False)
    assert found == ["objects.tsv: another content"]


def test_the_list_tells_until_when_the_topics_fill_the_gap(tmp_path: Path) -> None:
    place = make(tmp_path, 0, "old")
    assert "until 2026-03-07 12:00 UTC" in listing.line_of(place, 24, NOON)
    too_late = listing.line_of(place, 24, NOON + timedelta(days=6, seconds=1))
    assert "! too old since 2026-03-07 12:00 UTC" in too_late
    half = make(tmp_path, 1, is_finished=False)
    assert "half-written" in listing.line_of(half, 24, NOON)
