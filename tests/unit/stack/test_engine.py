"""Choosing the mode: an engine that answers, one that is too old, none at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from stack.base.errors import ConfigurationError
from stack.base.settings import Settings, load_settings
from stack.modes import engine
from stack.modes.engine import Engine, choose, look

GOOD = {
    "docker compose version --short": (0, "2.26.1-4"),
    "docker info --format {{json .}}": (
        0,
        json.dumps({"ServerVersion": "26.1.5", "MemTotal": 8_300_000_000}),
    ),
}


def machine(changes: dict[str, tuple[int, str]]) -> Engine:
    """An engine as it looks where commands answer like this; all others are missing."""
    answers = GOOD | changes

    def ask(command: Sequence[str]) -> tuple[int, str]:
        return answers.get(" ".join(command), (127, f"no {command[0]} on this machine"))

    return look(ask)


def settings(run_mode: str) -> Settings:
    return replace(load_settings({}), run_mode=run_mode)


def test_an_engine_with_a_new_compose_is_good() -> None:
    found = machine({})
    assert found.problem == ""
    assert found.memory_gb == pytest.approx(8.3)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"docker compose version --short": (0, "2.23.3")}, "2.24 or newer"),
        (
            {
                "docker compose version --short": (1, "unknown command"),
                "docker-compose version --short": (0, "1.29.2"),
            },
            "docker-compose 1.29.2 (v1) is too old",
        ),
        (
            {
                "docker compose version --short": (1, "unknown command"),
                "docker --version": (0, "Docker version 28.2.2"),
            },
            "no Compose plugin",
        ),
        ({"docker compose version --short": (127, "")}, "no docker on this machine"),
        (
            {
                "docker info --format {{json .}}": (
                    1,
                    '{"ServerErrors": ["permission denied: docker.sock"]}',
                )
            },
            "permission denied",
        ),
        ({"docker info --format {{json .}}": (0, '{"ServerVersion": "19.3.1"}')}, "20.10"),
    ],
    ids=["old compose", "v1", "no plugin", "no docker", "no permission", "old engine"],
)
def test_what_is_missing_is_named(changes: dict[str, tuple[int, str]], words: str) -> None:
    assert words in machine(changes).problem


def test_compose_is_taken_where_an_engine_answers() -> None:
    mode, why = choose(settings(""), lambda: Engine("Docker 26 with Compose 2.26"))
    assert mode == "compose"
    assert "Docker 26" in why


def test_native_is_taken_where_no_engine_answers_and_the_reason_is_told() -> None:
    assert choose(settings(""), lambda: Engine("none", "no docker")) == ("native", "no docker")


def test_native_that_was_asked_for_needs_no_engine() -> None:
    mode, _ = choose(settings("native"), lambda: Engine("Docker"))
    assert mode == "native"


def test_compose_that_cannot_be_had_is_an_error_that_offers_native() -> None:
    with pytest.raises(ConfigurationError) as raised:
        choose(settings("compose"), lambda: Engine("none", "docker-compose 1.29.2 (v1)"))
    assert "1.29.2" in raised.value.found
    assert "--native" in raised.value.next_step


def test_an_unknown_mode_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'kubernetes'"):
        choose(settings("kubernetes"))


def test_ports_of_our_containers_are_read() -> None:
    shown = "127.0.0.1:8081->8080/tcp\n127.0.0.1:9000-9001->9000-9001/tcp, 5432/tcp\n"
    assert engine.published_ports("x", lambda _: (0, shown)) == {8081, 9000, 9001}


def test_a_container_of_somebody_else_with_our_name_is_found() -> None:
    shown = "postgres other\nkafka-ui mine\ntrino-coordinator\nunrelated other\n"
    assert engine.foreign_containers("mine", lambda _: (0, shown)) == [
        "postgres",
        "trino-coordinator",
    ]
