"""Where things lie: downloads in the user's cache, everything of one stack in its state folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings


def cache_folder() -> Path:
    """Downloads and builds, shared by all checkouts of one user (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "meterhouse"


@dataclass(frozen=True)
class Paths:
    """The folders and files of one stack and the programs it runs.

    state: data, logs and generated configuration of this stack.
    cache: downloads, checked and unpacked.
    """

    state: Path
    cache: Path
    kafka: Path
    trino: Path
    trino_cli: Path
    minio: Path
    mc: Path
    seaweedfs: Path
    opendsm: Path

    @property
    def logs(self) -> Path:
        """Log files of every service, rotated."""
        return self.state / "logs"

    @property
    def health(self) -> Path:
        """JSON files in which the lander and the scheduler say how they are."""
        return self.state / "health"

    @property
    def supervisor_config(self) -> Path:
        """Generated configuration of supervisord, readable by its owner only."""
        return self.state / "supervisord.conf"

    @property
    def trino_cli_config(self) -> Path:
        """Generated defaults of the Trino command line."""
        return self.state / "trino-cli.properties"

    def data(self, service: str) -> Path:
        """The folder a service keeps its data in."""
        return self.state / "data" / service


def paths_of(settings: Settings) -> Paths:
    """The folders of the stack that these settings describe."""
    cache = cache_folder()
    return Paths(
        state=settings.state_dir,
        cache=cache,
        kafka=cache / f"kafka-{settings.kafka_version}",
        trino=cache / f"trino-server-{settings.trino_version}",
        trino_cli=cache / f"trino-cli-{settings.trino_version}" / "trino-cli.jar",
        minio=cache / f"minio-{settings.minio_version}" / "minio",
        mc=cache / f"mc-{settings.mc_version}" / "mc",
        seaweedfs=cache / f"seaweedfs-{locked_version('seaweedfs')}",
        opendsm=cache / f"opendsm-{locked_version('opendsm')}",
    )


def locked_version(name: str) -> str:
    """The version that requirements/<name>.txt pins for its one package."""
    lock = PROJECT_ROOT / "requirements" / f"{name}.txt"
    pinned = next(line for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line)
    return pinned.split("==")[1].split()[0]
