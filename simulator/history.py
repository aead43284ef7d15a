"""History mode: the readings of a past span, as fast as they can be made and delivered."""

from __future__ import annotations

import time

from simulator.clock import by_days
from simulator.hashing import Integers
from simulator.screen import Screen
from simulator.session import Session
from simulator.simulation import Simulation

PROGRESS_SECONDS = 2.0


class HistoryProgress:
    """Says every two seconds how far a run is."""

    def __init__(self, screen: Screen, total: int, now: float) -> None:
        self.screen = screen
        self.total = total
        self.started = now
        self.shown = now

    def update(self, done: int, now: float) -> None:
        """Show a line if the last one is long enough ago."""
        if now - self.shown < PROGRESS_SECONDS:
            return
        self.shown = now
        self.screen.line(
            f"  {done:,} of about {self.total:,} readings "
            f"({done / self.total:.0%}, {done / (now - self.started):,.0f} a second)"
        )


def run_history(session: Session, simulation: Simulation, ends_ms: Integers) -> None:
    """Send the readings of all intervals, then what faults held back."""
    total = len(ends_ms) * len(simulation.fleet)
    progress = HistoryProgress(session.screen, total, time.monotonic())
    done = 0
    for chunk_ends in by_days(ends_ms, simulation.days_a_chunk()):
        if session.stop.stopped:
            break
        chunk = simulation.chunk(chunk_ends)
        session.send(chunk)
        done += len(chunk.values)
        progress.update(done, time.monotonic())
    session.send(simulation.finish())
