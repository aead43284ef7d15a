"""Have Trino plan, after a start, what the last round ran: the next round finds it warm.

A Trino that has just started loads and compiles what it executes for the first time, so that its
first round costs some times what every other does. `explain` plans a statement and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stack.base.errors import RetriableError


class WarmUp:
    """Statements of the last round, each planned once in the runner's life.

    ask: sends a statement. folder: where dbt keeps what it ran. beat: called after each.
    """

    def __init__(
        self, ask: Callable[[str], object], folder: Path, beat: Callable[[], object]
    ) -> None:
        self._ask, self._folder, self._beat = ask, folder, beat
        self._is_due = True

    def after_round(self, models_run: int, is_over: Callable[[], object]) -> None:
        """Warm up after the first round, unless that one ran models; stop when it is over.

        is_over: whether a round or the runner's end is wanted meanwhile.
        """
        if not self._is_due:
            return
        self._is_due = False
        files = [] if models_run else sorted(self._folder.glob("run/*/models/**/*.sql"))
        for file in files:
            if is_over():
                return
            # A model may have gone since.
            with suppress(RetriableError):
                self._ask(f"explain {file.read_text(encoding='utf-8')}")
            self._beat()
