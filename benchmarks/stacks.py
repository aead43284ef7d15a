"""Set up native stacks of their own for a measurement, of this checkout or of another version's.

They are driven by what every version has: its setup script, its .env.example, supervisor's list of
services, the health file of the models' runner, Kafka and Trino. What this version reads of another
one's settings are ports, passwords and folders, whose names have stayed the same.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.processes import cpu_of_tree
from stack.base import env_file
from stack.base.errors import ConfigurationError, FatalError
from stack.base.settings import Settings, load_settings, parse_env_file
from stack.clients import trino
from stack.programs.paths import paths_of
from stack.programs.supervision import Process, Supervisor
from tests.second_stack import port_settings

SETUP_SECONDS = 1800
SETUP = "initial-setup.sh"
PASSWORD_BYTES = 18


@dataclass(frozen=True)
class Stack:
    """A stack of a checkout. environment: what its commands are called with."""

    checkout: Path
    environment: Mapping[str, str]
    settings: Settings

    def setup(self, *words: str) -> float:
        """Run its setup script; the seconds. Raises FatalError with the end of its output."""
        started = time.monotonic()
        done = subprocess.run(
            [f"./{SETUP}", *words],
            cwd=self.checkout,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SETUP_SECONDS,
            check=False,
        )
        if done.returncode:
            raise FatalError(
                f"{self.checkout / SETUP} {' '.join(words)} to end well",
                done.stdout[-2000:],
                "see above",
            )
        return time.monotonic() - started

    def services(self) -> list[Process]:
        """Its services; what has ended, as the training of Java's caches does, is none."""
        states = Supervisor(self.settings, paths_of(self.settings)).states()
        return [process for process in states if process.pid]

    def cpu(self, services: Sequence[Process]) -> dict[str, float]:
        """Service -> processor seconds since its start, of its children too."""
        return {service.name: cpu_of_tree(service.pid) for service in services}

    def health(self) -> dict[str, Any]:
        """How its runner of the models is; empty before its first word."""
        path = self.settings.state_dir / "health" / "dbt.json"
        found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return found

    def sql(self, statement: str) -> list[list[Any]]:
        """Rows of one Trino statement."""
        return trino.client(self.settings).rows(statement)


def env_text(example: str, changes: Mapping[str, str]) -> str:
    """An env file: the example with these values and fresh passwords."""
    fresh = {name: secrets.token_hex(PASSWORD_BYTES) for name in env_file.secret_names()}
    return env_file.filled(example, fresh | dict(changes))


def environment_of(checkout: Path, path: Path, more: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without settings, but with this env file."""
    known = parse_env_file(checkout / ".env.example")
    kept = {name: value for name, value in os.environ.items() if name not in known}
    return kept | {"METERHOUSE_ENV": str(path), **more}


@contextmanager
def new_stack(
    checkout: Path, changes: Mapping[str, str], more: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """A stack with free ports and empty state, not yet set up; deleted after the block.

    changes: settings that differ from the checkout's example. more: variables for its commands.
    Raises ConfigurationError where there is no checkout.
    """
    example = checkout / ".env.example"
    if not example.is_file():
        raise ConfigurationError(
            "a checkout of Meterhouse", f"no {example}", "docs/performance.md says how to make one"
        )
    # Relative: an env file's values hold no blank, a checkout's path may.
    name = f".stack-test/benchmark-{uuid.uuid4().hex[:8]}"
    folder = checkout / name
    folder.mkdir(parents=True)
    path = folder / ".env"
    folders = {"STATE_DIR": f"{name}/state", "BACKUP_DIR": f"{name}/backup"}
    own = {"PROJECT_NAME": "meterhousebenchmark"} | folders
    path.touch(mode=0o600)
    path.write_text(
        env_text(example.read_text("utf-8"), own | port_settings() | dict(changes)), "utf-8"
    )
    environment = environment_of(checkout, path, more or {})
    settings = replace(load_settings(environment), state_dir=folder / "state")
    stack = Stack(checkout, environment, settings)
    try:
        yield stack
    finally:
        stack.setup("reset", "--yes", "--native")
        shutil.rmtree(folder)
