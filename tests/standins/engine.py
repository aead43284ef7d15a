"""A Docker engine of the tests' own.

Where METERHOUSE_TEST_DOCKER_HOST names an engine, that one is used and never stopped.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from stack.base.root import PROJECT_ROOT
from tests.standins import debian, host_network, programs
from tests.standins.command import last_line, say
from tests.standins.errors import NoEngineError

FOREIGN_ENGINE = "METERHOUSE_TEST_DOCKER_HOST"
FOLDER = PROJECT_ROOT / ".stack-test" / "docker"
RECORD = FOLDER / "engine.json"
LOG = FOLDER / "dockerd.log"
CLIENT_CONFIG = FOLDER / "client"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
BRIDGE = "172.30.0.1/24"
ADDRESS_POOL = "base=172.31.0.0/16,size=24"
READY_SECONDS = 60
STOP_SECONDS = 90
LIBC = ctypes.CDLL(None)
MNT_DETACH = 2


@dataclass(frozen=True)
class Engine:
    """An engine that answers.

    host: its address, as DOCKER_HOST has it.
    path_entries: folders with its client, to put first in PATH.
    client_config: folder that tells the client where its sub-commands are; empty: the user's own.
    """

    host: str
    path_entries: tuple[str, ...]
    client_config: str = ""

    def variables(self) -> dict[str, str]:
        """What a client of this engine needs beside PATH."""
        config = {"DOCKER_CONFIG": self.client_config} if self.client_config else {}
        # Compose would hand builds to a newer buildx than this one.
        return {"DOCKER_HOST": self.host, "COMPOSE_BAKE": "false"} | config

    def environment(self) -> dict[str, str]:
        """The environment of this process with what a client of this engine needs."""
        path = os.pathsep.join([*self.path_entries, os.environ.get("PATH", os.defpath)])
        return os.environ | self.variables() | {"PATH": path}

    def shell_lines(self) -> str:
        """The same as lines for bash."""
        lines = [f"export {key}={shlex.quote(text)}" for key, text in self.variables().items()]
        if self.path_entries:
            lines.append(f'export PATH={shlex.quote(os.pathsep.join(self.path_entries))}:"$PATH"')
        return "\n".join(lines)

    def answers(self) -> bool:
        """Whether the engine can be talked to."""
        command = [*docker(self), "version", "--format", "{{.Server.Version}}"]
        result = subprocess.run(command, env=self.environment(), capture_output=True, check=False)
        return result.returncode == 0


@dataclass(frozen=True)
class Record:
    """A started engine, as it is remembered between commands.

    boot_id: which start of the machine it belongs to.
    socket_folder: short path with the socket, whose length the kernel limits.
    programs: folder of its programs.
    found: the network as it was before.
    """

    boot_id: str
    pid: int
    socket_folder: str
    programs: str
    found: host_network.Found

    @property
    def engine(self) -> Engine:
        """How clients reach it."""
        host = f"unix://{self.socket_folder}/docker.sock"
        return Engine(host, programs.path_entries(Path(self.programs)), str(CLIENT_CONFIG))

    def is_alive(self) -> bool:
        """Whether the daemon still runs, and is not another process with the same number."""
        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().decode().split("\0")
        except OSError:
            return False
        return f"--host={self.engine.host}" in words


def docker(engine: Engine) -> list[str]:
    """The client's command; the one of the engine's own programs if it has them."""
    path = os.pathsep.join([*engine.path_entries, os.environ.get("PATH", os.defpath)])
    return [shutil.which("docker", path=path) or "docker"]


def running() -> Engine | None:
    """The engine to use, if one answers."""
    foreign = os.environ.get(FOREIGN_ENGINE)
    if foreign:
        engine = Engine(foreign, ())
    else:
        record = read_record()
        if record is None or not record.is_alive():
            return None
        engine = record.engine
    return engine if engine.answers() else None


def in_use() -> Engine:
    """The engine that `start` left. Raises NoEngineError where none answers."""
    engine = running()
    if engine is None:
        raise NoEngineError("none runs: python -m tests.standins start")
    return engine


def start() -> Engine:
    """The running engine, else one started now. Raises NoEngineError if none can be had."""
    engine = running()
    if engine:
        return engine
    if os.environ.get(FOREIGN_ENGINE):
        raise NoEngineError(f"{FOREIGN_ENGINE} is set, but no engine answers there")
    check_machine()
    with only_one():
        return running() or start_daemon(programs.bring())


def check_machine() -> None:
    """Raise NoEngineError where it is certain beforehand that none can be started."""
    if os.geteuid() != 0:
        raise NoEngineError("starting one needs root")
    debian.host_suite()
    debian.check_tools()


@contextmanager
def only_one() -> Iterator[None]:
    """Let two starts at once end with one engine."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def start_daemon(folder: Path) -> Engine:
    """Start the daemon in a session of its own and wait until it answers."""
    found = network_before(folder)
    clear_remains()
    write_client_config(folder)
    socket_folder = tempfile.mkdtemp(prefix="meterhouse-docker-")
    say("starting the engine")
    process = launch(folder, socket_folder, found)
    boot_id = BOOT_ID.read_text(encoding="utf-8").strip()
    record = Record(boot_id, process.pid, socket_folder, str(folder), found)
    write_record(record)
    if not wait_until_ready(record.engine, process):
        reason = last_line(LOG.read_text(encoding="utf-8"))
        stop()
        raise NoEngineError(f"dockerd: {reason}")
    say("the engine answers")
    return record.engine


