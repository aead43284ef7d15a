"""The files a run leaves: what was true, and what was sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from simulator.delivery import TopicCount
from simulator.faults import FAULT_KINDS
from simulator.slots import KIND, Slots
from simulator.truth import Truth
from stack.base.errors import ConfigurationError


class TruthFile:
    """Facts as JSON lines, written as they come; counts them by kind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise unwritable(path, "--truth", error) from error

    def __enter__(self) -> TruthFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.file.close()

    def write(self, truths: Iterable[Truth]) -> None:
        """Append facts. Raises ConfigurationError where the file cannot take them."""
        for truth in truths:
            self.counts[truth.kind] += 1
            self._append([json.dumps(truth.record(), ensure_ascii=False) + "\n"])

    def write_slots(self, slots: Slots) -> None:
        """Append what is true of slots. Raises as write does."""
        self.counts[KIND] += len(slots)
        self._append(slots.lines())

    def flush(self) -> None:
        """Hand all facts to the operating system. Raises as write does."""
        try:
            self.file.flush()
        except OSError as error:
            raise unwritable(self.path, "--truth", error) from error

    def _append(self, lines: Iterable[str]) -> None:
        try:
            self.file.writelines(lines)
        except OSError as error:
            raise unwritable(self.path, "--truth", error) from error

    @property
    def faults(self) -> dict[str, int]:
        """Injected faults by kind."""
        return {kind: self.counts[kind] for kind in FAULT_KINDS if self.counts[kind]}


def report(
    run: Mapping[str, Any], counts: Mapping[str, TopicCount], truth: TruthFile
) -> dict[str, Any]:
    """The report of a run as a JSON object.

    run: what defines it. topics: counts by topic. faults: injected, by kind. facts: lines of
    the truth file by kind.
    """
    return {
        **run,
        "topics": {topic: count.record() for topic, count in counts.items()},
        "faults": truth.faults,
        "facts": dict(sorted(truth.counts.items())),
        "truth_file": str(truth.path),
    }


def write_report(path: Path, content: Mapping[str, Any]) -> None:
    """Write the report. Raises ConfigurationError where the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, "--report", error) from error


def unwritable(path: Path, flag: str, error: OSError) -> ConfigurationError:
    """The error for an output file that cannot be written."""
    return ConfigurationError(
        f"a file that can be written at {path}", str(error), f"name another with {flag}"
    )
