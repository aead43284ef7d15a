"""The way this stack runs, natively or in containers."""

from __future__ import annotations

import os
from collections.abc import Sequence

from stack.base.settings import COMPOSE, Settings
from stack.modes.runtime import Runtime


def runtime_of(settings: Settings) -> Runtime:
    """The way this stack runs."""
    # Only what is used is loaded: a container has none of the native services' packages.
    if settings.run_mode == COMPOSE:
        from stack.modes import compose  # noqa: PLC0415

        return compose
    from stack.modes import native  # noqa: PLC0415

    return native


def run_tool(settings: Settings, name: str, arguments: Sequence[str]) -> None:
    """Become the tool; does not return."""
    command, environment = runtime_of(settings).tool(settings, name, arguments)
    os.execvpe(command[0], command, os.environ | environment)  # noqa: S606 (becomes the tool)
