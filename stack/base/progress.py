"""Show how far several long steps are, on one line that is renewed while they run."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

TERMINAL_SECONDS = 0.5
LOG_SECONDS = 10.0


class StepReport:
    """How far one step is; called by the thread that does it."""

    def __init__(self, name: str, started_at: float, stream: TextIO) -> None:
        self.name = name
        self.text = "starting"
        self.finished = False
        self._started_at = started_at
        self._stream = stream

    def __call__(self, text: str) -> None:
        """Say how far the step is, in a few words."""
        self.text = text

    def done(self) -> None:
        """Print the step's closing line with its time."""
        self.finished = True
        seconds = time.monotonic() - self._started_at
        self._stream.write(
            f"\r\033[K  ✓ {self.name} ({seconds:.0f} s)\n"
            if self._stream.isatty()
            else f"  ✓ {self.name} ({seconds:.0f} s)\n"
        )
        self._stream.flush()


class ProgressDisplay:
    """A context in which reports are shown together until all are done."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._reports: list[StepReport] = []
        self._ended = threading.Event()
        self._started_at = time.monotonic()
        self._thread = threading.Thread(target=self._show, daemon=True)

    def report(self, name: str) -> StepReport:
        """Add a step."""
        report = StepReport(name, time.monotonic(), self._stream)
        self._reports.append(report)
        return report

    def __enter__(self) -> ProgressDisplay:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self._stream.isatty():
            self._stream.write("\r\033[K")

    def line(self) -> str:
        """The steps that still run, with how far each is."""
        running = " | ".join(f"{r.name}: {r.text}" for r in self._reports if not r.finished)
        return f"  {time.monotonic() - self._started_at:.0f} s  {running}"

    def _show(self) -> None:
        terminal = self._stream.isatty()
        while not self._ended.wait(TERMINAL_SECONDS if terminal else LOG_SECONDS):
            if all(report.finished for report in self._reports):
                continue
            self._stream.write(f"\r\033[K{self.line()[:110]}" if terminal else f"{self.line()}\n")
            self._stream.flush()
