"""Without TLS, without a password or with a wrong one nobody gets in, and is told why."""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import closing
from typing import Any

import pytest
import requests
from trino.auth import BasicAuthentication
from trino.dbapi import connect

from simulator import delivery
from stack.base.errors import RetriableError
from stack.base.settings import COMPOSE, Settings
from stack.clients import kafka, trino
from stack.programs.supervision import wait_for
from stack.provision import passwords
from trino import exceptions

ANSWER_SECONDS = 10


def ask_trino(settings: Settings, **options: Any) -> requests.Response:
    """Trino's answer to `select 1` as the test puts it."""
    session = requests.Session()
    session.trust_env = False
    address = f"{trino.address(settings)}/v1/statement"
    trusted: dict[str, Any] = {"verify": str(settings.tls_ca_file), "timeout": ANSWER_SECONDS}
    return session.post(address, "select 1", **(trusted | options))


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        (None, "Unauthorized"),
        (("operator", ""), "Malformed credentials: password is empty"),
        (("operator", "wrong"), "Access Denied: Invalid credentials"),
        (("stranger", "wrong"), "Access Denied: Invalid credentials"),
    ],
    ids=["no login", "no password", "wrong password", "unknown user"],
)
def test_trino_refuses_who_does_not_prove_a_name(
    settings: Settings, login: tuple[str, str] | None, reason: str
) -> None:
    answer = ask_trino(settings, auth=login, headers={"X-Trino-User": "operator"})
    assert (answer.status_code, answer.text) == (401, reason)


def test_trino_lets_nobody_act_as_another(settings: Settings) -> None:
    session = requests.Session()
    # A certificate bundle named in the environment would win over ours.
    session.trust_env = False
    session.verify = str(settings.tls_ca_file)
    connection = connect(
        host=settings.trino_host,
        port=settings.trino_port,
        user="operator",
        http_scheme="https",
        http_session=session,
        auth=BasicAuthentication("analyst", str(settings.trino_analyst_password)),
    )
    with (
        closing(connection),
        pytest.raises(exceptions.Error, match="analyst cannot impersonate user operator"),
    ):
        connection.cursor().execute("select 1")


def test_trino_has_no_plain_door(settings: Settings) -> None:
    address = f"http://{settings.trino_host}:{settings.trino_port}/v1/info"
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(address, timeout=ANSWER_SECONDS, proxies={"no_proxy": "*"})


def test_a_client_that_does_not_know_the_authority_goes_away(settings: Settings) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        ask_trino(settings, verify=ssl.get_default_verify_paths().cafile or True)


def test_the_rules_of_access_hold_for_proven_names(settings: Settings) -> None:
    with trino.client(settings, "analyst").cursor() as cursor:
        cursor.execute("select count(*) from iceberg.marts.device_daily_metrics")
        assert cursor.fetchall()[0][0] > 0
        with pytest.raises(exceptions.Error, match="Access Denied"):
            cursor.execute("select count(*) from iceberg.landing.telemetry_raw").fetchall()


def test_a_person_with_a_fresh_password_gets_in(settings: Settings) -> None:
    password = passwords.give(settings, "analyst_ada")

    def is_in() -> bool:
        answer = ask_trino(settings, auth=("analyst_ada", password))
        return answer.status_code == 200

    # Trino reads the file again every ten seconds.
    assert wait_for(is_in, 30)


WRONG = {"sasl.password": "wrong"}
# What the server does to a client that does not log in: it hangs up.
GONE = "brokers are down|Disconnected|Receive failed"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (WRONG, "invalid credentials with SASL mechanism SCRAM-SHA-512"),
        (WRONG | {"sasl.username": "stranger"}, "invalid credentials"),
        (WRONG | {"sasl.username": "admin", "sasl.mechanism": "PLAIN"}, "Invalid username or"),
        ({"security.protocol": "SSL"}, GONE),
        ({"security.protocol": "PLAINTEXT"}, GONE),
        ({"ssl.ca.location": "probe"}, "certificate verify failed"),
    ],
    ids=["wrong", "unknown user", "wrong administrator", "no login", "plain", "unknown authority"],
)
def test_kafka_refuses_who_does_not_prove_a_name_and_says_why(
    settings: Settings,
    changes: kafka.Options,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "CONNECT_SECONDS", 3.0)
    options = kafka.connection(settings, kafka.SIMULATOR)
    with pytest.raises(RetriableError) as caught:
        delivery.connect(options | changes, [settings.topic_name])
    assert re.search(reason, caught.value.found), caught.value.found


def test_kafkas_controller_asks_for_a_password_too(settings: Settings) -> None:
    if settings.run_mode == COMPOSE:
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", 29093), 2):
            pass
        return
    context = ssl.create_default_context(cafile=str(settings.tls_ca_file))
    address = ("127.0.0.1", settings.kafka_controller_port)
    # ApiVersions may be asked before the login, DescribeCluster (60) may not: no answer comes.
    request = bytes.fromhex("003c0000 00000001 0000 00 00 00".replace(" ", ""))
    with (
        socket.create_connection(address, ANSWER_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(len(request).to_bytes(4, "big") + request)
        assert secure.recv(1) == b""
