"""A session of PostgreSQL says where it was wanted, and is given up in time."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from stack.base.errors import RetriableError
from stack.base.settings import Secret, load_settings
from stack.clients import postgres
from stack.clients.postgres import Postgres

SETTINGS = replace(
    load_settings({}),
    postgres_host="db",
    postgres_port=5433,
    postgres_password=Secret("of the owner"),
    postgres_dbt_password=Secret("of dbt"),
)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("role", "password"), [(postgres.OWNER, "of the owner"), (postgres.DBT, "of dbt")]
)
def test_each_role_has_its_own_password(role: str, password: str) -> None:
    assert postgres.client(SETTINGS, role) == Postgres("db", 5433, role, Secret(password))


def test_a_server_that_is_away_is_named_with_the_database_and_the_role(closed_port: int) -> None:
    away = Postgres("127.0.0.1", closed_port, "dbt", Secret("x"))
    with pytest.raises(RetriableError, match=rf"127.0.0.1:{closed_port}, database a, role dbt"):
        away.rows("a", "a test", "select 1")


def test_a_statement_has_ten_seconds_unless_it_is_given_more() -> None:
    assert "-c statement_timeout=10s" in postgres.limits()["options"]
    unlimited = postgres.limits(statement_seconds=postgres.UNLIMITED)
    assert "-c statement_timeout=0s" in unlimited["options"]


def test_both_ends_give_up_a_session_within_half_a_minute() -> None:
    limits = postgres.limits()
    idle, interval, count = (
        limits["keepalives_idle"],
        limits["keepalives_interval"],
        limits["keepalives_count"],
    )
    assert idle + interval * count <= 30
    assert limits["tcp_user_timeout"] <= 30_000
    for setting in ("idle=10", "interval=5", "count=3"):
        assert f"-c tcp_keepalives_{setting}" in limits["options"]
