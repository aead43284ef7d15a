"""Measure setup, the demo and memory: `python -m benchmarks.setup`, a running stack or none beside.

The last commit is cloned, and the clone gets a stack of its own in native mode. The demo is taken
from nothing: no state, no Python packages, no downloads in the user's cache; then with empty state
but with packages and downloads there; then with all services running. The services' memory is read
before any message has come. Stack and clone are deleted afterwards.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure, Report
from benchmarks.stacks import Stack, new_stack
from stack.base.errors import FatalError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings

BALANCE_SQL = """
select
    (select count(*) from postgresql.public.device_master),
    (select count(*) from iceberg.landing.telemetry_raw),
    (select count(*) from iceberg.staging.stg_telemetry_raw)
    + (select count(*) from iceberg.quality.quarantine_telemetry_raw),
    (select count(distinct device_id) from iceberg.marts.device_daily_metrics)
"""


@contextmanager
def clone() -> Iterator[Path]:
    """A clone of the last commit, deleted after the block."""
    parent = PROJECT_ROOT / ".stack-test"
    parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="clone-", dir=parent))
    # Setup's database runs as another user, who must be able to enter.
    folder.chmod(0o755)
    try:
        subprocess.run(["git", "clone", "--quiet", PROJECT_ROOT, folder / "checkout"], check=True)
        yield folder / "checkout"
    finally:
        shutil.rmtree(folder)


def demo(stack: Stack) -> float:
    """Seconds of the demo. Raises FatalError unless it filled the marts and lost nothing."""
    seconds = stack.setup("demo", "--native")
    ((meters, landed, judged, with_marts),) = stack.sql(BALANCE_SQL)
    wanted = stack.settings.num_devices
    if not landed or judged != landed or meters != wanted or with_marts != wanted:
        raise FatalError(
            f"{wanted} meters with marts, every landed message accepted or quarantined",
            f"{meters} meters, {with_marts} with marts, {landed} landed, {judged} judged",
            "run ./initial-setup.sh demo and look",
        )
    return seconds


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """The demo three times, setup twice, memory."""
    with clone() as checkout:
        kept = {} if options.keep_downloads else {"XDG_CACHE_HOME": str(checkout.parent / "cache")}
        with new_stack(checkout, {}, kept) as stack:
            nothing_s = demo(stack)
            stack.setup("reset", "--yes")
            there_s = demo(stack)
            stack.setup("reset", "--yes")
            first_s = stack.setup("--native")
            again_s = stack.setup("--native")
            memory = {service.name: service.memory_mb for service in stack.services()}
            up_s = demo(stack)
            meters, heap = stack.settings.num_devices, stack.settings.trino_heap
    from_nothing = Figure("demo, from nothing", nothing_s, "s", at_most=300)
    return Report(
        f"native, {meters} meters, TRINO_HEAP={heap}",
        "setup's own readiness check; after each demo, by SQL, every meter has marts and every "
        "landed message was accepted or quarantined",
        (
            *(() if options.keep_downloads else (from_nothing,)),
            Figure("demo, downloads and packages there", there_s, "s", at_most=60),
            Figure("demo, all services running", up_s, "s", at_most=20),
            Figure("first setup, downloads and packages there", first_s, "s"),
            Figure("setup again, all services running", again_s, "s"),
            *(Figure(f"memory of {name}", value, "MB") for name, value in memory.items()),
            Figure("memory of all services", sum(memory.values()), "MB", at_most=2200),
        ),
    )


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.setup", description=__doc__)
    parser.add_argument(
        "--keep-downloads", action="store_true", help="leave out the demo from nothing"
    )
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
