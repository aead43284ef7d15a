"""Fetch and build what the native services run on: hash-checked, side by side, once per version."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from stack import env_file, go_build, maven, wheels
from stack.paths import Paths, go_programs_of, paths_of
from stack.progress import Progress, Report
from stack.settings import Settings


@dataclass(frozen=True)
class Part:
    """One program of the stack.

    target: folder in the cache that holds it when complete.
    make: fills an empty folder with it, telling how far it is.
    """

    name: str
    target: Path
    make: Callable[[Path, Report], None]


def parts_of(settings: Settings, paths: Paths) -> list[Part]:
    """Everything that this configuration needs from outside Python's own packages."""
    jars = maven.locked_artifacts(settings)
    parts = [
        Part("trino-server", paths.trino, lambda to, say: maven.unpack_trino(jars, to, say)),
        Part("kafka", paths.kafka, lambda to, say: maven.fetch_jars(jars, "kafka", to, say)),
        Part("trino-cli", paths.trino_cli.parent, lambda to, say: maven.fetch_cli(jars, to, say)),
        samples(paths),
        Part(
            "mc" if settings.object_store == "seaweedfs" else "minio and mc",
            paths.go_programs,
            lambda to, say: go_build.build(go_programs_of(settings), to, say),
        ),
    ]
    if settings.object_store == "seaweedfs":
        parts.append(
            Part("seaweedfs", paths.seaweedfs, lambda to, say: wheels.install("seaweedfs", to))
        )
    return parts


def samples(paths: Paths) -> Part:
    """Recorded readings of real meters, for the demo."""
    return Part("opendsm", paths.opendsm, lambda to, say: wheels.install("opendsm", to))


def fetch_samples(settings: Settings, say: Callable[[str], None]) -> None:
    """Fetch the recorded readings alone, for a stack whose services run in containers."""
    paths = paths_of(settings)
    if not paths.opendsm.is_dir():
        fetch([samples(paths)], paths.cache, Progress())


def fetch(parts: Iterable[Part], cache: Path, progress: Progress) -> None:
    """Bring every part that is not there yet, all at once.

    Raises the first part's error after the others have ended; what is complete stays.
    """
    cache.mkdir(parents=True, exist_ok=True)
    missing = [part for part in parts if not part.target.is_dir()]
    with progress, ThreadPoolExecutor(max_workers=max(1, len(missing))) as pool:
        done = [pool.submit(bring, part, cache, progress.report(part.name)) for part in missing]
        for future in done:
            future.result()


def bring(part: Part, cache: Path, report: Report) -> None:
    """Make one part in a folder of its own and move it to its place in one step."""
    with only_one(cache / f".{part.target.name}.lock", report):
        if part.target.is_dir():
            return
        building = Path(tempfile.mkdtemp(prefix=f".{part.target.name}-", dir=cache))
        try:
            part.make(building, report)
            building.chmod(0o755)
            building.rename(part.target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    report.done()


@contextmanager
def only_one(lock_file: Path, report: Report) -> Iterator[None]:
    """Let two setups of one user share the work instead of doing it twice."""
    with lock_file.open("w") as handle:
        report("waiting for another setup")
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def fetch_all(settings: Settings, say: Callable[[str], None]) -> None:
    """Fetch what this configuration needs; say so when nothing is missing.

    Where MinIO cannot be built and this stack holds no data yet, SeaweedFS takes its place, which
    is written to the env file.
    """
    paths = paths_of(settings)
    parts = parts_of(settings, paths)
    if all(part.target.is_dir() for part in parts):
        say("everything is in the cache")
        return
    try:
        fetch(parts, paths.cache, Progress())
    except go_build.BuildError as error:
        if settings.object_store != "minio" or paths.data("objectstore").exists():
            raise
        say(f"MinIO could not be built: {error.found.splitlines()[-1]}")
        say("SeaweedFS takes its place (OBJECT_STORE=seaweedfs in .env)")
        env_file.change(settings.env_file, "OBJECT_STORE", "seaweedfs")
        fetch_all(replace(settings, object_store="seaweedfs"), say)
