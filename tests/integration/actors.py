"""The services as actors that a test kills, freezes or stops, whichever way the stack runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from typing import Any

from stack.base.settings import COMPOSE, Settings
from stack.programs.paths import paths_of
from stack.programs.supervision import Supervisor

CONTAINERS = {
    "postgres": "postgres",
    "kafka": "kafka-kraft",
    "minio": "minio-storage",
    "trino": "trino-coordinator",
    "lander": "telemetry-lander",
    "dbt": "dbt-transformations",
    "explorer": "explorer",
    "kafka-ui": "kafka-ui",
}


@dataclass(frozen=True)
class Actors:
    """Handles on the services of one stack, by their native names."""

    settings: Settings

    @property
    def in_containers(self) -> bool:
        """Whether the services run in containers."""
        return self.settings.run_mode == COMPOSE

    @property
    def supervisor(self) -> Supervisor:
        """What runs the native services."""
        return Supervisor(self.settings, paths_of(self.settings))

    def pids(self) -> dict[str, int]:
        """The process of each service as the host sees it; a container's first process."""
        if not self.in_containers:
            return {process.name: process.pid for process in self.supervisor.states()}
        return {name: int(inspect(CONTAINERS[name])["State"]["Pid"]) for name in CONTAINERS}

    def kill(self, service: str) -> None:
        """End a service as a crash does: nothing is told to it or to what restarts it."""
        os.kill(self._pid(service), signal.SIGKILL)

    def freeze(self, service: str) -> None:
        """Let a service stand still."""
        if self.in_containers:
            docker("pause", CONTAINERS[service])
        else:
            os.kill(self._pid(service), signal.SIGSTOP)

    def resume(self, service: str) -> None:
        """Let a frozen service go on."""
        if self.in_containers:
            docker("unpause", CONTAINERS[service])
        else:
            os.kill(self._pid(service), signal.SIGCONT)

    def stop(self, service: str) -> None:
        """End a service in good order; it stays away."""
        if self.in_containers:
            docker("stop", CONTAINERS[service])
        else:
            self.supervisor.stop(service)

    def start(self, service: str) -> None:
        """Start a stopped service."""
        if self.in_containers:
            docker("start", CONTAINERS[service])
        else:
            self.supervisor.start(service)

    def _pid(self, service: str) -> int:
        pid = self.pids().get(service)
        assert pid, f"{service} does not run"
        return pid


def docker(*words: str) -> str:
    """What a docker command prints; the test fails if it does."""
    result = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"docker {' '.join(words)}: {result.stdout}{result.stderr}"
    return result.stdout


def inspect(container: str) -> dict[str, Any]:
    """What Docker knows of one container."""
    (found,) = json.loads(docker("inspect", container))
    return dict(found)
