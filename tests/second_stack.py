"""Write the settings of a stack of the tests: own ports, own state folder.

Usage: python -m tests.second_stack NAME   (of its folder; METERHOUSE_ENV names the file)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from stack.base import env_file
from stack.base.settings import EXAMPLE_FILE, env_file_path, parse_env_file
from stack.programs.ports import free_ports

CHANGES = {
    "PROJECT_NAME": "meterhousetest",
    "TRINO_HEAP": "2G",
    # Java's caches are used where they are there; making one takes processors from the tests.
    "JAVA_TRAINING": "false",
    # The tests say when a round runs and how often the lander commits.
    "DBT_AUTO_RUN": "false",
    "LANDING_COMMIT_SECONDS": "0.5",
}


def ports_of(env: Path) -> dict[str, str]:
    """The ports that a file of settings names."""
    return {name: port for name, port in parse_env_file(env).items() if name.endswith("_PORT")}


def port_settings(others: Iterable[Path] = ()) -> dict[str, str]:
    """Every port of a stack: free now, and not that of another stack, which may start meanwhile."""
    names = ports_of(EXAMPLE_FILE)
    taken = {port for env in others for port in ports_of(env).values()}
    free = map(str, free_ports(len(names) + len(taken)))
    return dict(zip(names, (port for port in free if port not in taken), strict=False))


def main(path: Path, name: str) -> None:
    """Create the env file at `path` unless it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    others = set(path.parent.parent.glob(f"*/{path.name}")) - {path}
    folders = {
        "STATE_DIR": f".stack-test/{name}/state",
        "BACKUP_DIR": f".stack-test/{name}/backup",
    }
    env_file.create(path, CHANGES | port_settings(others) | folders)


if __name__ == "__main__":
    main(env_file_path(os.environ), sys.argv[1])
