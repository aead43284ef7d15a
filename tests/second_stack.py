"""Write the settings of the integration tests' stack: own ports, own state folder.

Usage: python -m tests.second_stack MODE   (native or compose; METERHOUSE_ENV names the file)
"""

from __future__ import annotations

import os
import sys
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
    "LANDING_COMMIT_SECONDS": "1",
}


def port_settings() -> dict[str, str]:
    """Every port of a stack, free now."""
    names = [name for name in parse_env_file(EXAMPLE_FILE) if name.endswith("_PORT")]
    return dict(zip(names, map(str, free_ports(len(names))), strict=True))


def main(path: Path, mode: str) -> None:
    """Create the env file at `path` unless it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folders = {
        "STATE_DIR": f".stack-test/{mode}/state",
        "BACKUP_DIR": f".stack-test/{mode}/backup",
    }
    env_file.create(path, CHANGES | port_settings() | folders)


if __name__ == "__main__":
    main(env_file_path(os.environ), sys.argv[1])
