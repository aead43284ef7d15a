"""Run the native services under supervisor: start, stop, and ask how they are."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil

from stack.base import caller
from stack.base.errors import FatalError, RetriableError
from stack.base.fingerprint import fingerprint
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.programs.paths import Paths
from stack.programs.service import Service

LOG_BYTES = "10MB"
LOG_BACKUPS = 3
START_SECONDS = 20


@dataclass(frozen=True)
class Process:
    """How one service's process is.

    status: supervisor's word (RUNNING, STARTING, BACKOFF, STOPPED, FATAL, EXITED).
    memory_mb: resident memory of the process and its children.
    up_seconds: since its last start.
    """

    name: str
    status: str
    pid: int
    memory_mb: float
    up_seconds: float


class Supervisor:
    """The supervisor of one stack, whether it runs or not."""

    def __init__(self, settings: Settings, paths: Paths) -> None:
        login = f"meterhouse:{settings.supervisor_password}"
        url = f"http://{login}@127.0.0.1:{settings.supervisor_port}/RPC2"
        self._rpc: Any = xmlrpc.client.ServerProxy(url).supervisor
        self._settings = settings
        self._paths = paths

    def is_running(self) -> bool:
        """Whether a supervisor answers at this stack's address with this stack's password."""
        try:
            return bool(self._rpc.getState()["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error, HTTPException):
            return False

    def launch(self, services: Iterable[Service]) -> None:
        """Start supervisord with these services, or give a running one their current commands.

        Raises FatalError if it does not answer.
        """
        self._write_config(services)
        if self.is_running():
            self._apply_changes()
            return
        config = str(self._paths.supervisor_config)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", config]
        result = subprocess.run(
            command,
            cwd=self._paths.state,
            env=caller.service_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0 or not wait_for(self.is_running, START_SECONDS):
            raise FatalError(
                f"supervisord on port {self._settings.supervisor_port}",
                (result.stderr or result.stdout or "no answer").strip(),
                f"look at {self._paths.logs / 'supervisord.log'}",
            )

    def start(self, name: str) -> bool:
        """Start a service that does not run; say whether it had to be started."""
        if self._rpc.getProcessInfo(name)["statename"] in {"RUNNING", "STARTING", "BACKOFF"}:
            return False
        try:
            self._rpc.startProcess(name, False)
        except xmlrpc.client.Fault as fault:
            raise FatalError(
                f"{name} to start", fault.faultString, f"see {self._paths.logs / name}.log"
            ) from fault
        return True

    def stop(self, name: str) -> None:
        """Stop one service and wait for its end."""
        if self._rpc.getProcessInfo(name)["statename"] in {"RUNNING", "STARTING", "BACKOFF"}:
            self._rpc.stopProcess(name, True)

    def shutdown(self) -> None:
        """End supervisord after its services. Raises RetriableError if it lingers."""
        pid = self._rpc.getPID()
        self._rpc.shutdown()
        if not wait_for(lambda: not psutil.pid_exists(pid), 120):
            raise RetriableError("supervisord to end", f"process {pid} runs", "try stop again")

    def states(self) -> list[Process]:
        """How every service is, in the order in which they start."""
        if not self.is_running():
            return []
        infos = sorted(self._rpc.getAllProcessInfo(), key=lambda info: self._order(info["name"]))
        return [state_of(info) for info in infos]

    def _order(self, name: str) -> int:
        text = self._paths.supervisor_config.read_text(encoding="utf-8")
        return text.find(f"[program:{name}]")

    def _apply_changes(self) -> None:
        """Restart exactly those programs whose command, environment or files changed."""
        added, changed, removed = self._rpc.reloadConfig()[0]
        for name in [*changed, *removed]:
            self.stop(name)
            self._rpc.removeProcessGroup(name)
        for name in [*added, *changed]:
            self._rpc.addProcessGroup(name)

    def _write_config(self, services: Iterable[Service]) -> None:
        self._paths.logs.mkdir(parents=True, exist_ok=True)
        self._paths.health.mkdir(parents=True, exist_ok=True)
        text = supervisor_section(self._settings, self._paths) + "".join(
            program_section(service, self._paths.logs) for service in services
        )
        write_private(self._paths.supervisor_config, text)


def supervisor_section(settings: Settings, paths: Paths) -> str:
    """The configuration of supervisord itself: a password-protected port on loopback."""
    return f"""\
