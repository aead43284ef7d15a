"""The setup: a second one does nothing twice, a stop loses nothing, status and doctor tell."""

from __future__ import annotations

import socket
import subprocess

import psutil
import pytest

from stack.base.root import PROJECT_ROOT
from stack.base.settings import COMPOSE
from tests.integration.actors import CONTAINERS, Actors
from tests.integration.lakehouse import Lakehouse

SETUP = str(PROJECT_ROOT / "initial-setup.sh")


def setup(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SETUP, *words],
        env=dict(psutil.Process().environ()) | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def state(lakehouse: Lakehouse) -> dict[str, object]:
    """What a second setup must leave as it is: processes, passwords, topics, rows."""
    settings = lakehouse.settings
    return {
        "processes": Actors(settings).pids(),
        "env": settings.env_file.read_text(encoding="utf-8"),
        "topics": lakehouse.end_offsets(),
        "devices": lakehouse.sql("select * from postgresql.public.device_master order by 1"),
        "customers": lakehouse.sql("select * from postgresql.public.customer_master order by 1"),
    }


def test_a_second_setup_changes_nothing(lakehouse: Lakehouse) -> None:
    before = state(lakehouse)
    result = setup()
    assert result.returncode == 0, result.stdout + result.stderr
    assert state(lakehouse) == before


def test_status_shows_every_service_and_its_address(lakehouse: Lakehouse) -> None:
    result = setup("status")
    assert result.returncode == 0, result.stdout + result.stderr
    names = CONTAINERS.values() if lakehouse.settings.run_mode == COMPOSE else CONTAINERS
    for word in (*names, "MB", f":{lakehouse.settings.kafka_port}"):
        assert word in result.stdout


def test_doctor_names_a_taken_port_and_setup_changes_nothing(lakehouse: Lakehouse) -> None:
    before = state(lakehouse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = setup(KAFKA_PORT=str(port))
    assert result.returncode == 1
    assert f"port {port}" in result.stdout
    assert "KAFKA_PORT" in result.stdout
    assert state(lakehouse) == before


def test_reset_without_the_projects_name_deletes_nothing(lakehouse: Lakehouse) -> None:
    before = state(lakehouse)
    result = setup("reset")
    assert result.returncode == 1
    assert "nothing was deleted" in result.stderr
    assert state(lakehouse) == before


@pytest.mark.parametrize("word", ["start", "--natve"], ids=["command", "flag"])
def test_an_unknown_word_is_misuse(word: str) -> None:
    result = setup(word)
    assert result.returncode == 2
    assert word in result.stderr


def test_every_port_is_on_loopback_only(lakehouse: Lakehouse) -> None:
    ports = {value for name, value in vars(lakehouse.settings).items() if name.endswith("_port")}
    addresses = {
        connection.laddr.ip
        for connection in psutil.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr.port in ports
    }
    assert "127.0.0.1" in addresses
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
