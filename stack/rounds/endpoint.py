"""Serve the metrics over HTTP, in a process of their own beside the runner."""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Thread

from prometheus_client import CollectorRegistry, start_http_server

from stack.metrics.collector import RunnerCollector
from stack.metrics.facts import Sources
from stack.reconciliation.plan import Plan
from stack.rounds import child
from stack.rounds.facts import Log
from stack.settings import Settings

# A predecessor that was killed frees the port as soon as it notices.
BIND_SECONDS = 10.0
ANSWER_SECONDS = 10.0
PAUSE_SECONDS = 0.2


class Endpoint:
    """The process that answers scrapes. The runner itself stays without threads and sockets.

    address: interface to listen on. process: the one started last, None before.
    """

    def __init__(self, settings: Settings, plan: Callable[[], Plan], address: str) -> None:
        self._settings, self._plan, self._address = settings, plan, address
        self.process: BaseProcess | None = None

    def start(self, log: Log, bind_seconds: float = BIND_SECONDS) -> None:
        """Serve, or say why not: the marts do not wait for a port.

        bind_seconds: how long the port may be taken yet.
        """
        receiver, sender = child.FORK.Pipe(duplex=False)
        self.process = child.start(lambda: self._serve(sender, bind_seconds), lambda: None)
        sender.close()
        place = f"{self._address}:{self._settings.metrics_port}"
        problem = first_word(receiver, bind_seconds + ANSWER_SECONDS)
        if not problem:
            log("metrics are served", address=f"http://{place}/metrics")
            return
        log(
            "ERROR metrics are not served",
            wanted=f"{place} (METRICS_PORT)",
            found=problem,
            next="end what uses the port, or change METRICS_PORT in .env",
        )
        child.stop(self.process)

    def keep(self, log: Log) -> None:
        """Try again to serve if that is not the case.

        Not to be called with the one-writer lock in hand, which would live on in the new process.
        """
        if self.process is not None and not self.process.is_alive():
            self.start(log, bind_seconds=0.0)

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            child.stop(self.process)

    def _serve(self, sender: Connection, bind_seconds: float) -> None:
        """Be the process: answer until it is ended. Sends what kept it from serving, or ''."""
        registry = CollectorRegistry()
        registry.register(RunnerCollector(Sources(self._settings, self._plan()).facts))
        try:
            thread = listen(registry, self._address, self._settings.metrics_port, bind_seconds)
        except OSError as error:
            sender.send(str(error))
            return
        sender.send("")
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
