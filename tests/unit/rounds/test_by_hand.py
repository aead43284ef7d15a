"""Commands that write take the lock; commands that only read do not wait for anyone."""

from __future__ import annotations

import signal

import pytest

from stack.base.settings import EXAMPLE_FILE, load_settings, parse_env_file
from stack.rounds.by_hand import exit_code, is_writing, with_port


@pytest.mark.parametrize(
    "line",
    [
        "run",
        "run --select staging --full-refresh",
        "build",
        "seed",
        "snapshot",
        "test --select marts",
        "run-operation grant_all",
        "retry",
        "clone",
        "--debug run",
        "--no-use-colors --log-level warn build",
        # The word after an option may be its value: the lock is then taken needlessly at worst.
        "--target show run",
    ],
)
def test_command_that_may_write_is_known(line: str) -> None:
    assert is_writing(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--version",
        "--help",
        "run --help",
        "build -h",
        "debug",
        "deps",
        "docs generate",
        "ls --resource-type test",
        "list --select run",
        "parse",
        "compile --select staging",
        "show --select test",
        "source freshness",
        "clean",
        "no-such-command",
    ],
)
def test_command_that_only_reads_is_known(line: str) -> None:
    assert not is_writing(line.split())


@pytest.mark.parametrize(
    ("code", "ended", "expected"),
    [
        pytest.param(0, True, 0, id="good"),
        pytest.param(1, True, 1, id="a-model-failed"),
        pytest.param(2, True, 2, id="misuse"),
        pytest.param(-signal.SIGKILL, True, 137, id="killed"),
        pytest.param(130, False, 130, id="interrupted"),
        pytest.param(0, False, 130, id="interrupted-at-its-end"),
    ],
)
def test_exit_code_is_what_a_shell_would_show(code: int, ended: bool, expected: int) -> None:
    assert exit_code(code, ended) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("docs serve", "docs serve --port 8585"),
        ("docs serve --no-browser", "docs serve --no-browser --port 8585"),
        ("docs serve --port 8080", "docs serve --port 8080"),
        ("docs serve --port=8080", "docs serve --port=8080"),
        ("docs generate", "docs generate"),
        ("run", "run"),
    ],
)
def test_served_documentation_does_not_ask_for_the_port_of_kafkas_page(
    line: str, expected: str
) -> None:
    settings = load_settings({"DBT_DOCS_PORT": "8585"})
    assert with_port(line.split(), settings) == expected.split()


def test_no_two_default_ports_are_the_same() -> None:
    known = parse_env_file(EXAMPLE_FILE)
    ports = [value for name, value in known.items() if name.endswith("_PORT")]
    assert len(set(ports)) == len(ports)
