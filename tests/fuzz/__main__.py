"""Look for batches of messages that the lander does not read as the rules say.

Guided by the code that they reach (atheris, libFuzzer), until the time is over or one is found.
What reached new code is kept in .stack-fuzz/corpus and taken up by the next run, a finding is a
file in .stack-fuzz/findings. Exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from tests.fuzz.batches import SEEDS, judge

STATE = PROJECT_ROOT / ".stack-fuzz"
WORDS = SEEDS.parent / "json.dict"
STATISTIC = re.compile(r"stat::(\w+): +(\d+)")
COVERAGE = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)/")


def main(words: Sequence[str]) -> int:
    """Fuzz, or play one file again."""
    options = arguments(words)
    if options.reproduce:
        judge(options.reproduce.read_bytes())
        print(f"{options.reproduce}: as the rules say")
        return 0
    if importlib.util.find_spec("atheris") is None:
        error = ConfigurationError(
            "atheris",
            "not installed",
            f"{sys.executable} -m uv pip install --require-hashes -r requirements/fuzz.txt "
            "(Linux on x86_64 with Python 3.11 to 3.13)",
        )
        print(error, file=sys.stderr)
        return 2
    return fuzz(options.seconds, options.seed)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="how long (600)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 10**6))
    parser.add_argument("--reproduce", metavar="PATH", type=Path, help="only judge this file")
    return parser.parse_args(words)


def fuzz(seconds: int, seed: int) -> int:
    """One run; its log goes to the error output, what came of it to the output."""
    corpus, findings = STATE / "corpus", STATE / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    log = run(
        str(corpus),
        str(SEEDS),
        f"-artifact_prefix={findings}/",
        f"-dict={WORDS}",
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        "-max_len=4096",
        "-timeout=120",
        "-print_final_stats=1",
    )
    found = sorted(set(findings.iterdir()) - before)
    print(report(log, seed, found))
    return 1 if found else 0


def run(*options: str) -> str:
    """The log of a fuzzing process, shown as it comes. Raises RuntimeError if it did not run."""
    command = [sys.executable, "-m", "tests.fuzz.target", *options]
    lines = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stderr or ():
            sys.stderr.write(line)
            lines.append(line)
    log = "".join(lines)
    if "stat::number_of_executed_units" not in log:
        raise RuntimeError(f"the fuzzer ended with {process.returncode} before its statistics")
    return log


def report(log: str, seed: int, found: Sequence[Path]) -> str:
    """What a run came to, as a list for the documentation."""
    count = dict(STATISTIC.findall(log))
    edges, features, kept = COVERAGE.findall(log)[-1]
    lines = [
        f"- Date {datetime.now(UTC):%Y-%m-%d}, seed {seed}, Python {sys.version.split()[0]}.",
        f"- {count['number_of_executed_units']} batches, {count['average_exec_per_sec']} a second; "
        f"{edges} edges and {features} features of the code reached, {kept} batches kept.",
        f"- Findings: {len(found)}.",
        *(f"  - {path}: `python -m tests.fuzz --reproduce {path}`" for path in found),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
