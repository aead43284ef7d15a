"""Simulator to Kafka: the screen, the delivery, the consumer, and clear errors."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
import time
import uuid
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from stack.base.root import PROJECT_ROOT
from stack.clients.kafka import client_options
from tests.integration.actors import Actors
from tests.integration.lakehouse import TOPIC, Lakehouse
from tests.postgres import admin_connection

SIMULATOR = str(PROJECT_ROOT / "simulator" / "telemetry_simulator.py")
CONSUMER = str(PROJECT_ROOT / "simulator" / "telemetry_consumer.py")
SENT_LINE = re.compile(
    r"✓ Sent: MTR-\d+ \| Energy: [\d.]+ kWh \| Voltage: [\d.]+V \| Status: [A-Z_]+ "
    r"\| Partition: \d+"
)
AWAY_SECONDS = 60


def environment(**changes: str) -> dict[str, str]:
    return dict(psutil.Process().environ()) | changes


def start(*words: str, folder: Path = PROJECT_ROOT, **changes: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(*words: str, folder: Path = PROJECT_ROOT, **changes: str) -> tuple[int, str]:
    process = start(*words, folder=folder, **changes)
    output, _ = process.communicate(timeout=180)
    return process.returncode, output


def offsets_between(
    lakehouse: Lakehouse, before: dict[int, int], after: dict[int, int]
) -> list[tuple[bytes, bytes]]:
    """Key and value of the topic's messages from one set of end offsets to another."""
    pairs = []
    options = client_options(lakehouse.settings) | {"group.id": "test-read"}
    with closing(Consumer(options)) as consumer:
        for partition, start_offset in before.items():
            consumer.assign([TopicPartition(TOPIC, partition, start_offset)])
            for _ in range(after[partition] - start_offset):
                message = consumer.poll(10)
                assert message is not None and not message.error()
                pairs.append((message.key() or b"", message.value() or b""))
    return pairs


def content_hash(pairs: list[tuple[bytes, bytes]]) -> int:
    """The order-free hash that a report states of what was acknowledged."""
    digests = (hashlib.blake2b(key + value, digest_size=8).digest() for key, value in pairs)
    return sum(int.from_bytes(digest, "little") for digest in digests) % 2**64


def test_the_screen_is_as_the_contract_says(lakehouse: Lakehouse, tmp_path: Path) -> None:
    code, output = run(SIMULATOR, "--count", "20", "--message-interval", "0.2", folder=tmp_path)
    lines = output.splitlines()
    assert code == 0, output
    frame = "=" * 80
    assert lines[0] == frame
    assert "Topic: telemetry_raw" in lines
    assert f"Kafka: localhost:{lakehouse.settings.kafka_port}" in lines
    assert "Message Interval: 0.2s" in lines
    assert lines.index(frame, 1) < lines.index(
        "Loading device-customer mappings from PostgreSQL..."
    )
    active = lakehouse.value("select count(*) from postgresql.public.device_master where is_active")
    assert f"✓ Loaded {active} active devices from PostgreSQL" in lines
    assert "Devices: 10 | Customers: 5" in lines
    assert any(line.startswith("✓ Connected to Kafka at [") for line in lines)
    mapping = lines.index("Device-Customer Mapping:")
    assert lines[mapping + 1 : mapping + 4] == [
        "  MTR-10000 -> CUST-8000",
        "  MTR-10001 -> CUST-8000",
        "  MTR-10002 -> CUST-8001",
    ]
    begin = lines.index("Starting telemetry simulation... (Press Ctrl+C to stop)")
    assert lines[begin + 1] == "-" * 80
    assert len([line for line in lines if SENT_LINE.fullmatch(line)]) == 20


def test_what_was_acknowledged_is_in_the_topic(lakehouse: Lakehouse, tmp_path: Path) -> None:
    before = lakehouse.end_offsets()
    report_file = tmp_path / "report.json"
    code, output = run(
        SIMULATOR, "--from", "now-2d", "--num-devices", "4", "--report", str(report_file)
    )
    assert code == 0, output
    report = json.loads(report_file.read_text())["topics"][TOPIC]
    pairs = offsets_between(lakehouse, before, lakehouse.end_offsets())
    assert report["failed"] == 0
    assert report["sent"] == report["acknowledged"] == len(pairs) > 0
    assert report["content_hash"] == content_hash(pairs)
    fields = {"device_id", "customer_id", "timestamp", "metrics", "status"}
    assert all(fields <= set(json.loads(value)) for _, value in pairs)
    assert {key.decode() for key, _ in pairs} == {f"MTR-1000{number}" for number in range(4)}


