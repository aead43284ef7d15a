"""Fetch and build what the native services run on: hash-checked, side by side, once per version."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from stack.base import caller, env_file
from stack.base.errors import RetriableError
from stack.base.progress import ProgressDisplay, StepReport
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.programs import go_build, maven, wheels
from stack.programs.paths import Paths, paths_of

PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Part:
    """One program of the stack.

    target: folder in the cache that holds it when complete.
    make: fills an empty folder with it, telling how far it is.
    """

    name: str
    target: Path
    make: Callable[[Path, StepReport], None]


def parts_of(settings: Settings, paths: Paths) -> list[Part]:
    """Everything that the services need from outside Python's own packages, the longest first."""
    jars = maven.locked_artifacts(settings)
    return [
        Part("trino-server", paths.trino, lambda to, say: maven.unpack_trino(jars, to, say)),
        Part("kafka", paths.kafka, lambda to, say: maven.fetch_jars(jars, "kafka", to, say)),
        Part("trino-cli", paths.trino_cli.parent, lambda to, say: maven.fetch_cli(jars, to, say)),
        store(settings, paths),
        samples(paths),
    ]


def store(settings: Settings, paths: Paths) -> Part:
    """The object store's program."""
    if settings.object_store == "seaweedfs":
        return Part("seaweedfs", paths.seaweedfs, lambda to, say: wheels.install("seaweedfs", to))
    return go_program("minio", settings.minio_version, paths.minio, first_folder(settings, paths))


def command_line(settings: Settings, paths: Paths) -> Part:
    """The object store's command line, which is built when it is first used."""
    return go_program("mc", settings.mc_version, paths.mc, first_folder(settings, paths))


def first_folder(settings: Settings, paths: Paths) -> Path:
    """Where version 0.1.0 kept MinIO and mc together."""
    return paths.cache / f"minio-{settings.minio_version}-mc-{settings.mc_version}"


def go_program(name: str, version: str, program: Path, first: Path) -> Part:
    """A program that is built from source, unless `first` holds it: an upgrade needs no network."""

    def make(target: Path, report: StepReport) -> None:
        if (first / name).is_file():
            shutil.copy2(first / name, target / name)
        else:
            go_build.build({name: version}, target, report)

    return Part(name, program.parent, make)


def samples(paths: Paths) -> Part:
    """Recorded readings of real meters, for the demo."""
    return Part("opendsm", paths.opendsm, lambda to, say: wheels.install("opendsm", to))


def fetch_samples(settings: Settings, say: Callable[[str], None]) -> None:
    """Fetch the recorded readings alone, for a stack whose services run in containers."""
    paths = paths_of(settings)
    if not paths.opendsm.is_dir():
        fetch([samples(paths)], paths.cache, ProgressDisplay())


def fetch(parts: Iterable[Part], cache: Path, progress: ProgressDisplay) -> None:
    """Bring every part that is not there yet, all at once.

    Raises the first part's error after the others have ended; what is complete stays.
    """
    cache.mkdir(parents=True, exist_ok=True)
    missing = [part for part in parts if not part.target.is_dir()]
    with progress, ThreadPoolExecutor(max_workers=max(1, len(missing))) as pool:
        done = [pool.submit(bring, part, cache, progress.report(part.name)) for part in missing]
        for future in done:
            future.result()


def bring(part: Part, cache: Path, report: StepReport) -> None:
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
def only_one(lock_file: Path, report: StepReport) -> Iterator[None]:
    """Let two setups of one user share the work instead of doing it twice."""
    with lock_file.open("w") as handle:
        report("waiting for another setup")
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def missing_parts(settings: Settings, paths: Paths) -> list[Part]:
    """What the services need and the cache lacks."""
    return [part for part in parts_of(settings, paths) if not part.target.is_dir()]


def fetch_all(settings: Settings, say: Callable[[str], None]) -> None:
    """Fetch what this configuration needs; say so when nothing is missing.

    Where MinIO cannot be built and this stack holds no data yet, SeaweedFS takes its place, which
    is written to the env file.
    """
    paths = paths_of(settings)
    missing = missing_parts(settings, paths)
    if not missing:
        say("everything is in the cache")
        return
    try:
        fetch(missing, paths.cache, ProgressDisplay())
    except go_build.BuildError as error:
        if settings.object_store != "minio" or holds_data(paths.data("objectstore")):
            raise
        say(f"MinIO could not be built: {error.found.splitlines()[-1]}")
        say("SeaweedFS takes its place (OBJECT_STORE=seaweedfs in .env)")
        env_file.change(settings.env_file, "OBJECT_STORE", "seaweedfs")
        fetch_all(replace(settings, object_store="seaweedfs"), say)


def holds_data(folder: Path) -> bool:
    """Whether a data folder was used."""
    return folder.is_dir() and any(folder.iterdir())


def fetch_command_line(settings: Settings) -> None:
    """Build mc unless it is there, telling on stderr how far it is."""
    paths = paths_of(settings)
    fetch([command_line(settings, paths)], paths.cache, ProgressDisplay(sys.stderr))


class Fetching:
    """The downloads of a stack as a process of their own, which knows the way to the indexes.

    Services start as soon as what they run on is there; the others go on.
    """

    def __init__(self, settings: Settings) -> None:
        self._paths = paths_of(settings)
        self._targets = {part.name: part.target for part in missing_parts(settings, self._paths)}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Fetching:
        if self._targets:
            self._process = process("fetch")
        return self

    def __exit__(self, *problem: object) -> None:
        if self._process:
            self._process.wait()

    def need(self, name: str) -> None:
        """Wait until one part is there. Raises RetriableError if the downloads failed."""
        while self._process and not self._targets.get(name, self._paths.cache).is_dir():
            if self._process.poll() is not None:
                break
            time.sleep(PAUSE_SECONDS)
        self._check()

    def need_all(self) -> None:
        """Wait until every part is there. Raises RetriableError if the downloads failed."""
        if self._process:
            self._process.wait()
        self._check()

    def _check(self) -> None:
        if self._process and self._process.poll():
            raise RetriableError(
                "the downloads and builds", "an error, above", "run ./initial-setup.sh again"
            )


def process(*words: str) -> subprocess.Popen[bytes]:
    """Start a command of the stack that downloads; its output goes where ours goes."""
    sys.stdout.flush()
    command = [sys.executable, "-m", "stack", *words]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, env=caller.download_environment())