def network_before(folder: Path) -> host_network.Found:
    """How the network was before the first engine since this machine's start."""
    record = read_record()
    return record.found if record else host_network.look(folder)


def write_client_config(folder: Path) -> None:
    """Tell the client where its sub-commands are."""
    CLIENT_CONFIG.mkdir(parents=True, exist_ok=True)
    content = {"cliPluginsExtraDirs": [str(programs.plugins_folder(folder))]}
    (CLIENT_CONFIG / "config.json").write_text(json.dumps(content), encoding="utf-8")


def launch(folder: Path, socket_folder: str, found: host_network.Found) -> subprocess.Popen[bytes]:
    """Start dockerd, its words going to the log file."""
    (FOLDER / "daemon.json").write_text("{}", encoding="utf-8")
    entries = [*programs.path_entries(folder), os.environ.get("PATH", os.defpath)]
    path = os.pathsep.join([*entries, str(Path(found.iptables).parent)])
    with LOG.open("wb") as log:
        return subprocess.Popen(
            [folder / "usr/sbin/dockerd", *daemon_options(socket_folder, host_network.mtu())],
            env=os.environ | {"PATH": path},
            cwd=FOLDER,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def daemon_options(socket_folder: str, mtu: int) -> list[str]:
    """The arguments of dockerd: nothing of it below the machine's own folders."""
    options = {
        "data-root": str(FOLDER / "data"),
        "exec-root": f"{socket_folder}/exec",
        "pidfile": str(FOLDER / "dockerd.pid"),
        "config-file": str(FOLDER / "daemon.json"),
        "host": f"unix://{socket_folder}/docker.sock",
        "group": "0",
        "mtu": str(mtu),
        "bip": BRIDGE,
        "default-address-pool": ADDRESS_POOL,
    }
    return [f"--{name}={value}" for name, value in options.items()]


def wait_until_ready(engine: Engine, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the engine answers; False if it ends or the time is over."""
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if engine.answers():
            return True
        time.sleep(0.2)
    return False


def stop() -> None:
    """End the engine that `start` started and put the network back."""
    record = read_record()
    if record is None:
        return
    if record.is_alive():
        say("stopping the engine")
        end_process(record)
    clear_remains()
    host_network.restore(record.found)
    RECORD.unlink()
    say("the engine has ended")


def end_process(record: Record) -> None:
    """Ask the daemon to end, which ends its containers; kill it if it lingers."""
    os.kill(record.pid, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while record.is_alive():
        if time.monotonic() > end:
            say(f"the engine did not end in {STOP_SECONDS} s and is killed")
            os.kill(record.pid, signal.SIGKILL)
            end += STOP_SECONDS
        time.sleep(0.1)


def clear_remains() -> None:
    """End, unmount and delete what an ended daemon left."""
    record = read_record()
    if record:
        end_orphans(record.socket_folder)
    below = [str(FOLDER / "data"), *([record.socket_folder] if record else [])]
    for mount in mounts_below(Path("/proc/self/mounts").read_text(encoding="utf-8"), below):
        LIBC.umount2(mount.encode(), MNT_DETACH)
    (FOLDER / "dockerd.pid").unlink(missing_ok=True)
    if record:
        shutil.rmtree(record.socket_folder, ignore_errors=True)


def end_orphans(socket_folder: str) -> None:
    """Kill the containers of a daemon that was killed: they would write beside the next one's."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline() if process.name().startswith("containerd") else []
            if any(word.startswith(f"{socket_folder}/") for word in words):
                for each in [*process.children(recursive=True), process]:
                    each.kill()


def mounts_below(mounts: str, folders: list[str]) -> list[str]:
    """The mount points at and below these folders in the kernel's table, deepest first."""
    points = [line.split()[1].encode().decode("unicode_escape") for line in mounts.splitlines()]
    inside = [
        point for point in points if any(f"{point}/".startswith(f"{top}/") for top in folders)
    ]
    return sorted(inside, key=len, reverse=True)


def write_record(record: Record) -> None:
    """Remember a started engine."""
    unfinished = RECORD.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(record), indent=2), encoding="utf-8")
    unfinished.replace(RECORD)


def read_record() -> Record | None:
    """The engine started last, None if there is none since this machine's start."""
    if not RECORD.is_file():
        return None
    values = json.loads(RECORD.read_text(encoding="utf-8"))
    found = host_network.Found(**values.pop("found"))
    record = Record(**values, found=found)
    return record if record.boot_id == BOOT_ID.read_text(encoding="utf-8").strip() else None