[supervisord]
logfile={escape(str(paths.logs / "supervisord.log"))}
logfile_maxbytes={LOG_BYTES}
logfile_backups={LOG_BACKUPS}
pidfile={escape(str(paths.state / "supervisord.pid"))}
childlogdir={escape(str(paths.logs))}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[inet_http_server]
port=127.0.0.1:{settings.supervisor_port}
username=meterhouse
password={settings.supervisor_password}
"""


def program_section(service: Service, logs: Path) -> str:
    """The configuration of one service: restarted whenever it ends, its log rotated."""
    # The program has no use for the digest; with it a changed file is a changed entry.
    variables = {**service.environment, "FILES_DIGEST": fingerprint(service.files)}
    environment = ",".join(f"{key}={quote(text)}" for key, text in variables.items())
    # Of all options supervisor expands the log file's name twice.
    return f"""
[program:{service.name}]
command={escape(shlex.join(service.command))}
directory={escape(str(service.directory))}
environment={environment}
autostart=false
autorestart={restart_of(service)}
startsecs=2
startretries=1000
stopsignal={service.stop_signal}
stopwaitsecs={service.stop_seconds}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={escape(escape(str(logs / service.name)))}.log
stdout_logfile_maxbytes={LOG_BYTES}
stdout_logfile_backups={LOG_BACKUPS}
"""


def restart_of(service: Service) -> str:
    """When the supervisor starts a program that has ended again."""
    if service.is_once:
        return "false"
    final = service.final_exit_code
    return "true" if final is None else f"unexpected\nexitcodes={final}"


def quote(text: str) -> str:
    """A value of supervisor's environment line, which knows no escapes but two kinds of quotes."""
    mark = "'" if '"' in text else '"'
    return f"{mark}{escape(text)}{mark}"


def escape(text: str) -> str:
    """Text in supervisor's configuration, where % begins an expression."""
    return text.replace("%", "%%")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


def state_of(info: dict[str, Any]) -> Process:
    """A process's state from supervisor's answer and the process table."""
    up_seconds = info["now"] - info["start"] if info["statename"] == "RUNNING" else 0
    return Process(info["name"], info["statename"], info["pid"], memory_mb(info["pid"]), up_seconds)


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children in megabytes; 0 if it has ended."""
    try:
        process = psutil.Process(pid) if pid else None
        family = [process, *process.children(recursive=True)] if process else []
        return sum(member.memory_info().rss for member in family) / 1e6
    except psutil.NoSuchProcess:
        return 0.0


def wait_for(is_done: Callable[[], bool], limit_seconds: float) -> bool:
    """Ask again and again until it is done or the limit is reached; say which."""
    end = time.monotonic() + limit_seconds
    while time.monotonic() < end:
        if is_done():
            return True
        time.sleep(0.1)
    return False


def python_service(
    name: str,
    module: list[str],
    settings: Settings,
    *,
    stop_seconds: int,
    final_exit_code: int | None = None,
    address: str = "",
) -> Service:
    """One of the project's own services, a Python module run from the project's folder."""
    package = module[0].split(".", maxsplit=1)[0]
    return Service(
        name=name,
        command=[sys.executable, "-u", "-m", *module],
        directory=PROJECT_ROOT,
        address=address,
        stop_seconds=stop_seconds,
        final_exit_code=final_exit_code,
        environment=settings.environment(),
        files=[PROJECT_ROOT / name for name in (package, "stack", "requirements/runtime.txt")],
    )
