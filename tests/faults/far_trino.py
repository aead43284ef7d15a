"""A second Trino, whose ways to the object store and to the catalog can be put out of order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import processes
from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients.trino import client
from stack.programs import trino
from stack.programs.paths import paths_of
from stack.programs.ports import free_ports
from tests.faults.network import CATALOG, CUT, STORE, Way

START_SECONDS = 300


@dataclass(frozen=True)
class FarTrino:
    """A running Trino on the stack's tables. ways: its own, one to each service."""

    settings: Settings
    ways: tuple[Way, ...]

    def await_trouble(self, trouble: str) -> Way:
        """The way that will meet this trouble once the mark is there; the other stays in order."""
        for way in self.ways:
            way.keep_in_order()
        (troubled,) = (way for way in self.ways if trouble.startswith(f"{way.service} "))
        troubled.await_trouble(trouble)
        return troubled

    def environment(self) -> dict[str, str]:
        """Settings that lead a process to it."""
        return {"TRINO_PORT": str(self.settings.trino_port)}


@contextmanager
def far_trino(settings: Settings, folder: Path, mark: Path) -> Iterator[FarTrino]:
    """Start it in a folder of its own; its ways are in order until the mark is there."""
    with (
        Way(settings, f"{STORE} {CUT}", mark) as store,
        Way(settings, f"{CATALOG} {CUT}", mark) as catalog,
    ):
        (port,) = free_ports(1)
        own = replace(
            settings,
            trino_port=port,
            state_dir=folder,
            s3_endpoint=store.environment()["S3_ENDPOINT"],
            postgres_host=catalog.environment()["POSTGRES_HOST"],
            postgres_port=int(catalog.environment()["POSTGRES_PORT"]),
        )
        paths = paths_of(own)
        trino.prepare(own, paths)
        service = trino.service(own, paths)
        environment = os.environ | service.environment
        with processes.server(
            service.command, paths.data("trino"), environment, folder / "trino.log"
        ) as server:
            server.wait_until(lambda: answers(own), START_SECONDS, "a Trino that answers")
            yield FarTrino(own, (store, catalog))


def answers(settings: Settings) -> bool:
    """Whether it reads a table; it says `select 1` before it has a node to read with."""
    try:
        client(settings).rows("select count(*) from iceberg.information_schema.tables")
    except RetriableError:
        return False
    return True
