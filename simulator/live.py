"""Live mode: every meter reports once an interval, at its time."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from simulator.clock import live_ends
from simulator.screen import log_line, sent_line
from simulator.session import Session
from simulator.simulation import Outgoing, Simulation

LONGEST_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class LiveLimits:
    """When a live run ends by itself: after a time, or a number of readings; None is never."""

    duration_ms: int | None
    count: int | None


def run_live(session: Session, simulation: Simulation, limits: LiveLimits, quiet: bool) -> None:
    """Send until a limit or a stop signal, then what faults held back."""
    start_ms = wall_clock_ms()
    sent = 0
    for end_ms in live_ends(start_ms, simulation.interval_ms):
        if limits.duration_ms is not None and end_ms >= start_ms + limits.duration_ms:
            wait_until(session, start_ms + limits.duration_ms)
            break
        if limits.count is not None and sent >= limits.count:
            break
        if not wait_until(session, end_ms):
            break
        chunk = simulation.chunk(np.array([end_ms]))
        if limits.count is not None:
            chunk = first_messages(chunk, limits.count - sent)
        sent += len(chunk.values)
        send(session, chunk, quiet)
    send(session, simulation.finish(), quiet)


def send(session: Session, chunk: Outgoing, quiet: bool) -> None:
    """Send a chunk; its lines are shown as acknowledgements come."""
    screen = session.screen
    if quiet:
        session.send(chunk)
    else:
        session.send(
            chunk,
            lambda message: screen.line(sent_line(message)),
            lambda message: screen.line(log_line(message)),
        )


def wait_until(session: Session, moment_ms: int) -> bool:
    """Serve acknowledgements until a moment; False as soon as the run is to stop."""
    while not session.stop.stopped:
        left_ms = moment_ms - wall_clock_ms()
        if left_ms <= 0:
            return True
        session.delivery.poll(min(left_ms / 1000, LONGEST_POLL_SECONDS))
    return False


def first_messages(chunk: Outgoing, count: int) -> Outgoing:
    """The chunk with at most so many readings."""
    return replace(chunk, keys=chunk.keys[:count], values=chunk.values[:count])


def wall_clock_ms() -> int:
    """Milliseconds since 1970, from the machine's clock."""
    return time.time_ns() // 1_000_000
