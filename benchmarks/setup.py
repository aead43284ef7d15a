"""Measure setup and memory: `python -m benchmarks.setup`, beside a running stack or without one.

A stack of its own is set up twice in native mode: the first time with empty state but with the
downloads and Python packages that are here already, the second time running. Then its services'
memory is read, before any message has come. It is stopped and deleted afterwards.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import figures
from benchmarks.figures import Figure, Report
from stack.base import env_file
from stack.base.errors import FatalError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import EXAMPLE_FILE, Settings, load_settings, parse_env_file
from stack.clients import trino
from stack.modes import native
from tests.second_stack import port_settings

SETUP_SECONDS = 900
SETUP = PROJECT_ROOT / "initial-setup.sh"


def new_stack(folder: str) -> dict[str, str]:
    """The environment of a stack with free ports whose state is in this folder of the project."""
    path = PROJECT_ROOT / folder / ".env"
    path.parent.mkdir(parents=True)
    changes = {"PROJECT_NAME": "meterhousesetup", "STATE_DIR": f"{folder}/state"}
    env_file.create(path, changes | port_settings())
    known = parse_env_file(EXAMPLE_FILE)
    kept = {name: value for name, value in os.environ.items() if name not in known}
    return kept | {"METERHOUSE_ENV": str(path)}


def setup(words: Sequence[str], environment: Mapping[str, str]) -> float:
    """Run the setup script; its seconds. Raises FatalError with the end of its output."""
    started = time.monotonic()
    done = subprocess.run(
        [str(SETUP), *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SETUP_SECONDS,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:]
        raise FatalError(f"{SETUP.name} {' '.join(words)} to end well", said, "see above")
    return time.monotonic() - started


def measure(options: argparse.Namespace, settings: Settings) -> Report:
    """Set up, set up again, look, delete."""
    environment = new_stack(f".stack-test/setup-{uuid.uuid4().hex[:8]}")
    own = load_settings(environment)
    try:
        first_s = setup(["--native"], environment)
        again_s = setup(["--native"], environment)
        ((meters,),) = trino.client(own).rows(
            "select count(*) from postgresql.public.device_master"
        )
        if meters != own.num_devices:
            raise FatalError(f"{own.num_devices} meters in the master data", f"{meters}", "look")
        memory = {state.name: state.memory_mb for state in native.states(own)}
    finally:
        setup(["reset", "--yes"], environment)
        Path(environment["METERHOUSE_ENV"]).unlink()
    return Report(
        f"native, {own.num_devices} meters, TRINO_HEAP={own.trino_heap}",
        "setup's own readiness check, and the master data read through Trino",
        (
            Figure("first setup, downloads and packages there", first_s, "s"),
            Figure("setup again, all running", again_s, "s"),
            *(Figure(f"memory of {name}", value, "MB") for name, value in memory.items()),
            Figure("memory of all services", sum(memory.values()), "MB"),
        ),
    )


def main(words: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.setup", description=__doc__)
    return figures.run(parser, measure, words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
