"""The programs of a container engine, unpacked from Debian packages into the project's cache."""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path

from stack.base.progress import ProgressDisplay, StepReport
from stack.programs.fetch import Part, fetch
from stack.programs.paths import cache_folder
from tests.standins import debian

SUITE = "trixie"
DOCKER_VERSION = "26.1.5"
# Built for an older C library than the one of their release, so that Debian 12 can run them.
ENGINE_PACKAGES = [
    f"docker.io={DOCKER_VERSION}*",
    f"docker-cli={DOCKER_VERSION}*",
    f"docker-compose/{SUITE}",
    f"docker-buildx/{SUITE}",
    f"containerd/{SUITE}",
]
# These are not: they come from the machine's own release.
HOST_PACKAGES = ["runc", "tini"]
IPTABLES_PACKAGES = [
    "iptables",
    "libip4tc2",
    "libip6tc2",
    "libmnl0",
    "libnetfilter-conntrack3",
    "libnfnetlink0",
    "libnftnl11",
    "libxtables12",
]
IPTABLES_NAMES = ["iptables", "ip6tables"]
IPTABLES_BACKENDS = ["nft", "legacy"]
WRAPPER = """\
#!/bin/sh
# One program of a package that is unpacked but not installed: it needs to be told where things are.
root={root}
libraries=$(echo "$root"/usr/lib/*-linux-gnu*)
export LD_LIBRARY_PATH="$libraries" XTABLES_LIBDIR="$libraries/xtables"
exec "$root/usr/sbin/xtables-{backend}-multi" {name} "$@"
"""


def bring() -> Path:
    """The folder that holds the engine's programs, fetched at the first call.

    Raises NoEngineError if they cannot be had.
    """
    suite = debian.host_suite()
    target = cache_folder() / f"docker-{DOCKER_VERSION}-{suite}"
    part = Part(target.name, target, lambda folder, report: make(folder, target, suite, report))
    fetch([part], cache_folder(), ProgressDisplay(sys.stderr))
    return target


def make(folder: Path, target: Path, suite: str, report: StepReport) -> None:
    """Fill a folder that will be moved to `target` with the programs."""
    with tempfile.TemporaryDirectory() as work:
        report("reading the package lists")
        apt = debian.open_apt(Path(work), dict.fromkeys([SUITE, suite]))
        report("fetching packages")
        engine = [*ENGINE_PACKAGES, *(f"{name}/{suite}" for name in HOST_PACKAGES)]
        debian.unpack(apt.download(engine, Path(work) / "engine"), folder)
        iptables = [f"{name}/{suite}" for name in IPTABLES_PACKAGES]
        debian.unpack(apt.download(iptables, Path(work) / "iptables"), folder / "iptables")
    for backend in IPTABLES_BACKENDS:
        write_wrappers(folder, target / "iptables", backend)


def write_wrappers(folder: Path, root: Path, backend: str) -> None:
    """Write the programs that start iptables in the folder it is unpacked to."""
    wrappers = folder / f"iptables-{backend}"
    wrappers.mkdir()
    for name in IPTABLES_NAMES:
        wrapper = wrappers / name
        text = WRAPPER.format(root=shlex.quote(str(root)), backend=backend, name=name)
        wrapper.write_text(text, encoding="utf-8")
        wrapper.chmod(0o755)


def path_entries(programs: Path) -> tuple[str, ...]:
    """The folders to put first in PATH."""
    return tuple(str(programs / "usr" / name) for name in ("bin", "sbin"))


def plugins_folder(programs: Path) -> Path:
    """Where docker's own sub-commands (compose, buildx) lie."""
    return programs / "usr" / "libexec" / "docker" / "cli-plugins"
