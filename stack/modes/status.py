"""One line a service: state, memory, time since its start, and its address or what it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from stack.base.settings import Settings
from stack.base.text import Say
from stack.modes.runtime import Runtime, State

LOG_LINES = 15


def show(states: Sequence[State], say: Say) -> bool:
    """Print the table; return whether every service is well."""
    if not states:
        say("nothing runs; start it with ./initial-setup.sh")
        return False
    width = max(10, *(len(state.name) for state in states))
    say(f"{'service':<{width}} {'state':<9} {'memory':>8} {'up':>9}  address")
    for state in states:
        say(line(state, width))
    say(f"{'':<{width + 10}} {sum(state.memory_mb for state in states):>5.0f} MB in all")
    return all(state.is_good for state in states)


def line(state: State, width: int) -> str:
    """A service in one line."""
    up = str(timedelta(seconds=int(state.up_seconds)))
    return (
        f"{state.name:<{width}} {state.status:<9} {state.memory_mb:>5.0f} MB {up:>9}  {state.note}"
    )


def show_problems(settings: Settings, runtime: Runtime, say: Say) -> bool:
    """Print of each unhealthy service the reason and its last log lines; whether any is."""
    bad = [state for state in runtime.states(settings) if not state.is_good]
    for state in bad:
        say(f"✗ {state.name}: {state.status}; {state.note}")
        for text in runtime.log_lines(settings, state.name, LOG_LINES):
            say(f"    {text}")
    return bool(bad)
