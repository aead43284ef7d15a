"""Close a test run: seconds of each step, the longest tests, what failed, and how many passed.

Usage: python -m tests.report FOLDER   (of results: *.xml of pytest, steps.tsv, failed)
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

LONGEST = 10


@dataclass(frozen=True)
class Test:
    """One test of a JUnit report. seconds: with its fixtures. A skipped test did not pass."""

    suite: str
    name: str
    seconds: float
    has_passed: bool


def tests_of(report: Path) -> list[Test]:
    """The tests of one JUnit report; its file's name is the suite's."""
    cases = ElementTree.parse(report).getroot().iter("testcase")  # noqa: S314 (our own file)
    return [
        Test(
            report.stem,
            f"{case.get('classname', '').removeprefix('tests.')}.{case.get('name')}",
            float(case.get("time", 0)),
            not any(case.find(kind) is not None for kind in ("failure", "error", "skipped")),
        )
        for case in cases
    ]


def lines_of(file: Path) -> list[str]:
    """The lines of a file; none where it is missing."""
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


def step_lines(lines: Iterable[str]) -> list[str]:
    """What steps.tsv says, for people: it holds seconds and title of each step."""
    steps = (line.split("\t", 1) for line in lines)
    return [f"  {seconds:>6} s  {title}" for seconds, title in steps]


def longest_lines(tests: Iterable[Test]) -> list[str]:
    """The tests that took longest."""
    longest = sorted(tests, key=lambda test: -test.seconds)[:LONGEST]
    return [f"  {test.seconds:>6.1f} s  {test.suite}: {test.name}" for test in longest]


def main(words: Sequence[str]) -> int:
    """Print the report; its last line is `N passed, N failed`. 1 if anything failed."""
    (folder,) = map(Path, words)
    tests = [test for report in sorted(folder.glob("*.xml")) for test in tests_of(report)]
    failed_steps = lines_of(folder / "failed")
    print("\nSteps", *step_lines(lines_of(folder / "steps.tsv")), sep="\n")
    print(f"\nThe longest {LONGEST} tests", *longest_lines(tests), sep="\n")
    print()
    if failed_steps:
        print(f"failed: {', '.join(failed_steps)}")
    # The checks count as one.
    passed = sum(test.has_passed for test in tests) + ("checks" not in failed_steps)
    failed = sum(not test.has_passed for test in tests) + ("checks" in failed_steps)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or failed_steps or not tests else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
