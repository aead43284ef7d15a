"""What stops the compose tests before they can begin."""

from __future__ import annotations


class NoEngineError(Exception):
    """No container engine can run here; the message is the reason, on one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(" ".join(reason.split()) or "no reason given")


class BuildError(Exception):
    """An image could not be made: which step, and the end of what it said."""

    def __init__(self, step: str, output: str) -> None:
        last_lines = output.strip().splitlines()[-20:]
        super().__init__("\n  ".join([f"{step} failed:", *last_lines]))
