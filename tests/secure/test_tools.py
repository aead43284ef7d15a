"""The tools that people type log in by themselves; another user is asked for a password."""

from __future__ import annotations

import os
import shlex
import subprocess
import uuid

import pytest

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings

COUNT = "select count(*) from iceberg.landing.telemetry_raw"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in the project's folder, nobody there to type a password."""
    return subprocess.run(
        words,
        cwd=PROJECT_ROOT,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("bin/kafka-topics --list", "telemetry_raw"),
        ("bin/kafka-consumer-groups --list", "lakehouse-landing"),
        (
            "bin/kafka-console-consumer --topic meter_logs --from-beginning --max-messages 1",
            "total",
        ),
        ("bin/trino --execute 'select current_user'", "operator"),
        ("python3 simulator/telemetry_consumer.py --max-messages 1", "Totals: 1 messages"),
    ],
    ids=["topics", "groups", "console consumer", "trino", "telemetry consumer"],
)
def test_a_tool_logs_in_by_itself(settings: Settings, command: str, expected: str) -> None:
    result = run(*shlex.split(command))
    assert result.returncode == 0, result.stderr
    assert expected in result.stdout + result.stderr


def test_the_console_producer_logs_in_by_itself() -> None:
    topic = f"sent_by_hand_{uuid.uuid4().hex}"
    steps = [
        f"bin/kafka-topics --create --topic {topic}",
        f"echo 'by hand' | bin/kafka-console-producer --topic {topic}",
        f"bin/kafka-console-consumer --topic {topic} --from-beginning --max-messages 1",
        f"bin/kafka-topics --delete --topic {topic}",
    ]
    results = [run("bash", "-c", step) for step in steps]
    assert [result.returncode for result in results] == [0] * 4, results
    assert "by hand" in results[2].stdout


def test_the_command_line_takes_another_users_password(settings: Settings) -> None:
    words = ("bin/trino", "--user", "analyst", "--execute")
    password = str(settings.trino_analyst_password)
    allowed = run(*words, "select current_user", TRINO_PASSWORD=password)
    assert "analyst" in allowed.stdout
    denied = run(*words, COUNT, TRINO_PASSWORD=password)
    assert "Access Denied" in denied.stderr
    wrong = run(*words, "select 1", TRINO_PASSWORD="wrong")
    assert "Authentication failed: Access Denied: Invalid credentials" in wrong.stderr
