"""Run all benchmarks, one after the other, and show what each found.

Usage: python -m benchmarks [--quick] [--only A,B] [--beside FOLDER] [--publish]. Each is a command
of its own too: python -m benchmarks.NAME --help.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import packages, page
from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import load_settings

# What makes each a trial of a minute.
QUICK = {
    "rounds": "--meters 10 --readings 1000 --starts 1 --warm-ups 1 --rounds 2",
    "lander": "--messages 20000 --runs 1",
    "comparison": "--messages 20000",
    "freshness": "--rate 2000 --seconds 10 --mart-rate 200 --mart-seconds 10",
    "idle_rounds": "--rounds 2",
    "history": "--days 1 --times 3 --rounds 1 --warm-ups 1 --meters 5 --readings 4 --commits 20",
    "upkeep": "--days 4 --rounds 4 --commits 2 --maintain-every 2 --young 2 --compared 2",
    "thirty_days": "--meters 5 --days 3 --questions 2",
    "simulator": "--devices 50 --days 2",
    "setup": "--keep-downloads",
}
# What compares this version with another one's checkout.
BESIDE = {"rounds", "lander"}


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does each still work?")
    parser.add_argument("--only", help=f"some of {','.join(page.TITLES)}")
    parser.add_argument(
        "--publish", action="store_true", help="keep the results in docs/ and write the page again"
    )
    parser.add_argument(
        "--beside", type=Path, help=f"another version's checkout, for {', '.join(sorted(BESIDE))}"
    )
    options = parser.parse_args(words)
    if options.quick and options.publish:
        parser.error("figures of small sizes are not published")
    measured = [name for name in page.TITLES if options.beside or name not in BESIDE]
    options.names = options.only.split(",") if options.only else measured
    if unknown := sorted(set(options.names) - set(page.TITLES)):
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(page.TITLES)}")
    if not options.beside and (alone := sorted(BESIDE & set(options.names))):
        parser.error(f"{', '.join(alone)} need --beside FOLDER; docs/performance.md makes one")
    return options


def command_of(name: str, options: argparse.Namespace, folder: Path) -> list[str]:
    """The command of one benchmark. folder: of its result."""
    return [
        *(sys.executable, "-m", f"benchmarks.{name}"),
        *(QUICK[name].split() if options.quick else []),
        *(["--beside", str(options.beside)] if name in BESIDE else []),
        *("--json", str(folder / f"{name}.json")),
    ]


def main(words: Sequence[str]) -> int:
    """Run what was asked for; 1 if one of them failed."""
    options = arguments(words)
    try:
        packages.check(options.names)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    folder = page.RESULTS if options.publish else load_settings().state_dir / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in options.names:
        print(f"\n{page.TITLES[name]}", flush=True)
        command = command_of(name, options, folder)
        if subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode:
            failed.append(name)
    if options.publish:
        page.publish()
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
