"""The process that serves metrics, with no service to ask."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from stack.errors import ConfigurationError
from stack.reconciliation.plan import Plan
from stack.rounds.endpoint import Endpoint
from stack.settings import Settings, load_settings
from tests.second_stack import free_ports


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
    return Endpoint(settings, lambda: Plan(()), "127.0.0.1", bind_seconds=2.0)


def scrape(settings: Settings) -> str:
    with urlopen(f"http://127.0.0.1:{settings.metrics_port}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


def test_what_cannot_be_asked_is_told_and_the_end_of_the_runner_ends_the_answers(
    settings: Settings,
) -> None:
    with closing(endpoint(settings)) as served:
        served.start(no_log)
        text = scrape(settings)
        assert 'meterhouse_source_up{source="postgres"} 0.0' in text
        assert 'meterhouse_source_up{source="runner"} 0.0' in text
    with pytest.raises(URLError):
        scrape(settings)


def test_a_process_that_died_is_replaced(settings: Settings) -> None:
    with closing(endpoint(settings)) as served:
        served.start(no_log)
        died = served.process
        assert died is not None
        died.kill()
        died.join()
        served.keep(no_log)
        assert "meterhouse_source_up" in scrape(settings)


def test_a_port_that_is_taken_is_a_failure_that_names_the_setting(
    settings: Settings, taken: socket.socket
) -> None:
    there = replace(settings, metrics_port=taken.getsockname()[1])
    with (
        closing(endpoint(there)) as served,
        pytest.raises(ConfigurationError, match="METRICS_PORT"),
    ):
        served.start(no_log)
