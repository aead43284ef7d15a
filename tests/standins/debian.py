"""Fetch Debian packages from the mirror that this machine already uses, without installing them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.standins.command import run
from tests.standins.errors import NoEngineError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
OS_RELEASE = Path("/etc/os-release")
# Lists, cache and dpkg status apart from the machine's own; no hooks of the machine's either.
CONFIGURATION = """\
Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::SourceList "{folder}/debian.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
"""
SOURCES = """\
Types: deb
URIs: {mirror}
Suites: {suites}
Components: main
Signed-By: {keyring}
"""


@dataclass(frozen=True)
class Apt:
    """An apt with everything of its own in one folder."""

    folder: Path

    def run(self, program: str, *arguments: str, folder: Path | None = None) -> str:
        """The output of apt-get or apt-cache. Raises NoEngineError with its words."""
        environment = os.environ | {"APT_CONFIG": str(self.folder / "apt.conf"), "LC_ALL": "C"}
        return run([program, *arguments], environment, folder)

    def download(self, packages: Sequence[str], target: Path) -> list[Path]:
        """Fetch exactly these packages (name, name/suite or name=version) into a folder."""
        target.mkdir(parents=True, exist_ok=True)
        self.run("apt-get", "--quiet", "download", *packages, folder=target)
        return sorted(target.glob("*.deb"))

    def download_closure(self, packages: Sequence[str], target: Path) -> list[Path]:
        """Fetch these packages and all that they depend on into a folder."""
        target.mkdir(parents=True, exist_ok=True)
        archives = ["-o", f"Dir::Cache::Archives={target}/"]
        self.run("apt-get", "--quiet", "--yes", "--download-only", *archives, "install", *packages)
        return sorted(target.glob("*.deb"))


def open_apt(folder: Path, suites: Iterable[str]) -> Apt:
    """An apt that knows these suites of the mirror in use, freshly updated.

    Raises NoEngineError if no mirror of this machine serves them with Debian's signature.
    """
    errors = []
    for mirror in mirrors():
        apt = write_apt(folder, mirror, suites)
        try:
            apt.run("apt-get", "--quiet", "--error-on=any", "update")
        except NoEngineError as error:
            errors.append(str(error))
        else:
            return apt
    raise NoEngineError(errors[-1] if errors else "the apt sources name no mirror of Debian")


def write_apt(folder: Path, mirror: str, suites: Iterable[str]) -> Apt:
    """The files of an apt for one mirror; what the machine sets for downloads holds here too."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    sources = sources_text(mirror, suites)
    (folder / "debian.sources").write_text(sources, encoding="utf-8")
    configuration = CONFIGURATION.format(folder=folder) + download_settings(
        run(["apt-config", "dump"])
    )
    (folder / "apt.conf").write_text(configuration, encoding="utf-8")
    return Apt(folder)


def sources_text(mirror: str, suites: Iterable[str]) -> str:
    """A sources file for the main component of these suites."""
    return SOURCES.format(mirror=mirror, suites=" ".join(suites), keyring=KEYRING)


def download_settings(dump: str) -> str:
    """The lines of `apt-config dump` on how to download: proxies, time limits, certificates."""
    lines = [line for line in dump.splitlines() if line.startswith("Acquire::")]
    return "".join(f"{line}\n" for line in lines if "IndexTargets" not in line)


def mirrors() -> list[str]:
    """The mirrors that this machine's apt sources name for its own release."""
    return mirrors_of(run(["apt-get", "update", "--print-uris"]), host_suite())


def mirrors_of(uris: str, suite: str) -> list[str]:
    """The mirrors in the output of `apt-get update --print-uris` that serve a suite."""
    pattern = rf"^'(\S+?)/dists/{re.escape(suite)}/InRelease'"
    return list(dict.fromkeys(re.findall(pattern, uris, flags=re.MULTILINE)))


def host_suite() -> str:
    """The code name of this machine's release. Raises NoEngineError unless it is Debian."""
    return suite_of(OS_RELEASE.read_text(encoding="utf-8") if OS_RELEASE.is_file() else "")


def suite_of(os_release: str) -> str:
    """The code name in the text of os-release. Raises NoEngineError unless it is Debian's."""
    pairs = (line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    values = {key: value.strip('"') for key, value in pairs}
    if values.get("ID") != "debian" or "VERSION_CODENAME" not in values:
        raise NoEngineError(
            f"this is {values.get('PRETTY_NAME', 'no Linux')}, no release of Debian"
        )
    return values["VERSION_CODENAME"]


def check_tools() -> None:
    """Raise NoEngineError where packages cannot be fetched, checked and unpacked."""
    missing = [name for name in ("apt-get", "apt-config", "dpkg-deb") if not shutil.which(name)]
    if missing:
        raise NoEngineError(f"no {missing[0]} on this machine")
    if not KEYRING.is_file():
        raise NoEngineError(f"no {KEYRING} to check packages with")


def unpack(packages: Iterable[Path], root: Path, exclude: Sequence[str] = ()) -> None:
    """Put the files of packages below a folder, without running their scripts."""
    root.mkdir(parents=True, exist_ok=True)
    options = [f"--exclude={pattern}" for pattern in exclude]
    for package in packages:
        with subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE
        ) as reading:
            command = ["tar", "--extract", "--keep-directory-symlink", *options, "-C", str(root)]
            result = subprocess.run(command, stdin=reading.stdout, check=False)
        if reading.returncode or result.returncode:
            raise NoEngineError(f"{package.name} does not unpack")
