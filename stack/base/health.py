"""Health files of the lander and the dbt runner: one JSON object each, replaced as a whole.

Keys of each: `state`, `updated_at` (ISO 8601 in UTC) and `pid`, then what the service tells
besides.
A service writes its file every few seconds: an old file means that it has ended or hangs.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stack.base.files import replace_file

# A service writes its file every two seconds; a machine under load may be late.
SILENT_SECONDS = 60.0
BAD_STATES = {"failed", "stopped"}


def iso(moment: datetime) -> str:
    """A UTC time to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def write(path: Path, state: str, now: datetime, facts: Mapping[str, Any]) -> None:
    """Tell how this process is. facts: what it tells besides."""
    head = {"state": state, "updated_at": iso(now), "pid": os.getpid()}
    replace_file(path, json.dumps({**head, **facts}, indent=1) + "\n")


def read(path: Path) -> dict[str, Any]:
    """A health file's content; empty if there is none to be read."""
    try:
        health: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return health


def note(path: Path) -> str:
    """What a service says of itself, in a few words."""
    health = read(path)
    if not health:
        return "has not reported yet"
    age = time.time() - path.stat().st_mtime
    stale = f"; silent for {age:.0f} s" if age > SILENT_SECONDS else ""
    return describe(health) + stale


def is_alive(path: Path) -> bool:
    """Whether a service that has written its file still does."""
    return time.time() - path.stat().st_mtime <= SILENT_SECONDS


def is_since(path: Path, seconds: float) -> bool:
    """Whether a file was written within so many seconds; not where there is none."""
    return path.exists() and time.time() - path.stat().st_mtime <= seconds


def is_good(path: Path) -> bool:
    """Whether a service lives and does its work.

    A lander that waits for another service is unhealthy, and says why; a dbt runner is healthy only
    while its rounds succeed. Waiting for the first landing tables is no failure of its own.
    """
    health = read(path)
    if not health or not is_alive(path):
        return False
    if health.get("consecutive_failures") or health["state"] in BAD_STATES:
        return False
    return all(landing["state"] in {"running", "starting"} for landing in topics(health).values())


def topics(health: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The lander's topics; none in the file of another service."""
    found: dict[str, dict[str, Any]] = health.get("topics", {})
    return found


def describe(health: dict[str, Any]) -> str:
    """The values of a health file that people ask for first."""
    wanted = ("state", "result", "next_round_at")
    words = [f"{key} {health[key]}" for key in wanted if health.get(key) is not None]
    return ", ".join([*words, *map(describe_topic, topics(health).items())])


def describe_topic(topic: tuple[str, dict[str, Any]]) -> str:
    """How far the landing of one topic is; why it waits, where it does."""
    name, landing = topic
    if landing["reason"]:
        return f"{name} {landing['state']}: {landing['reason']}"
    committed = landing["last_commit_at"] or "no commit since start"
    return f"{name} lag {landing['lag']} ({committed[11:19] if landing['commits'] else committed})"
