"""Serve the metrics over HTTP, in a process of their own beside the runner."""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Thread

from prometheus_client import CollectorRegistry, start_http_server

from stack.errors import ConfigurationError
from stack.metrics.collector import RunnerCollector
from stack.metrics.facts import Sources
from stack.reconciliation.plan import Plan
from stack.rounds import child
from stack.rounds.facts import Log
from stack.settings import Settings

# A predecessor that was killed frees the port as soon as it notices.
BIND_SECONDS = 10.0
PAUSE_SECONDS = 0.2


class Endpoint:
    """The process that answers scrapes. The runner itself stays without threads and sockets.

    address: interface to listen on; bind_seconds: how long the port may be taken yet. process: the
    one started last, None before.
    """

    def __init__(
        self,
        settings: Settings,
        plan: Callable[[], Plan],
        address: str,
        bind_seconds: float = BIND_SECONDS,
    ) -> None:
        self._settings, self._plan, self._address = settings, plan, address
        self._bind_seconds = bind_seconds
        self.process: BaseProcess | None = None

    def start(self, log: Log) -> None:
        """Serve. Raises ConfigurationError if the port is taken."""
        receiver, sender = child.FORK.Pipe(duplex=False)
        self.process = child.start(lambda: self._serve(sender), lambda: None)
        sender.close()
        place = f"{self._address}:{self._settings.metrics_port}"
        problem = first_word(receiver, 2 * self._bind_seconds)
        if problem:
            raise ConfigurationError(
                f"metrics at {place} (METRICS_PORT)",
                problem,
                "end what uses the port, or change METRICS_PORT in .env",
            )
        log("metrics are served", address=f"http://{place}/metrics")

    def keep(self, log: Log) -> None:
        """Serve again if the process has ended.

        Not to be called with the one-writer lock in hand, which would live on in the new process.
        """
        if self.process is not None and not self.process.is_alive():
            log("metrics were not served any more", exit_code=self.process.exitcode)
            self.start(log)

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            child.stop(self.process)

    def _serve(self, sender: Connection) -> None:
        """Be the process: answer until it is ended. Sends what kept it from serving, or ''."""
        registry = CollectorRegistry()
        registry.register(RunnerCollector(Sources(self._settings, self._plan()).facts))
        port, problem, thread = self._settings.metrics_port, "", None
        try:
            thread = listen(registry, self._address, port, self._bind_seconds)
        except OSError as error:
            problem = str(error)
        sender.send(problem)
        if thread:
            thread.join()


def first_word(receiver: Connection, seconds: float) -> str:
    """What keeps the process from serving, or nothing."""
    try:
        return str(receiver.recv()) if receiver.poll(seconds) else "no answer of its process"
    except EOFError:
        return "its process ended, see the log"


def listen(registry: CollectorRegistry, address: str, port: int, seconds: float) -> Thread:
    """Answer on a port, which may be taken for some seconds yet; raises OSError after them."""
    end = time.monotonic() + seconds
    while True:
        try:
            return start_http_server(port, address, registry)[1]
        except OSError:
            if time.monotonic() >= end:
                raise
            time.sleep(PAUSE_SECONDS)
