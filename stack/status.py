"""One line a service: state, memory, time since its start, address, and what it says of itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from stack.native import foundation, pipeline
from stack.paths import Paths
from stack.settings import Settings
from stack.supervision import State, Supervisor

GOOD = "RUNNING"


def show(settings: Settings, paths: Paths, say: Callable[[str], None]) -> bool:
    """Print the table; return whether every service runs."""
    states = Supervisor(settings, paths).states()
    if not states:
        say("nothing runs; start it with ./initial-setup.sh")
        return False
    addresses = {
        service.name: service.address
        for service in [*foundation(settings, paths), *pipeline(settings)]
    }
    say(f"{'service':<10} {'state':<9} {'memory':>8} {'up':>9}  address")
    for state in states:
        note = addresses.get(state.name) or health_note(paths.health / f"{state.name}.json")
        say(line(state, note))
    say(f"{'':<20} {sum(state.memory_mb for state in states):>5.0f} MB in all")
    return all(state.status == GOOD for state in states)


def line(state: State, note: str) -> str:
    """A service in one line."""
    up = str(timedelta(seconds=int(state.up_seconds)))
    return f"{state.name:<10} {state.status:<9} {state.memory_mb:>5.0f} MB {up:>9}  {note}"


def health_note(path: Path) -> str:
    """What a service of our own wrote about itself, in a few words."""
    try:
        health = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "has not reported yet"
    age = time.time() - path.stat().st_mtime
    stale = f"; silent for {age:.0f} s" if age > 60 else ""
    return describe(health) + stale


def describe(health: dict[str, Any]) -> str:
    """The values of a health file that people ask for first."""
    wanted = ("state", "result", "next_round_at")
    words = [f"{key} {health[key]}" for key in wanted if health.get(key) is not None]
    return ", ".join([*words, *map(describe_topic, health.get("topics", {}).items())])


def describe_topic(topic: tuple[str, dict[str, Any]]) -> str:
    """How far the landing of one topic is; why it waits, where it does."""
    name, landing = topic
    if landing["reason"]:
        return f"{name} {landing['state']}: {landing['reason']}"
    committed = landing["last_commit_at"] or "no commit since start"
    return f"{name} lag {landing['lag']} ({committed[11:19] if landing['commits'] else committed})"
