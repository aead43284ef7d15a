"""What stands between a program and a service, and lets through what it is told to."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from stack.base.settings import Settings

STORE, CATALOG = "store", "catalog"
CUT, STILL, SLOW, BUSY, FULL = "cut", "still", "slow", "503", "full"
# What may happen to a way, for so long: the way and how it is out of order.
TROUBLES = {
    f"{STORE} {BUSY}": 4.0,
    f"{STORE} {FULL}": 4.0,
    f"{STORE} {SLOW}": 8.0,
    f"{STORE} {CUT}": 4.0,
    f"{STORE} {STILL}": 8.0,
    f"{CATALOG} {CUT}": 4.0,
    f"{CATALOG} {STILL}": 8.0,
}
CHUNK_BYTES = 16 * 1024
SLOW_SECONDS = 0.3
LOOK_SECONDS = 0.05
READS, WRITES = (b"GET ", b"HEAD "), (b"PUT ", b"POST ")
# Which requests are refused, and how: as a store answers under load, and MinIO on a full disk.
REFUSED = {
    BUSY: ((*READS, *WRITES), b"503 Service Unavailable", b"SlowDown"),
    FULL: (WRITES, b"507 Insufficient Storage", b"XMinioStorageFull"),
}


class Way:
    """A way to one service, in order until its mark is there, and again some seconds later.

    trouble: one of TROUBLES; the mark is set by whoever is struck, at the step of the strike. The
    seconds count from the first bytes that meet the trouble.
    """

    def __init__(self, settings: Settings, trouble: str, mark: Path) -> None:
        self.service = trouble.split(maxsplit=1)[0]
        self._mark = mark
        self.await_trouble(trouble)
        self._upstream = address(settings, self.service)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._listener.close()
        for each in self._open:
            close(each)

    def await_trouble(self, trouble: str) -> None:
        """Be in order until the mark is there, and then out of order as this trouble says."""
        self._how, self._seconds = trouble.split()[1], TROUBLES[trouble]
        self._ends_at: float | None = None

    def keep_in_order(self) -> None:
        """Await no trouble."""
        self._how = ""

    def environment(self) -> dict[str, str]:
        """Settings that lead a process this way."""
        host, port = self._listener.getsockname()
        if self.service == STORE:
            return {"S3_ENDPOINT": f"http://{host}:{port}"}
        return {"POSTGRES_HOST": str(host), "POSTGRES_PORT": str(port)}

    def _is_out_of_order(self, how: str) -> bool:
        """Whether the way is out of order in this manner now."""
        if how != self._how or self._ended or not self._mark.exists():
            return False
        if self._ends_at is None:
            self._ends_at = time.monotonic() + self._seconds
        return time.monotonic() < self._ends_at

    @property
    def was_met(self) -> bool:
        """Whether anything came this way while it was out of order."""
        return self._ends_at is not None

    def _is_refused(self, chunk: bytes) -> bool:
        """Whether a request begins here that is refused."""
        methods = REFUSED[self._how][0] if self._how in REFUSED else ()
        return chunk.startswith(methods) and self._is_out_of_order(self._how)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._is_out_of_order(CUT):
                    close(client)
                    continue
                try:
                    server = socket.create_connection(self._upstream)
                except OSError:
                    # The service itself is away: whoever calls hears so.
                    close(client)
                    continue
                self._open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(
                        target=self._pass_on, args=(source, target, source is client), daemon=True
                    ).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        """Pass bytes on until either end has had enough."""
        with suppress(OSError):
            while chunk := source.recv(CHUNK_BYTES):
                while self._is_out_of_order(STILL):
                    time.sleep(LOOK_SECONDS)
                if self._is_out_of_order(CUT):
                    break
                if is_request and self._is_refused(chunk):
                    refuse(source, self._how)
                    break
                if self._is_out_of_order(SLOW):
                    time.sleep(SLOW_SECONDS)
                target.sendall(chunk)
        close(source)
        close(target)


def address(settings: Settings, service: str) -> tuple[str, int]:
    """Where a service really is."""
    if service == CATALOG:
        return settings.postgres_host, settings.postgres_port
    found = urlsplit(settings.s3_endpoint)
    assert found.hostname, settings.s3_endpoint
    assert found.port, settings.s3_endpoint
    return found.hostname, found.port


def refuse(client: socket.socket, how: str) -> None:
    """Refuse a request and hear the rest of it, so that the answer is not lost."""
    _, status, code = REFUSED[how]
    body = b"<Error><Code>" + code + b"</Code><Message>refused by a test</Message></Error>"
    head = (
        b"HTTP/1.1 " + status + b"\r\nContent-Type: application/xml\r\nConnection: close\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    client.sendall(head + body)
    client.shutdown(socket.SHUT_WR)
    client.settimeout(1.0)
    while client.recv(CHUNK_BYTES):
        pass


def close(each: socket.socket) -> None:
    """End a connection, and whoever waits for its bytes."""
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