def test_what_was_acknowledged_is_reported_to_postgresql(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    report_file = tmp_path / "report.json"
    code, output = run(SIMULATOR, "--from", "now-2h", "--quiet", "--report", str(report_file))
    assert code == 0, output
    partitions = json.loads(report_file.read_text())["topics"][TOPIC]["partitions"]
    statement = (
        "select kafka_partition, acknowledged, last_offset from producer_reports where run_id = "
        "(select run_id from producer_reports order by reported_at desc limit 1) and topic = %s"
    )
    with closing(admin_connection(lakehouse.settings, "meterhouse")) as connection:
        cursor = connection.cursor()
        cursor.execute(statement, (TOPIC,))
        found = {str(p): (number, last) for p, number, last in cursor.fetchall()}
    assert found == {p: (c["acknowledged"], c["last_offset"]) for p, c in partitions.items()}


# The broker must be away for a minute.
@pytest.mark.thorough
@pytest.mark.same_in_both_modes
def test_nothing_is_dropped_while_the_broker_is_away(lakehouse: Lakehouse, tmp_path: Path) -> None:
    before = sum(lakehouse.end_offsets().values())
    report_file = tmp_path / "report.json"
    actors = Actors(lakehouse.settings)
    process = start(SIMULATOR, "--duration", "75", "--quiet", "--report", str(report_file))
    time.sleep(5)
    actors.stop("kafka")
    time.sleep(AWAY_SECONDS)
    actors.start("kafka")
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    report = json.loads(report_file.read_text())["topics"][TOPIC]
    assert report["failed"] == 0
    assert report["sent"] == report["acknowledged"] > 100
    assert sum(lakehouse.end_offsets().values()) - before == report["acknowledged"]


def test_ctrl_c_flushes_and_prints_totals(lakehouse: Lakehouse) -> None:
    process = start(SIMULATOR, "--message-interval", "0.5")
    time.sleep(5)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    totals = re.search(r"sent ([\d,]+) \| acknowledged ([\d,]+) \| failed (\d+)", output)
    assert totals is not None, output
    assert totals[1] == totals[2] != "0"
    assert totals[3] == "0"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"POSTGRES_PORT": "1"}, "PostgreSQL"),
        ({"POSTGRES_SIMULATOR_PASSWORD": "wrong"}, "password"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "localhost:1"}, "localhost:1"),
        ({"TOPIC_NAME": "no_such_topic"}, "no_such_topic"),
    ],
    ids=["no database", "wrong password", "no broker", "unknown topic"],
)
def test_a_failure_is_told_with_the_next_step(
    lakehouse: Lakehouse, changes: dict[str, str], words: str
) -> None:
    code, output = run(SIMULATOR, "--count", "1", folder=PROJECT_ROOT, **changes)
    assert code == 1, output
    assert words in output
    assert "wanted" in output
    assert "Traceback" not in output


def test_the_consumer_prints_and_commits(lakehouse: Lakehouse) -> None:
    lakehouse.send_raw([(b"MTR-10000", b"not json at all")])
    run(SIMULATOR, "--count", "10", "--message-interval", "0.1", "--quiet")
    code, output = run(CONSUMER, "--from-beginning", "--max-messages", "10")
    assert code == 0, output
    group = subprocess.run(
        [
            str(PROJECT_ROOT / "bin" / "kafka-consumer-groups"),
            *("--describe", "--group", "telemetry-consumer-group"),
        ],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert TOPIC in group.stdout


def test_the_consumer_commits_after_messages_that_no_reader_takes(lakehouse: Lakehouse) -> None:
    topic = f"test-odd-{uuid.uuid4().hex}"
    admin = AdminClient(client_options(lakehouse.settings))
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    deep = b'{"x": ' + b"[" * 2000 + b"]" * 2000 + b"}"
    odd: list[tuple[bytes | None, bytes | None]] = [
        (None, deep),
        (b"\x1b[2J", None),
        (b"", b"\xff"),
    ]
    try:
        lakehouse.send_raw(odd, topic)
        words = ["--topic-name", topic, "--group", topic, "--max-messages", "3"]
        code, output = run(CONSUMER, *words)
        assert code == 0, output
        assert output.count("✗ malformed") == 3
        assert "\x1b" not in output
        with closing(
            Consumer(client_options(lakehouse.settings) | {"group.id": topic})
        ) as consumer:
            (committed,) = consumer.committed([TopicPartition(topic, 0)], 30)
        assert committed.offset == 3
    finally:
        admin.delete_topics([topic])[topic].result(30)


def test_recorded_readings_go_through_the_topic(lakehouse: Lakehouse, tmp_path: Path) -> None:
    before = lakehouse.end_offsets()
    report_file = tmp_path / "report.json"
    replay = str(PROJECT_ROOT / "simulator" / "replay.py")
    options = ["--device", "MTR-10008", "--series", "1", "--days", "3"]
    code, output = run(replay, *options, "--report", str(report_file))
    assert code == 0, output
    pairs = offsets_between(lakehouse, before, lakehouse.end_offsets())
    readings = [json.loads(value) for _, value in pairs]
    assert {reading["device_id"] for reading in readings} == {"MTR-10008"}
    assert len(readings) >= 3 * 48 - 1
