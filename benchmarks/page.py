"""The generated part of docs/performance.md: every benchmark's last result.

Run as `python -m benchmarks.page` to write the page again from the results that lie beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.figures import Result, table
from stack.base.root import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "performance.md"
RESULTS = PROJECT_ROOT / "docs" / "performance"
TITLES = {
    "rounds": "Rounds beside 0.1.0",
    "lander": "The lander beside 0.1.0",
    "comparison": "The lander against other loaders",
    "freshness": "Freshness",
    "idle_rounds": "A round with nothing new",
    "history": "Rounds and commits after a long history",
    "upkeep": "A year of rounds, with maintenance",
    "thirty_days": "A month of a fleet: rebuild, bytes, mart queries",
    "simulator": "The simulator",
    "setup": "Setup and memory",
}
BEGIN, END = "<!-- figures: python -m benchmarks --publish -->", "<!-- end of the figures -->"


def results_in(folder: Path) -> dict[str, Result]:
    """Benchmark -> its result, of those that have one."""
    return {
        path.stem: Result.from_json(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def section(title: str, result: Result | None) -> str:
    """A benchmark's heading, how it was measured, and its table."""
    if result is None:
        return f"### {title}\n\nNot measured.\n"
    return (
        f"### {title}\n\n`{result.command}`: {result.report.scale}. "
        f"Verified first: {result.report.verified}. {result.at[:10]}, {result.machine}, "
        f"load average {result.load} at the start, {result.seconds:.0f} s in all.\n\n"
        f"{table(result.report.figures)}\n"
    )


def block(results: Mapping[str, Result]) -> str:
    """The generated part; what has no result is named all the same."""
    parts = [section(title, results.get(name)) for name, title in TITLES.items()]
    return "\n".join([f"{BEGIN}\n", *parts, END])


def with_block(text: str, new: str) -> str:
    """The page with its generated part replaced. Raises ValueError if it has none."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return before + new + after


def publish() -> None:
    """Write the page again."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_block(text, block(results_in(RESULTS))), encoding="utf-8")


if __name__ == "__main__":
    publish()
