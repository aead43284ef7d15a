"""Start programs to be measured, and what they used: the whole process, start included."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from stack.base.errors import ConfigurationError, FatalError, RetriableError
from stack.base.settings import Settings

STOP_SECONDS = 20
LOG_LINES = 20
PAUSE_SECONDS = 0.25


@dataclass(frozen=True)
class Cost:
    """Seconds on the wall and of the processors (user and system), and peak resident memory."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a program to its end. Raises FatalError if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FatalError(
            f"{' '.join(command)} to end well", f"exit code {process.returncode}", "see above"
        )
    cpu_s = usage.ru_utime + usage.ru_stime
    return Cost(time.monotonic() - started, cpu_s, usage.ru_maxrss / 1024)


def cpu_of_tree(pid: int) -> float:
    """Processor seconds of a process and its children since their start, of ended ones too."""
    root = psutil.Process(pid)
    seconds = 0.0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


class Server:
    """A program that runs on while it is measured piece by piece; log: what it said."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.log = log
        self._process = process
        self._began = time.monotonic()

    def cost(self) -> Cost:
        """What it used since its start."""
        times = psutil.Process(self._process.pid).cpu_times()
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        if peak is None:
            raise FatalError("VmHWM in the process's status", status, "run it on Linux")
        wall_s = time.monotonic() - self._began
        return Cost(wall_s, times.user + times.system, int(peak[1]) / 1024)

    def wait_until(self, is_done: Callable[[], bool], seconds: float, wanted: str) -> None:
        """Wait while the program runs. Raises RetriableError with the end of its log."""
        deadline = time.monotonic() + seconds
        while not is_done():
            if self._process.poll() is not None or time.monotonic() > deadline:
                lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
                raise RetriableError(wanted, "\n".join(lines), "see the log above")
            time.sleep(PAUSE_SECONDS)


def since(before: Cost, after: Cost) -> Cost:
    """What was used between two looks at one server; peak memory is that of its whole life."""
    return Cost(after.wall_s - before.wall_s, after.cpu_s - before.cpu_s, after.peak_mb)


@contextmanager
def server(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
) -> Iterator[Server]:
    """A program in the background that is ended after the block."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        yield Server(process, log)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def demand_plain(settings: Settings) -> None:
    """Raise ConfigurationError for a secure stack: peers are started without certificates."""
    if settings.secure:
        raise ConfigurationError(
            "a stack without TLS, which the programs compared with are not set up for",
            "SECURE=true",
            "measure on a checkout of its own: ./initial-setup.sh --native",
        )
