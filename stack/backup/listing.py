"""Tell which backups there are, and until when the topics fill the gap after each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from stack.backup import folder
from stack.base.text import Say


def show_backups(root: Path, restore_hours: float, say: Say) -> int:
    """Say each backup, newest last, and until when the topics fill its gap; 1 if none is good."""
    now = datetime.now(UTC)
    found = folder.folders(root)
    for path in found:
        say(line_of(path, restore_hours, now))
    if not any(map(folder.is_finished, found)):
        say(f"no finished backup in {root}; make one with bin/stack backup")
        return 1
    return 0


def line_of(path: Path, restore_hours: float, now: datetime) -> str:
    """One backup in a line."""
    if not folder.is_finished(path):
        return f"{path.name}: half-written, the next backup removes it"
    backup = folder.read(path)
    size = f"{backup.objects} objects, {megabytes(backup.bytes)}"
    return f"{path.name}: {size}; {told(backup.fills_gap_until, restore_hours, now)}"


def note(root: Path, restore_hours: float, now: datetime) -> str:
    """The newest backup in a line, for the stack's status."""
    found = folder.finished(root)
    if not found:
        return "backup: none; bin/stack backup makes one"
    return "backup: " + line_of(found[-1].folder, restore_hours, now)


def told(until: datetime | None, restore_hours: float, now: datetime) -> str:
    """Until when the topics fill the gap, as a line; a warning where that time is over."""
    if until is None:
        return "the topics fill its gap without limit"
    if until > now:
        return f"the topics fill its gap until {until:%Y-%m-%d %H:%M} UTC"
    return (
        f"! too old since {until:%Y-%m-%d %H:%M} UTC: Kafka may delete what came after it within "
        f"the {restore_hours:g} h of a restore; back up more often, or raise retention.ms"
    )


def megabytes(count: int) -> str:
    """Bytes in words."""
    return f"{count / 1e6:.1f} MB"
