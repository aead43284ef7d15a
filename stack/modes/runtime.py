"""The verbs of a way to run the stack, natively or in containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from stack.base.settings import Settings
from stack.base.text import Say


@dataclass(frozen=True)
class State:
    """How one service is.

    status: a word, as supervisor or Docker puts it. memory_mb: resident. up_seconds: since its
    last start. note: its address, or what it says of itself.
    """

    name: str
    status: str
    is_good: bool
    memory_mb: float = 0.0
    up_seconds: float = 0.0
    note: str = ""


class Runtime(Protocol):
    """One way to run the stack."""

    def fetch(self, settings: Settings, say: Say) -> None:
        """Bring what the services run on, once."""

    def start(self, settings: Settings, say: Say) -> None:
        """Bring everything up and wait until each service answers; safe to call again."""

    def start_stores(self, settings: Settings, say: Say) -> None:
        """Bring up what keeps data (PostgreSQL, Kafka, the object store) and nothing that writes.

        PostgreSQL has its roles, databases and tables then.
        """

    def stop(self, settings: Settings, say: Say) -> None:
        """End every service without loss."""

    def erase(self, settings: Settings, say: Say) -> None:
        """Delete every service's data."""

    def states(self, settings: Settings) -> list[State]:
        """How every service is; empty if nothing runs."""

    def log_lines(self, settings: Settings, name: str, count: int) -> list[str]:
        """The last lines a service logged."""

    def tool(
        self, settings: Settings, name: str, arguments: Sequence[str]
    ) -> tuple[list[str], Mapping[str, str]]:
        """The command and the environment that point a tool at this stack."""
