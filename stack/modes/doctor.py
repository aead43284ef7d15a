"""Check the machine before anything is changed; each failure names its fix.

Standard library only: it runs before the project's own environment exists.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import COMPOSE, Settings
from stack.modes import engine
from stack.programs.memory import LEAST_TRINO_MB, engine_needed_gb, needed_gb, too_small
from stack.programs.paths import cache_folder

DISK_GB = 8.0
# What some program that gets the folder's name does not read as part of it: Java's lists (: and ,),
# PostgreSQL's set-up, which asks a shell ($ " ` and \\), supervisor (a comment after a blank).
NOT_IN_A_FOLDER = re.compile(r"[\"$:,\\`\x00-\x1f\x7f]|\s[#;]|\s$")
OPEN_FILES = 4096
OLDEST_PYTHON = (3, 11)
EARLIEST_CLOCK = 1_780_000_000  # 2026-05-28: before this project's first release
MACHINES = {"x86_64", "aarch64"}
LISTENING = "0A"


@dataclass(frozen=True)
class Finding:
    """What one check saw.

    found: the value, in words. fix: what to do, empty where nothing has to be done.
    """

    name: str
    found: str
    fix: str = ""

    @property
    def is_good(self) -> bool:
        """Whether setup can go on."""
        return not self.fix


def findings(settings: Settings) -> list[Finding]:
    """Every check, in the order in which it is shown."""
    places = [settings.state_dir, cache_folder()]
    heaps = [Finding(name, text or "nothing", fix) for name, text, fix in too_small(settings)]
    names = folder_names([PROJECT_ROOT, *places, settings.backup_dir, settings.tls_ca_file])
    shared = [system(), python(), *names, *heaps, *disk(places), clock()]
    if settings.run_mode == COMPOSE:
        return [*shared, *containers(settings)]
    own = family(supervisor_pid(settings.state_dir))
    here = [memory(needed_gb(settings)), open_files(), root_user()]
    return [*shared, *here, *ports(native_ports(settings), lambda number: owner(number) in own)]


def containers(settings: Settings) -> list[Finding]:
    """What Docker Compose needs: an engine with room, free ports and free names."""
    found = engine.look()
    if found.problem:
        return [Finding("containers", found.problem, "fix that, or use --native")]
    own = engine.published_ports(settings.project_name)
    needed = engine_needed_gb(settings)
    fix = f"give Docker {needed + 0.5:.1f} GB, or lower TRINO_MEMORY in .env"
    return [
        Finding("containers", found.found),
        Finding(
            "memory",
            f"{found.memory_gb:.1f} GB for containers",
            "" if found.memory_gb >= needed else fix,
        ),
        *(foreign(name) for name in engine.foreign_containers(settings.project_name)),
        *ports(compose_ports(settings), lambda number: number in own),
    ]


def foreign(name: str) -> Finding:
    """A container of somebody else's with a name of ours."""
    return Finding(f"container {name}", "belongs to another project", f"docker rename {name} ...")


def system() -> Finding:
    """Linux on a processor that the services are built for."""
    found = f"{platform.system()} on {platform.machine()}"
    good = platform.system() == "Linux" and platform.machine() in MACHINES
    return Finding("system", found, "" if good else "use Linux on x86_64 or aarch64, or WSL2")


def python() -> Finding:
    """A Python that the locked packages support, with venv and pip."""
    found = platform.python_version()
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", found, "install Python 3.11 or newer and have it first in PATH")
    try:
        import ensurepip  # noqa: F401, PLC0415 (Debian ships Python without it)
    except ImportError:
        return Finding("python", f"{found} without venv", "install the python3-venv package")
    return Finding("python", found)


def folder_names(folders: Iterable[Path]) -> list[Finding]:
    """Names that every program reads alike; one finding where all of them are."""
    bad = [folder for folder in folders if not is_readable_name(str(folder))]
    fix = (
        'use a folder without " $ : , \\ ` and control characters in its name, '
        "without # or ; after a blank and no blank at its end"
    )
    return [Finding("folder", repr(str(folder)), fix) for folder in bad] or [
        Finding("folders", "names that every program reads")
    ]


def is_readable_name(name: str) -> bool:
    """Whether a path is UTF-8 and has nothing in it that some program reads as something else."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return NOT_IN_A_FOLDER.search(name) is None


def memory(needed: float) -> Finding:
    """Room for every service's heap. needed: GB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    lower = f"lower TRINO_HEAP in .env ({LEAST_TRINO_MB}m at least)"
    fix = f"use a machine with {needed:.1f} GB, or {lower}"
    return Finding("memory", f"{total:.1f} GB", "" if total >= needed else fix)


