"""The tools in bin/: the ordinary programs, already pointed at this stack, from any folder."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from stack.base.root import PROJECT_ROOT
from tests.integration.lakehouse import Lakehouse, reading

README_COMMANDS = re.compile(r"```bash\n(.*?)```", re.DOTALL)
STARTED_ELSEWHERE = {"./initial-setup.sh demo", "./run-tests.sh"}


def run(command: str, folder: Path = PROJECT_ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        # A topic holds bytes of any kind.
        errors="replace",
        # The first bin/mc on a machine builds it.
        timeout=600,
        check=False,
    )


def output(command: str, folder: Path = PROJECT_ROOT) -> str:
    result = run(command, folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def readme_commands() -> list[str]:
    blocks = README_COMMANDS.findall((PROJECT_ROOT / "README.md").read_text(encoding="utf-8"))
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    return [line for line in lines if line not in STARTED_ELSEWHERE]


@pytest.fixture(scope="module", autouse=True)
def filled(lakehouse: Lakehouse) -> None:
    """One reading on its way through, so that no answer is empty for want of data."""
    lakehouse.send(reading("MTR-10000", "2026-01-01T00:30:00Z"))
    lakehouse.land_and_round()


def test_the_readme_shows_commands() -> None:
    assert len(readme_commands()) >= 7


@pytest.mark.parametrize("command", readme_commands())
def test_a_command_of_the_readme_works_as_written(command: str) -> None:
    output(command)


@pytest.mark.parametrize(
    ("variables", "command", "expected"),
    [
        ("http_proxy=http://127.0.0.1:9", "bin/stack wait --seconds 30", "trino answers"),
        (
            "PGOPTIONS='-c search_path=pg_temp' PGHOST=far",
            "bin/psql -Atc 'show search_path'",
            "public",
        ),
        ("JDK_JAVA_OPTIONS=-Xmx1m KAFKA_HEAP_OPTS=-Xmx1m", "bin/kafka-topics --list", "meter_logs"),
        (
            "DBT_TARGET=dev DBT_LOG_FORMAT=json",
            "bin/dbt ls --quiet -s stg_telemetry_raw",
            "telemetry",
        ),
    ],
    ids=["proxy", "psql", "java", "dbt"],
)
def test_the_callers_variables_change_nothing(variables: str, command: str, expected: str) -> None:
    assert expected in output(f"{variables} {command}")


def test_kafka_topics_lists_what_is_declared(tmp_path: Path) -> None:
    topics = output(f"'{PROJECT_ROOT}/bin/kafka-topics' --list", tmp_path).split()
    assert {"telemetry_raw", "meter_logs"} <= set(topics)


def test_kafka_topics_describes_six_partitions() -> None:
    text = output("bin/kafka-topics --describe --topic telemetry_raw")
    assert "PartitionCount: 6" in text
    assert "retention.ms=604800000" in text
    assert "message.timestamp.type=LogAppendTime" in text


def test_console_consumer_reads_messages() -> None:
    text = output(
        "bin/kafka-console-consumer --topic telemetry_raw --from-beginning --max-messages 1"
    )
    assert text.strip()


def test_console_producer_sends_the_message_of_the_models_page(lakehouse: Lakehouse) -> None:
    """To the letter, and the lander reads it."""
    page = (PROJECT_ROOT / "docs/models.md").read_text(encoding="utf-8")
    section = page.split("## Send a message of your own\n", 1)[1]
    before = lakehouse.end_offsets()
    output(section.split("```bash\n", 1)[1].split("```", 1)[0])
    after = lakehouse.end_offsets()
    assert sum(after.values()) == sum(before.values()) + 1


def test_mc_lists_the_warehouse() -> None:
    assert "warehouse" in output("bin/mc ls minio/lakehouse/")


def test_trino_answers_the_queries_of_the_contract() -> None:
    assert "device_id" in output(
        "bin/trino --output-format CSV_HEADER_UNQUOTED --execute "
        "'select * from iceberg.marts.device_daily_metrics where reading_date >= current_date'"
    )
    output(
        'bin/trino --execute "select * from iceberg.marts.customer_usage_summary '
        "where customer_alert_status != 'NORMAL'\""
    )


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_trino_counts_days_in_utc_on_a_machine_of_another_zone(zone: str) -> None:
    found = output(f"TZ={zone} bin/trino --output-format TSV --execute 'select current_timezone()'")
    assert found.strip() == "UTC"


def test_trino_shows_the_topic_as_text() -> None:
    header, row = output(
        "bin/trino --output-format CSV_HEADER_UNQUOTED --execute "
        '"select device_id, energy_kwh from kafka.default.telemetry_raw '
        "where device_id = 'MTR-10000' and timestamp = '2026-01-01T00:30:00Z' limit 1\""
    ).splitlines()
    assert (header, row) == ("device_id,energy_kwh", "MTR-10000,0.5")


def test_psql_sees_the_master_data() -> None:
    count = output(
        "bin/psql -At -c \"select count(*) from device_master where device_id like 'MTR-1000_'\""
    )
    assert int(count) == 10


# Thorough: what the flags do is dbt's; the same command line is tried by test_what_models_see.py.
@pytest.mark.thorough
@pytest.mark.same_in_both_modes
@pytest.mark.parametrize(
    "selection",
    ["--select staging", "--select marts", "--select stg_telemetry_raw", "--full-refresh"],
)
def test_dbt_runs_with_its_own_flags(selection: str) -> None:
    assert "PASS=" in output(f"bin/dbt run {selection}")


def test_simulator_role_cannot_write_master_data(lakehouse: Lakehouse) -> None:
    password = lakehouse.settings.postgres_simulator_password
    result = run(
        f"PGPASSWORD={password} bin/psql 'user=simulator password={password}' "
        "-c 'delete from device_master'"
    )
    assert result.returncode != 0
    assert "permission denied" in result.stderr


def test_catalog_role_sees_no_master_data(lakehouse: Lakehouse) -> None:
    password = lakehouse.settings.postgres_catalog_password
    result = run(f"bin/psql 'user=catalog password={password} dbname=meterhouse' -c 'select 1'")
    assert result.returncode != 0
    assert "permission denied" in result.stderr
