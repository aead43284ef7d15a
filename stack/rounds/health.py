"""Tell how the runner is, in its health file (stack/base/health.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from stack.base.health import iso, write
from stack.rounds.outcome import Outcome, Result

BEAT_SECONDS = 2.0

RUNNING = "running"
# What every health file begins with.
HEAD = {"state", "updated_at", "pid"}
STATE_AFTER = {
    Result.OK: "idle",
    Result.NOTHING_NEW: "idle",
    Result.SKIPPED: "idle",
    Result.WAITING: "waiting",
    Result.FAILED: "failed",
    Result.DIFFERENCE: "failed",
    Result.STOPPED: "stopped",
}


@dataclass(frozen=True)
class Health:
    """How the runner is; times are ISO 8601 in UTC, empty fields are None.

    state: off (by setting), running, idle, waiting (for landing tables), failed (last round, or
    its reconciliation found a difference), stopped. round: number since the process started.
    started_at, seconds, result, models_run, models_failed: of the last round, of the running one
    as far as it is. next_round_at: when the next one is due. consecutive_failures: bad rounds
    since the last good one. last_success_at: end of the last good round of this process.
    """

    state: str
    updated_at: str = ""
    round: int = 0
    started_at: str | None = None
    seconds: float | None = None
    result: str | None = None
    models_run: int = 0
    models_failed: int = 0
    next_round_at: str | None = None
    consecutive_failures: int = 0
    last_success_at: str | None = None


def at_start(health: Health, number: int, now: datetime) -> Health:
    """How the runner is when a round begins."""
    return replace(
        health,
        state=RUNNING,
        round=number,
        started_at=iso(now),
        seconds=None,
        result=None,
        models_run=0,
        models_failed=0,
        next_round_at=None,
    )


def at_end(
    health: Health, outcome: Outcome, seconds: float, now: datetime, next_at: datetime
) -> Health:
    """How the runner is when a round has ended."""
    failures = health.consecutive_failures
    if outcome.result.is_good:
        failures = 0
    elif outcome.result.is_bad:
        failures += 1
    return replace(
        health,
        state=STATE_AFTER[outcome.result],
        seconds=round(seconds, 3),
        result=outcome.text,
        models_run=outcome.models_run,
        models_failed=outcome.models_failed,
        next_round_at=iso(next_at),
        consecutive_failures=failures,
        last_success_at=iso(now) if outcome.result.is_good else health.last_success_at,
    )


class HealthFile:
    """The file, written again whenever something changed and at least every BEAT_SECONDS."""

    def __init__(
        self, path: Path, utc: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._path, self._utc, self._monotonic = path, utc, monotonic
        self._written_at = monotonic()
        self.health = Health(state="starting")

    def show(self, health: Health) -> None:
        """Write how the runner is now."""
        now = self._utc()
        self.health = replace(health, updated_at=iso(now))
        facts = {name: value for name, value in asdict(health).items() if name not in HEAD}
        write(self._path, health.state, now, facts)
        self._written_at = self._monotonic()

    def beat(self) -> None:
        """Write the same again if the file is getting old."""
        if self._monotonic() - self._written_at >= BEAT_SECONDS:
            self.show(self.health)