def disk(folders: Iterable[Path]) -> list[Finding]:
    """Room for downloads and data; folders on one file system are checked once."""
    seen: dict[int, Finding] = {}
    for folder in folders:
        existing = next(path for path in [folder, *folder.parents] if path.exists())
        free = shutil.disk_usage(existing).free / 1e9
        fix = f"free space on the disk of {existing}: {DISK_GB:.0f} GB are needed"
        finding = Finding("disk", f"{free:.0f} GB free", "" if free >= DISK_GB else fix)
        seen.setdefault(existing.stat().st_dev, finding)
    return list(seen.values())


def open_files() -> Finding:
    """Enough file handles for a broker and a query engine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fix = f"ulimit -n {OPEN_FILES}" if hard >= OPEN_FILES else "raise the hard limit of open files"
    return Finding("open files", f"{soft} allowed", "" if soft >= OPEN_FILES else fix)


def clock() -> Finding:
    """A clock that is not obviously wrong: certificates and reading times depend on it."""
    now = time.time()
    found = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    return Finding("clock", found, "" if now > EARLIEST_CLOCK else "set the clock (NTP)")


def root_user() -> Finding:
    """PostgreSQL does not run as root; util-linux lets it step back into a user namespace."""
    if os.geteuid() != 0:
        return Finding("user", "an ordinary user")
    good = shutil.which("unshare") is not None
    fix = "install util-linux, or run as an ordinary user"
    found = "root; PostgreSQL runs in a user namespace" if good else "root, and no unshare"
    return Finding("user", found, "" if good else fix)


def compose_ports(settings: Settings) -> dict[str, int]:
    """The host ports of both modes, by setting."""
    return {
        "KAFKA_PORT": settings.kafka_port,
        "TRINO_PORT": settings.trino_port,
        "MINIO_PORT": settings.minio_port,
        "MINIO_CONSOLE_PORT": settings.minio_console_port,
        "POSTGRES_PORT": settings.postgres_port,
        "KAFKA_UI_PORT": settings.kafka_ui_port,
        "EXPLORER_PORT": settings.explorer_port,
        "METRICS_PORT": settings.metrics_port,
    }


def native_ports(settings: Settings) -> dict[str, int]:
    """The ports of the native services, by setting."""
    return compose_ports(settings) | {
        "KAFKA_CONTROLLER_PORT": settings.kafka_controller_port,
        "SUPERVISOR_PORT": settings.supervisor_port,
    }


def ports(wanted: Mapping[str, int], is_ours: Callable[[int], bool]) -> list[Finding]:
    """Every port free, or held by this very stack."""
    return [port(name, number, is_ours) for name, number in wanted.items()]


def port(name: str, number: int, is_ours: Callable[[int], bool]) -> Finding:
    """One port: free, ours, or somebody's."""
    label = f"port {number}"
    if can_bind(number):
        return Finding(label, "free")
    if is_ours(number):
        return Finding(label, "held by this stack")
    pid = owner(number)
    who = f"process {pid} ({command_name(pid)})" if pid else "a process of another user"
    return Finding(label, f"in use by {who}", f"end it, or set another {name} in .env")


def can_bind(number: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True


def owner(number: int) -> int:
    """The process that listens on a port, 0 where that cannot be seen."""
    inodes = {f"socket:[{inode}]" for inode in listening_inodes(number)}
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(str(entry.readlink()) in inodes for entry in folder.iterdir()):
                return int(folder.parent.name)
        except OSError:
            continue
    return 0


def listening_inodes(number: int) -> list[str]:
    """The kernel's socket numbers of the listeners on a port."""
    lines: list[str] = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        lines += table.read_text().splitlines()[1:] if table.exists() else []
    rows = [line.split() for line in lines]
    return [
        row[9] for row in rows if row[3] == LISTENING and int(row[1].split(":")[-1], 16) == number
    ]


def command_name(pid: int) -> str:
    """A process's name, for people."""
    try:
        return (Path("/proc") / str(pid) / "comm").read_text().strip()
    except OSError:
        return "ended"


def supervisor_pid(state: Path) -> int:
    """The process id that this stack's supervisor wrote down, 0 if none."""
    try:
        return int((state / "supervisord.pid").read_text())
    except (OSError, ValueError):
        return 0


def family(pid: int) -> set[int]:
    """A process and all its descendants, from the process table."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    members = {pid} if pid in parents else set()
    while more := {child for child, parent in parents.items() if parent in members} - members:
        members |= more
    return members


def report(found: Iterable[Finding], say: Callable[[str], None], only_bad: bool = False) -> None:
    """Show the findings. Raises ConfigurationError if any is bad."""
    bad = []
    for finding in found:
        if not finding.is_good:
            bad.append(finding)
            say(f"✗ {finding.name}: {finding.found}")
            say(f"    fix: {finding.fix}")
        elif not only_bad:
            say(f"✓ {finding.name}: {finding.found}")
    if bad:
        raise ConfigurationError(
            "every check above to pass",
            f"{len(bad)} that do not",
            "nothing was changed; fix them and run setup again",
        )
