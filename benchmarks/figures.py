"""What a benchmark found: figures beside their goals, kept as JSON for the performance page."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from stack.base.errors import MeterhouseError
from stack.base.settings import Settings, load_settings


@dataclass(frozen=True)
class Figure:
    """One measured number. at_most, at_least: its goal; neither: none was set."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def goal(self) -> str:
        """The goal in words, empty without one."""
        if self.at_most is not None:
            return f"at most {number(self.at_most)}"
        return "" if self.at_least is None else f"at least {number(self.at_least)}"

    @property
    def verdict(self) -> str:
        """Met, or not; empty without a goal."""
        if not self.goal:
            return ""
        is_met = self.value <= (math.inf if self.at_most is None else self.at_most)
        is_met &= self.value >= (-math.inf if self.at_least is None else self.at_least)
        return "met" if is_met else "**not met**"


@dataclass(frozen=True)
class Report:
    """What one command found. scale: how much it measured; verified: what was proved first."""

    scale: str
    verified: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Result:
    """A report with how it came about.

    command: as typed; at: UTC, ISO 8601; seconds: the whole run; load: processes that wanted a
    processor on average in the minute before (Linux's load average); machine: processors, memory.
    """

    command: str
    at: str
    seconds: float
    load: float
    machine: str
    report: Report

    @classmethod
    def from_json(cls, text: str) -> Result:
        """Read what `to_json` wrote."""
        content = json.loads(text)
        report = content.pop("report")
        figures = tuple(Figure(**figure) for figure in report.pop("figures"))
        return cls(**content, report=Report(**report, figures=figures))

    def to_json(self) -> str:
        """The result as a JSON object, one line a field."""
        return json.dumps(asdict(self), indent=1) + "\n"


def number(value: float) -> str:
    """A number with three or four digits that matter, thousands set apart."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| figure | measured | unit | goal | |", "| --- | ---: | --- | --- | --- |"]
    for each in figures:
        cells = (each.name, number(each.value), each.unit, each.goal, each.verdict)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines).replace("|  |", "| |").replace("|  |", "| |")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def machine() -> str:
    """Processors and memory of this machine."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors, {memory_gb:.0f} GB"


def run(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace, Settings], Report],
    words: Sequence[str],
) -> int:
    """Run a benchmark's command line: measure, print the table, keep the result if asked to."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the result there too")
    options = parser.parse_args(words)
    typed = [word for word in words if word not in {"--json", str(options.json)}]
    load, at, started = os.getloadavg()[0], datetime.now(UTC), time.monotonic()
    try:
        report = measure(options, load_settings())
    except MeterhouseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    result = Result(
        command=" ".join([parser.prog, *typed]),
        at=at.isoformat(timespec="minutes"),
        seconds=round(time.monotonic() - started, 1),
        load=round(load, 1),
        machine=machine(),
        report=report,
    )
    print(f"{report.scale}\nverified: {report.verified}\n\n{table(report.figures)}")
    if options.json:
        options.json.write_text(result.to_json(), encoding="utf-8")
    return 0
