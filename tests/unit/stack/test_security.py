"""How clients log in to a secure stack, what .env keeps of the choice, and what the screen says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import ResourcePatternType

from stack.__main__ import main
from stack.base.errors import ConfigurationError
from stack.base.settings import Secret, load_settings, parse_env_file
from stack.clients import kafka, trino
from stack.modes.command import compose_files
from stack.provision import kafka_access, security
from stack.provision.topics import declared_topics

PLAIN = load_settings({})
SECURE = load_settings(
    {"SECURE": "true", "KAFKA_LANDER_PASSWORD": "l", "TRINO_DBT_PASSWORD": "d", "STATE_DIR": "/s"}
)


def test_a_plain_client_has_no_login() -> None:
    assert set(kafka.connection(PLAIN, kafka.LANDER)) == {
        "bootstrap.servers",
        "broker.address.family",
    }
    connection = trino.client(PLAIN, "dbt").connect()
    assert (connection.host, connection.port, connection.user) == ("localhost", 8081, "dbt")
    assert (connection.http_scheme, connection.auth) == ("http", None)
    assert trino.address(PLAIN) == "http://localhost:8081"


def test_a_secure_kafka_client_logs_in_as_its_user_over_tls() -> None:
    options = kafka.connection(SECURE, kafka.LANDER)
    assert options["security.protocol"] == "SASL_SSL"
    assert (options["sasl.username"], options["sasl.password"]) == ("lander", "l")
    assert options["sasl.mechanism"] == "SCRAM-SHA-512"
    assert options["ssl.ca.location"] == "/s/tls/client/ca.pem"


def test_a_secure_trino_client_trusts_the_stacks_certificate_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/somewhere/else.pem")
    connection = trino.client(SECURE, "dbt-lock").connect()
    assert connection.http_scheme == "https"
    session = connection._http_session
    found = session.merge_environment_settings("https://localhost", {}, None, None, None)
    assert found["verify"] == "/s/tls/client/ca.pem"


def test_a_user_without_a_password_in_the_settings_is_named() -> None:
    with pytest.raises(ConfigurationError, match="analyst_ada"):
        trino.client(SECURE, "analyst_ada")


def test_every_declared_topic_has_a_writer_and_a_lander() -> None:
    rules = kafka_access.declared_rules()
    for topic in declared_topics():
        readers = {
            rule.user for rule in rules if rule.name == topic.name and rule.operation == "read"
        }
        writers = {
            rule.user for rule in rules if rule.name == topic.name and rule.operation == "write"
        }
        assert {"lander", "trino", "people"} <= readers
        assert writers == {"simulator"}


@pytest.mark.parametrize(
    "line",
    [
        "stranger\ttopic\ta\tread",
        "lander\ttopic\ta\treed",
        "lander\tqueue\ta\tread",
        "lander\ttopic",
    ],
    ids=["user", "operation", "resource", "columns"],
)
def test_a_rule_that_kafka_could_not_keep_is_refused(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "access.tsv"
    file.write_text(f"# a comment\n{line}\n")
    monkeypatch.setattr(kafka_access, "ACCESS_FILE", file)
    with pytest.raises(ConfigurationError, match="line 2"):
        kafka_access.declared_rules()


def test_a_star_at_the_end_means_every_name_that_begins_so() -> None:
    prefix = kafka_access.Rule("people", "group", "telemetry-consumer*", "read").binding()
    assert prefix.name == "telemetry-consumer"
    assert prefix.resource_pattern_type == ResourcePatternType.PREFIXED
    anything = kafka_access.Rule("explorer", "group", "*", "describe").binding()
    assert anything.name == "*"
    assert anything.resource_pattern_type == ResourcePatternType.LITERAL


def test_the_choice_is_kept_in_the_env_file_and_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    monkeypatch.setenv("METERHOUSE_ENV", str(path))
    overlay = "docker-compose.yml:docker-compose.secure.yml"
    for choice, secure, files in (
        ("true", "true", overlay),
        ("", "true", overlay),
        ("false", "false", "docker-compose.yml"),
    ):
        monkeypatch.setenv("SECURE", choice) if choice else monkeypatch.delenv("SECURE")
        assert main(["env"]) == 0
        kept = parse_env_file(path)
        assert (kept["SECURE"], kept["COMPOSE_FILE"]) == (secure, files)


def test_the_overlay_goes_behind_amazons(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("COMPOSE_FILE=docker-compose.yml:docker-compose.s3.yml\n")
    assert compose_files(path, secure=True).split(":")[1:] == [
        "docker-compose.s3.yml",
        "docker-compose.secure.yml",
    ]


def test_the_command_line_asks_another_user_than_the_operator_for_a_password() -> None:
    secure = replace(SECURE, trino_operator_password=Secret("o"))
    assert trino.tool_login(secure, ["--execute", "select 1"]) == {"TRINO_PASSWORD": "o"}
    assert trino.tool_login(secure, ["--user", "analyst_ada"]) == {}
    assert trino.tool_login(PLAIN, []) == {}


def test_a_plain_stack_says_that_it_is_open_on_loopback_and_what_changes_that() -> None:
    text = " ".join(security.summary(PLAIN))
    assert "no TLS and ask for no password" in text
    assert "listen on 127.0.0.1;" in text
    assert "./initial-setup.sh --secure" in text


def test_a_plain_stack_on_another_interface_says_so() -> None:
    text = " ".join(security.summary(replace(PLAIN, kafka_bind_address="10.0.1.20")))
    assert "Kafka on 10.0.1.20" in text


def test_a_secure_stack_says_where_passwords_and_certificate_are() -> None:
    text = " ".join(security.summary(SECURE))
    assert "/s/tls/client/ca.pem" in text
    assert ".env" in text
    assert "--plain" in text
