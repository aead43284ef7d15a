"""Add up the test runs' results into one closing line; exit 1 if anything failed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree


def counts(report: Path) -> tuple[int, int]:
    """Passed and failed tests of one JUnit report. A skipped test counts as failed."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))  # noqa: S314 (our own file)
    tests = sum(int(suite.get("tests", 0)) for suite in suites)
    failed = sum(
        int(suite.get(kind, 0)) for suite in suites for kind in ("failures", "errors", "skipped")
    )
    return tests - failed, failed


def main(words: Sequence[str]) -> int:
    """Print the closing line: `N passed, N failed`."""
    failed_steps = [
        word.removeprefix("--failed=") for word in words if word.startswith("--failed=")
    ]
    reports = [counts(Path(word)) for word in words if not word.startswith("--failed=")]
    passed, failed = (sum(column) for column in zip(*reports, strict=True))
    if "checks" in failed_steps:
        failed += 1
    else:
        passed += 1
    if failed_steps:
        print(f"failed: {', '.join(failed_steps)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or failed_steps or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
