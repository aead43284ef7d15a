"""What the supervisor and the status screen have to know of one native service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Service:
    """One long-running process.

    address: where clients reach it, empty if it listens to nobody.
    stop_seconds: how long it may take to end well before it is killed.
    final_exit_code: with this code it asks not to be started again; None: it always is.
    is_once: it does one thing and ends; it is never started again by itself.
    files: files and folders that it reads at its start: where they changed, setup restarts it.
    """

    name: str
    command: Sequence[str]
    directory: Path
    address: str = ""
    stop_seconds: int = 30
    stop_signal: str = "TERM"
    final_exit_code: int | None = None
    is_once: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Path] = ()
