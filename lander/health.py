"""Tell the outside how the lander is: one JSON file, replaced as a whole.

Keys of STATE_DIR/health/lander.json: `pid`; `written_at`, ISO 8601 in UTC; `state`, the worst of
its topics; `topics`, by name, each with `state` (starting, running, waiting, failed, stopped),
`reason` (why it waits or failed, null otherwise), `partitions` (assigned numbers), `last_commit_at`
(null before the first), `commits`, `rows` and `bytes` landed since the process started, and `lag`
in messages. The file is written every few seconds: an old `written_at` means a dead process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

HEALTH_FILE = Path("health") / "lander.json"
STATES = ("running", "stopped", "starting", "waiting", "failed")


@dataclass(frozen=True)
class Health:
    """How the landing of one topic is; the module's docstring explains each part."""

    state: str = "starting"
    reason: str | None = None
    partitions: tuple[int, ...] = ()
    last_commit_at: str | None = None
    commits: int = 0
    rows: int = 0
    bytes: int = 0
    lag: int = 0

    def after_commit(self, rows: int, byte_count: int, at: datetime) -> Health:
        """The same with one more commit counted."""
        return replace(
            self,
            last_commit_at=at.isoformat(timespec="seconds"),
            commits=self.commits + 1,
            rows=self.rows + rows,
            bytes=self.bytes + byte_count,
        )


def report(topics: Mapping[str, Health], pid: int, now: datetime) -> str:
    """The file's text."""
    states = [health.state for health in topics.values()]
    return json.dumps(
        {
            "pid": pid,
            "written_at": now.isoformat(timespec="seconds"),
            "state": max(states, key=STATES.index, default="starting"),
            "topics": {name: asdict(health) for name, health in topics.items()},
        },
        indent=2,
    )


def write(path: Path, text: str) -> None:
    """Replace the file at once, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(path)
