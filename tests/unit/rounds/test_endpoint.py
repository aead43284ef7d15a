"""The server of metrics, with no service to ask."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from stack.base.settings import Settings, load_settings
from stack.books.plan import Plan
from stack.programs.ports import free_ports
from stack.rounds.endpoint import Endpoint


def no_log(event: str, **facts: object) -> None:
    """Logs nothing."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A stack whose services nobody started."""
    metrics, postgres = free_ports(2)
    return replace(
        load_settings({}), state_dir=tmp_path, metrics_port=metrics, postgres_port=postgres
    )


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def endpoint(settings: Settings) -> Endpoint:
    return Endpoint(settings, lambda: Plan(()), "127.0.0.1")


def scrape(settings: Settings) -> str:
    with urlopen(f"http://127.0.0.1:{settings.metrics_port}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


def test_what_cannot_be_asked_is_told_and_the_end_of_the_runner_ends_the_answers(
    settings: Settings,
) -> None:
    with closing(endpoint(settings)) as served:
        served.keep(no_log)
        text = scrape(settings)
        assert 'meterhouse_source_up{source="postgres"} 0.0' in text
        assert 'meterhouse_source_up{source="runner"} 0.0' in text
    with pytest.raises(URLError):
        scrape(settings)


def test_a_port_that_is_taken_is_told_and_served_once_it_is_free(
    settings: Settings, taken: socket.socket
) -> None:
    there, said = replace(settings, metrics_port=taken.getsockname()[1]), list[str]()

    def log(event: str, **facts: object) -> None:
        said.append(" ".join([event, *map(str, facts.values())]))

    with closing(endpoint(there)) as served:
        served.keep(log)
        assert said[0].startswith("ERROR metrics are not served 127.0.0.1:")
        assert "Address already in use" in said[0]
        taken.close()
        served.keep(log)
        assert said[1].startswith("metrics are served http://127.0.0.1:")
        assert "meterhouse_source_up" in scrape(there)
