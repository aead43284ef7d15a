"""Fetch Kafka and Trino by Maven coordinate, each file checked against maven.lock."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver

from stack.base.errors import ConfigurationError, RetriableError
from stack.base.progress import StepReport
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings

LOCK_FILE = PROJECT_ROOT / "requirements" / "maven.lock"
READ_SECONDS = 300
TRIES = 3
DOWNLOADS_AT_ONCE = 6
CHUNK_BYTES = 1 << 20
TRINO_PLUGINS = {
    "exchange-filesystem",
    "functions-python",
    "geospatial",
    "iceberg",
    "kafka",
    "opa",
    "password-authenticators",
    "postgresql",
    "resource-group-managers",
    "session-property-managers",
    "tpch",
}


@dataclass(frozen=True)
class Artifact:
    """A file of a Maven repository and what it must hash to.

    part: program it belongs to (kafka, trino-server, trino-cli).
    sha256: hexadecimal digest of its bytes.
    """

    part: str
    group: str
    name: str
    version: str
    packaging: str
    classifier: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The file's name in a repository."""
        tail = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{tail}.{self.packaging}"


def locked_artifacts(settings: Settings) -> list[Artifact]:
    """The artifacts of the lock file.

    Raises ConfigurationError where the lock was made for another version than the settings name.
    """
    artifacts = read_lock(LOCK_FILE)
    for name, version in (
        ("kafka-clients", settings.kafka_version),
        ("trino-server", settings.trino_version),
        ("trino-cli", settings.trino_version),
    ):
        check_version(artifacts, name, version)
    return artifacts


def read_lock(path: Path) -> list[Artifact]:
    """Every artifact of a lock file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [parse_line(line) for line in lines if line and not line.startswith("#")]


def parse_line(line: str) -> Artifact:
    """One line of the lock file: part, coordinate, hash, between tabs."""
    part, coordinate, sha256 = line.split("\t")
    group, name, version, packaging, *classifier = coordinate.split(":")
    return Artifact(part, group, name, version, packaging, "".join(classifier), sha256)


def check_version(artifacts: list[Artifact], name: str, version: str) -> None:
    """Raise ConfigurationError unless the lock holds `name` in this version."""
    locked = {artifact.version for artifact in artifacts if artifact.name == name}
    if version not in locked:
        raise ConfigurationError(
            f"{name} {version}",
            f"hashes of {', '.join(sorted(locked)) or 'no version'} in {LOCK_FILE.name}",
            "set the locked version in .env; CONTRIBUTING.md tells how to lock another one",
        )


def fetch_jars(artifacts: list[Artifact], part: str, target: Path, report: StepReport) -> None:
    """Put every jar of a program, such as the broker with its tools, into target/lib."""
    jars = [artifact for artifact in artifacts if artifact.part == part]
    library = target / "lib"
    library.mkdir()
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        fetched = pool.map(lambda jar: fetch(jar, library / jar.file_name), jars)
        for count, _ in enumerate(fetched, start=1):
            report(f"{count} of {len(jars)} jars")


def fetch_cli(artifacts: list[Artifact], target: Path, report: StepReport) -> None:
    """Put the Trino command line into the target folder as trino-cli.jar."""
    jar = next(artifact for artifact in artifacts if artifact.part == "trino-cli")
    fetch(jar, target / "trino-cli.jar", report)


def unpack_trino(artifacts: list[Artifact], target: Path, report: StepReport) -> None:
    """Unpack the Trino server with the plugins in use; the archive is deleted afterwards."""
    archive = next(artifact for artifact in artifacts if artifact.part == "trino-server")
    packed = target / archive.file_name
    fetch(archive, packed, report)
    report("unpacking")
    with tarfile.open(packed) as archive_file:
        archive_file.extractall(target, filter="data")
    packed.unlink()
    (top,) = target.glob("trino-server-*")
    for folder in ("lib", "secrets-plugin", "plugin"):
        (top / folder).rename(target / folder)
    shutil.rmtree(top)
    # Jars are hard links across plugins, so the rest can only go once all is unpacked.
    for plugin in (target / "plugin").iterdir():
        if plugin.name not in TRINO_PLUGINS:
            shutil.rmtree(plugin)


def fetch(artifact: Artifact, destination: Path, report: StepReport | None = None) -> None:
    """Download one artifact to the file `destination` and check its hash.

    Raises RetriableError when the repository does not answer, ConfigurationError when the file is
    not the one that was locked.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return download(artifact, destination, report)
        except requests.RequestException as error:
            if attempt == TRIES:
                raise RetriableError(
                    artifact.file_name, str(error), "check the network and run setup again"
                ) from error


def download(artifact: Artifact, destination: Path, report: StepReport | None) -> None:
    """Download one artifact by way of a repository folder of its own."""
    resolver = PythonResolver(progress_callback=byte_counter(report) if report else None)
    with tempfile.TemporaryDirectory(dir=destination.parent) as repository:
        context = MavenContext(resolver=resolver, repo_cache=Path(repository), timeout=READ_SECONDS)
        component = context.project(artifact.group, artifact.name).at_version(artifact.version)
        path: Path = component.artifact(
            packaging=artifact.packaging, classifier=artifact.classifier
        ).resolve()
        check_hash(artifact, path)
        path.rename(destination)


def byte_counter(
    report: StepReport,
) -> Callable[[str, int], AbstractContextManager[Callable[[int], None], bool | None]]:
    """A progress callback that reports megabytes done of megabytes in all."""

    @contextmanager
    def counting(_file_name: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
        done_bytes = 0

        def add(count: int) -> None:
            nonlocal done_bytes
            done_bytes += count
            report(f"{done_bytes / 1e6:.0f} of {total_bytes / 1e6:.0f} MB")

        yield add

    return counting


def check_hash(artifact: Artifact, path: Path) -> None:
    """Raise ConfigurationError unless the file's SHA-256 is the locked one."""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != artifact.sha256:
        raise ConfigurationError(
            f"{artifact.file_name} with SHA-256 {artifact.sha256}",
            found,
            f"the download was changed on its way; delete nothing, report it ({LOCK_FILE.name})",
        )
