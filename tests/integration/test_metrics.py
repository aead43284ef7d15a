"""The runner's metrics, scraped as Prometheus does, against SQL and Kafka."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stack.base.root import PROJECT_ROOT
from tests.integration.actors import Actors
from tests.integration.lakehouse import TOPIC, Lakehouse, reading

Metrics = dict[str, dict[tuple[str, ...], float]]
# The tests' runner plays no rounds (DBT_AUTO_RUN), and nobody may have made a backup: what only
# these can tell need not be there.
OF_ROUNDS_AND_BACKUPS = {
    "meterhouse_backup_timestamp_seconds",
    "meterhouse_backup_fills_gap_until_timestamp_seconds",
    "meterhouse_round_duration_seconds",
    "meterhouse_round_last_success_timestamp_seconds",
    "meterhouse_model_duration_seconds",
}


def scrape(lakehouse: Lakehouse) -> Metrics:
    """Metric -> values of its labels, in the order of the labels' names -> value."""
    address = f"http://127.0.0.1:{lakehouse.settings.metrics_port}/metrics"
    with urlopen(address, timeout=60) as answer:
        text = answer.read().decode()
    found: Metrics = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found[sample.name][labels] = sample.value
    return found


@pytest.fixture(scope="module")
def metrics(lakehouse: Lakehouse) -> Metrics:
    """What the endpoint says after messages of both kinds were reconciled by hand."""
    lakehouse.send(
        reading("MTR-10000", "2026-01-01T00:30:00Z"),
        reading("MTR-10000", "2026-01-01T01:00:00Z", voltage=99999, battery_pct="full"),
    )
    lakehouse.send_raw([(b"MTR-10000", b"no json")])
    (device,) = lakehouse.new_devices(meter_multiplier=1)
    two_days_ago = datetime.now(UTC) - timedelta(days=2)
    # The register counted 10 kWh, of which a reading tells half a one.
    lakehouse.send(
        reading(device, f"{two_days_ago:%Y-%m-%d}T10:00:00Z", register_kwh=10.0),
        reading(device, f"{two_days_ago:%Y-%m-%d}T10:30:00Z", register_kwh=20.0),
    )
    lakehouse.land_and_round()
    command = [str(PROJECT_ROOT / "bin" / "stack"), "reconcile", "--full"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "✓ the books balance" in result.stdout
    return scrape(lakehouse)


def test_rows_of_every_table_are_as_sql_counts_them(lakehouse: Lakehouse, metrics: Metrics) -> None:
    tables = lakehouse.sql(
        "select table_schema, table_name from iceberg.information_schema.tables "
        "where table_type = 'BASE TABLE' "
        "and table_schema in ('staging', 'quality', 'intermediate', 'marts')"
    )
    counted = {
        (schema, name): lakehouse.value(f"select count(*) from iceberg.{schema}.{name}")
        for schema, name in tables
    }
    rows = metrics["meterhouse_table_rows"]
    assert {labels: rows[labels] for labels in rows if labels[0] != "landing"} == counted


def test_snapshots_and_files_are_as_metadata_says(lakehouse: Lakehouse, metrics: Metrics) -> None:
    name = "int_meter_readings"
    for metric, hidden in (("table_snapshots", "snapshots"), ("table_files", "files")):
        counted = lakehouse.value(f'select count(*) from iceberg.intermediate."{name}${hidden}"')
        assert metrics[f"meterhouse_{metric}"]["intermediate", name] == counted


def test_quarantined_messages_are_as_sql_counts_them(
    lakehouse: Lakehouse, metrics: Metrics
) -> None:
    rows = lakehouse.sql(
        "select reason, count(*) from iceberg.quality.quarantine_telemetry_raw group by 1"
    )
    found = metrics["meterhouse_quarantined_messages"]
    assert {labels[0]: n for labels, n in found.items() if labels[1] == TOPIC} == dict(rows)


def test_flagged_messages_are_as_sql_counts_them(lakehouse: Lakehouse, metrics: Metrics) -> None:
    rows = lakehouse.sql(
        "select field, reason, count(*) from iceberg.quality.flagged_fields group by 1, 2"
    )
    wanted = {(field, reason): count for field, reason, count in rows}
    found = metrics["meterhouse_flagged_messages"]
    assert {labels[:2]: n for labels, n in found.items() if labels[2] == TOPIC} == wanted
    assert {("voltage", "out_of_range"), ("battery_pct", "wrong_type")} <= set(wanted)


def test_the_reconciliation_is_that_of_the_books(lakehouse: Lakehouse, metrics: Metrics) -> None:
    ((at, result, landed, accepted, rows),) = lakehouse.sql(
        "select to_unixtime(reconciled_at), result, landed, accepted, table_rows "
        "from iceberg.ops.reconciliation order by reconciled_at desc limit 1"
    )
    assert result == "balanced"
    assert metrics["meterhouse_reconciliation_differences"][()] == 0
    assert metrics["meterhouse_reconciliation_timestamp_seconds"][()] == pytest.approx(at)
    assert metrics["meterhouse_landed_messages"][TOPIC,] == landed[TOPIC]
    assert metrics["meterhouse_accepted_messages"][TOPIC,] == accepted[TOPIC]
    assert rows[f"landing.{TOPIC}"] == metrics["meterhouse_table_rows"]["landing", TOPIC]


def test_registers_are_counted_as_the_books_say(lakehouse: Lakehouse, metrics: Metrics) -> None:
    ((spans, kwh),) = lakehouse.sql(
        "select register_spans, register_difference_kwh "
        "from iceberg.ops.reconciliation order by reconciled_at desc limit 1"
    )
    assert metrics["meterhouse_register_spans"] == {(name,): n for name, n in spans.items()}
    assert metrics["meterhouse_register_difference_kwh"] == {(c,): n for c, n in kwh.items()}
    assert spans["MISMATCH"] >= 1
    assert kwh["ENERGY_LOST"] >= 9.5


def test_what_alerts_ask_for_is_served(metrics: Metrics) -> None:
    rules = (PROJECT_ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8")
    expressions = "\n".join(re.findall(r"expr:(.*?)(?:for|labels):", rules, re.DOTALL))
    assert set(re.findall(r"\bmeterhouse_\w+", expressions)) <= set(metrics) | OF_ROUNDS_AND_BACKUPS
    assert set(metrics["meterhouse_source_up"].values()) == {1.0}


def test_lag_is_what_the_lander_has_not_landed(lakehouse: Lakehouse) -> None:
    actors = Actors(lakehouse.settings)
    lakehouse.land()
    actors.stop("lander")
    try:
        lakehouse.send(*(reading("MTR-10000", "2026-01-01T01:00:00Z") for _ in range(3)))
        ends, landed = lakehouse.end_offsets(), lakehouse.landed_offsets()
        lag = scrape(lakehouse)["meterhouse_lag_messages"]
    finally:
        actors.start("lander")
    found = {int(partition): n for (partition, topic), n in lag.items() if topic == TOPIC}
    assert found == {partition: end - landed.get(partition, 0) for partition, end in ends.items()}
    assert sum(found.values()) == 3
