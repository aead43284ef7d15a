"""Tell the outside how the lander is, in its health file (stack/base/health.py).

`state` in STATE_DIR/health/lander.json is the worst of its topics; besides it holds `topics`, by
name, each with `state` (starting, running, waiting, failed, stopped), `reason` (why it waits or
failed, null otherwise), `partitions` (assigned numbers), `last_commit_at` (null before the first),
`commits`, `rows` and `bytes` landed since the process started, and `lag` in messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from stack.base import health

HEALTH_FILE = Path("health") / "lander.json"
STATES = ("running", "stopped", "starting", "waiting", "failed")


@dataclass(frozen=True)
class LandingHealth:
    """How the landing of one topic is; the module's docstring explains each part."""

    state: str = "starting"
    reason: str | None = None
    partitions: tuple[int, ...] = ()
    last_commit_at: str | None = None
    commits: int = 0
    rows: int = 0
    bytes: int = 0
    lag: int = 0

    def after_commit(self, rows: int, byte_count: int, at: datetime) -> LandingHealth:
        """The same with one more commit counted."""
        return replace(
            self,
            last_commit_at=at.isoformat(timespec="seconds"),
            commits=self.commits + 1,
            rows=self.rows + rows,
            bytes=self.bytes + byte_count,
        )


def write(path: Path, topics: Mapping[str, LandingHealth], now: datetime) -> None:
    """Replace the file."""
    states = [each.state for each in topics.values()]
    worst = max(states, key=STATES.index, default="starting")
    facts = {"topics": {name: asdict(each) for name, each in topics.items()}}
    health.write(path, worst, now, facts)
