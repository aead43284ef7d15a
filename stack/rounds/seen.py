"""Keep what the last good round saw in a small file, so that a restart runs nothing needlessly."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from stack.base.files import replace_file
from stack.rounds.decision import Seen


def load(path: Path) -> Seen | None:
    """What the last good round saw; None if no such file is there or it cannot be read."""
    try:
        return seen_from(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def seen_from(values: dict[str, Any]) -> Seen:
    """A record from its JSON form. Raises TypeError or ValueError where it has another shape."""
    seen = Seen(**values)
    texts = (seen.counted, seen.all, seen.newest_at, seen.project)
    if not all(isinstance(text, str) for text in texts) or not isinstance(seen.landing, dict):
        raise TypeError("a record of another version")
    return replace(seen, model_tables=tuple(seen.model_tables))


def save(path: Path, seen: Seen) -> None:
    """Replace the record as a whole."""
    replace_file(path, json.dumps(asdict(seen), indent=1))


def mark_stale(path: Path) -> None:
    """Note that tables were written outside a round, so that the next round looks after them."""
    seen = load(path)
    if seen:
        save(path, replace(seen, is_current=False))
