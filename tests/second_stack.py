"""Write the settings of the integration tests' stack: own ports, own state folder.

Usage: python -m tests.second_stack MODE   (native or compose; METERHOUSE_ENV names the file)
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from stack.base import env_file
from stack.base.settings import EXAMPLE_FILE, env_file_path, parse_env_file

CHANGES = {
    "PROJECT_NAME": "meterhousetest",
    "TRINO_HEAP": "2G",
    # The tests say when a round runs and how often the lander commits.
    "DBT_AUTO_RUN": "false",
    "LANDING_COMMIT_SECONDS": "1",
}


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


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
