"""The commands that people type at containers, as the documentation has them, to the letter."""

from __future__ import annotations

import subprocess

import pytest

from tests.integration.lakehouse import Lakehouse, reading

# Docker gives a terminal only where there is one: `script` makes one for the lines with -it.
COMMANDS = [
    ("docker exec kafka-kraft kafka-topics --list --bootstrap-server localhost:9092", "meter_logs"),
    (
        "docker exec kafka-kraft kafka-topics --describe --topic telemetry_raw "
        "--bootstrap-server localhost:9092",
        "PartitionCount: 6",
    ),
    (
        "docker exec kafka-kraft kafka-console-consumer --topic telemetry_raw "
        "--bootstrap-server localhost:9092 --from-beginning --max-messages 10",
        "Processed a total of 10 messages",
    ),
    (
        "docker exec kafka-kraft kafka-consumer-groups --bootstrap-server localhost:9092 "
        "--describe --group telemetry-consumer-group",
        "telemetry_raw",
    ),
    ("docker exec minio-storage mc ls minio/lakehouse/", "warehouse"),
    ("docker exec -it trino-coordinator trino --execute 'show schemas'", "marts"),
    ("docker exec -it dbt-transformations dbt run", "Completed successfully"),
    ("docker exec -it dbt-transformations dbt run --select staging", "Completed successfully"),
    ("docker exec -it dbt-transformations dbt run --select marts", "Completed successfully"),
    (
        "docker exec -it dbt-transformations dbt run --select stg_telemetry_raw",
        "Completed successfully",
    ),
    ("docker exec -it dbt-transformations dbt run --full-refresh", "Completed successfully"),
    ("docker logs dbt-transformations", "rounds"),
]


@pytest.fixture(scope="module", autouse=True)
def filled(lakehouse: Lakehouse) -> None:
    """Ten readings, and a group that has read."""
    lakehouse.send(*(reading("MTR-10000", f"2026-01-01T00:{n:02}:00Z") for n in range(10)))
    lakehouse.land_and_round()
    output("python3 simulator/telemetry_consumer.py --from-beginning --max-messages 1")


def output(command: str) -> str:
    """What a command prints on a terminal."""
    words = ["script", "--quiet", "--return", "--command", command, "/dev/null"]
    # A topic holds bytes of any kind, and the tests see to it that they are there.
    result = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize(("command", "expected"), COMMANDS, ids=[c for c, _ in COMMANDS])
def test_a_documented_command_works_as_written(command: str, expected: str) -> None:
    assert expected in output(command)


def test_trino_answers_a_query_typed_at_its_prompt() -> None:
    result = subprocess.run(
        ["docker", "exec", "-i", "trino-coordinator", "trino"],
        input="select count(*) as readings from iceberg.marts.device_daily_metrics;\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert '"readings"' in result.stdout or "readings" in result.stdout


def test_trino_answers_over_http(lakehouse: Lakehouse) -> None:
    port = lakehouse.settings.trino_port
    assert '"nodeVersion"' in output(f"curl -s http://localhost:{port}/v1/info")


def test_a_second_writer_by_hand_waits_for_the_first() -> None:
    command = ["docker", "exec", "dbt-transformations", "dbt", "run"]
    pair = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    texts = [process.communicate(timeout=300)[0] for process in pair]
    assert [process.returncode for process in pair] == [0, 0], texts
    assert any("one-writer lock, held by dbt run by hand" in text for text in texts)
