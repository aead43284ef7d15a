"""What every sending command shares: stop signals, delivery, truth file, report, totals."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from simulator.delivery import Delivery, OnAcknowledged
from simulator.outputs import TruthFile, report, write_report
from simulator.reports import Reports
from simulator.screen import Screen, total_lines
from simulator.simulation import Outgoing


class StopFlag:
    """Set by Ctrl+C or SIGTERM; the second time it asks to give up waiting as well."""

    def __init__(self) -> None:
        self.stopped = False
        self.given_up = False

    def listen(self) -> None:
        """Take over the two signals."""
        signal.signal(signal.SIGINT, self.on_signal)
        signal.signal(signal.SIGTERM, self.on_signal)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Note a signal."""
        self.given_up = self.stopped
        self.stopped = True


@dataclass(frozen=True)
class Session:
    """One run that sends: where to, and what it leaves behind.

    reports: told what was acknowledged, None to tell nobody.
    """

    topic: str
    logs_topic: str
    delivery: Delivery
    truth: TruthFile
    report_path: Path | None
    screen: Screen
    stop: StopFlag
    reports: Reports | None = None

    def send(
        self,
        chunk: Outgoing,
        on_sent: OnAcknowledged | None = None,
        on_logged: OnAcknowledged | None = None,
    ) -> None:
        """Send a chunk and write its truth."""
        self.truth.write(chunk.truths)
        if chunk.slots:
            self.truth.write_slots(chunk.slots)
        # What Kafka has must be there after a kill, too.
        self.truth.flush()
        self.delivery.send(self.topic, chunk.keys, chunk.values, on_sent)
        if chunk.logs:
            self.truth.write(line.truth for line in chunk.logs)
            keys = [line.key for line in chunk.logs]
            texts = [line.text.encode() for line in chunk.logs]
            self.delivery.send(self.logs_topic, keys, texts, on_logged)
        if self.reports:
            self.reports.update(self.delivery.counts)

    def finish(self, run: Mapping[str, Any]) -> int:
        """Wait for acknowledgements, show totals, write the report; the exit status."""
        waiting = self.delivery.outstanding
        if self.stop.stopped and waiting:
            self.screen.line(
                f"Waiting for {waiting:,} acknowledgements (Ctrl+C again to give up) ..."
            )
        self.delivery.finish(lambda: self.stop.given_up)
        self.truth.flush()
        problem = self.reports.report(self.delivery.counts) if self.reports else ""
        if problem:
            self.screen.line(f"What was acknowledged is not in PostgreSQL: {problem}")
        total = self.delivery.total
        self.screen.lines(total_lines(self.delivery.counts, total))
        self.screen.line(f"Truth: {sum(self.truth.counts.values()):,} facts in {self.truth.path}")
        if self.report_path:
            write_report(self.report_path, report(run, self.delivery.counts, self.truth))
        return 1 if total.failed else 0
