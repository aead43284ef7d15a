"""Build MinIO and mc from source with the Go toolchain of a wheel; nothing of it stays behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from stack.base.errors import ConfigurationError
from stack.base.progress import ProgressDisplay, StepReport
from stack.base.root import PROJECT_ROOT
from stack.programs import wheels

LOCK_FILE = PROJECT_ROOT / "requirements" / "go-modules.lock"


class BuildError(ConfigurationError):
    """The toolchain could not fetch or build a program on this machine."""


def build(programs: Mapping[str, str], target: Path, report: StepReport) -> None:
    """Build Go programs (name -> version) into target/<name>, one after the other.

    Each module's hash is checked against the lock; its own go.sum covers what it depends on.
    Raises ConfigurationError with the toolchain's own words when a build fails.
    """
    workshop = Path(tempfile.mkdtemp(prefix=".go-", dir=target))
    try:
        report("fetching the Go toolchain")
        wheels.install("go", workshop / "wheel")
        go = Go(workshop)
        for name, version in programs.items():
            report(f"fetching the source of {name}")
            source = go.download(name, version)
            go.compile(name, source, target / name, report)
    finally:
        remove(workshop)


class Go:
    """A Go toolchain whose caches lie in one folder, but for a GOCACHE that the caller names."""

    def __init__(self, workshop: Path) -> None:
        self._workshop = workshop
        self._program = next((workshop / "wheel").glob("*/bin/go"))
        self._program.chmod(0o755)
        for tool in (self._program.parent.parent / "pkg" / "tool").rglob("*"):
            tool.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        """The caller's environment with the other Go folders inside the workshop."""
        cache = {"GOCACHE": str(self._workshop / "cache")}
        kept = {key: value for key, value in os.environ.items() if key != "GOROOT"}
        own = {"GOPATH": str(self._workshop / "path"), "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
        return cache | kept | own | {"GOFLAGS": ""} | more

    def download(self, name: str, version: str) -> Path:
        """Fetch a module and return a writable copy of its source."""
        module, locked_sum = locked_module(name)
        # The lock stands in for the checksum database, which need not be reachable.
        output = self.run(["mod", "download", "-json", f"{module}@{version}"], GOSUMDB="off")
        found = json.loads(output)
        if found["Sum"] != locked_sum:
            raise ConfigurationError(
                f"{module} {version} with hash {locked_sum}",
                found["Sum"],
                f"set the version locked in {LOCK_FILE.name}, or lock this one",
            )
        source = self._workshop / name
        shutil.copytree(found["Dir"], source)
        self.make_writable(source)
        return source

    def compile(self, name: str, source: Path, program: Path, report: StepReport) -> None:
        """Build the main package of `source`, counting packages as they compile."""
        command = [str(self._program), "build", "-v", "-trimpath", "-ldflags", "-s -w"]
        environment = self.environment(GOFLAGS="-mod=readonly -buildvcs=false")
        process = subprocess.Popen(
            [*command, "-o", str(program), "."],
            cwd=source,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        lines: list[str] = []
        for line in process.stderr or ():
            lines.append(line)
            report(f"building {name}, {len(lines)} packages so far")
        if process.wait() != 0:
            raise build_error(" ".join(command), "".join(lines[-15:]))

    def run(self, arguments: list[str], **more: str) -> str:
        """Run the go command and return what it printed."""
        result = subprocess.run(
            [str(self._program), *arguments],
            cwd=self._workshop,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise build_error(" ".join(arguments), result.stdout + result.stderr)
        return result.stdout

    @staticmethod
    def make_writable(folder: Path) -> None:
        """Undo the read-only mode of Go's module cache."""
        for path in [folder, *folder.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)


def main(words: list[str]) -> int:
    """Build NAME=VERSION ... into a folder: for images, where no other part is wanted."""
    programs = dict(word.split("=", 1) for word in words[1:])
    with ProgressDisplay() as progress:
        report = progress.report(" and ".join(programs))
        build(programs, Path(words[0]).absolute(), report)
        report.done()
    return 0


def locked_module(name: str) -> tuple[str, str]:
    """Module path and hash of a program in requirements/go-modules.lock."""
    for line in LOCK_FILE.read_text(encoding="utf-8").splitlines():
        part, _, rest = line.partition("\t")
        if part == name:
            module, module_sum = rest.split("\t")
            return module, module_sum
    raise ConfigurationError(f"a line for {name}", f"none in {LOCK_FILE.name}", "add its hash")


def build_error(command: str, output: str) -> BuildError:
    """The error of a failed Go command, with the way out."""
    return BuildError(
        f"`go {command}` to end well",
        output.strip(),
        "set OBJECT_STORE=seaweedfs in .env to do without MinIO, or check the network",
    )


def remove(workshop: Path) -> None:
    """Delete the toolchain and its caches, read-only folders included."""
    Go.make_writable(workshop)
    shutil.rmtree(workshop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
