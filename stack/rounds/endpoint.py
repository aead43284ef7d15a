"""Serve the metrics over HTTP from threads of the runner."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from stack.base.settings import Settings
from stack.books.collector import RunnerCollector
from stack.books.facts import Sources
from stack.books.plan import Plan
from stack.rounds.facts import Log


class Endpoint:
    """The server that answers scrapes. address: interface to listen on."""

    def __init__(self, settings: Settings, plan: Callable[[], Plan], address: str) -> None:
        self._settings, self._plan, self._address = settings, plan, address
        self._server: tuple[WSGIServer, Thread] | None = None

    def keep(self, log: Log) -> None:
        """Serve if that is not the case yet, or say why not: the marts do not wait for a port."""
        if self._server is not None:
            return
        place = f"{self._address}:{self._settings.metrics_port}"
        registry = CollectorRegistry()
        registry.register(RunnerCollector(Sources(self._settings, self._plan()).facts))
        try:
            self._server = start_http_server(self._settings.metrics_port, self._address, registry)
        except OSError as error:
            log(
                "ERROR metrics are not served",
                wanted=f"{place} (METRICS_PORT)",
                found=str(error),
                next="end what uses the port, or change METRICS_PORT in .env",
            )
            return
        log("metrics are served", address=f"http://{place}/metrics")

    def close(self) -> None:
        """Stop answering."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()
        self._server = None
