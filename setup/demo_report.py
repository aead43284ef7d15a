"""The demo's closing screens: the balance from sender to quarantine, and the marts.

Usage: demo_report.py topic FOLDER  print Kafka's id of the readings' topic
       demo_report.py land FOLDER   wait until everything in the topics has landed
       demo_report.py show FOLDER   print balance and marts; exit 1 if the balance does not hold
FOLDER holds the senders' reports (*.json) of one demo run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from simulator.delivery import topic_ids
from stack.errors import MeterhouseError, RetriableError
from stack.kafka_client import client_options
from stack.ready import ANSWER_SECONDS
from stack.services import trino
from stack.settings import Settings, load_settings

LAND_SECONDS = 120.0
SCREEN_COLUMNS = 100
HEADING_COLUMNS = 12
LONGEST_WORD = 30
ENDS_FILE = "end-offsets"
Offsets = dict[int, int]


@dataclass(frozen=True)
class Flow:
    """One topic's way through the lakehouse, as counts of messages.

    sent, acknowledged: by this run's senders. topic, landed, accepted, rejected: of all runs, up
    to the offsets at which this run ended.
    """

    topic_name: str
    sent: int
    acknowledged: int
    topic: int
    landed: int
    accepted: int
    rejected: int

    @property
    def problems(self) -> list[str]:
        """The sums that do not hold, in words; empty if all is well."""
        sums = {
            "sent = acknowledged": self.sent == self.acknowledged,
            "acknowledged <= in the topic": self.acknowledged <= self.topic,
            "in the topic = landed": self.topic == self.landed,
            "landed = accepted + quarantined": self.landed == self.accepted + self.rejected,
        }
        return [f"{self.topic_name}: {name}" for name, holds in sums.items() if not holds]


def end_offsets(settings: Settings, topic: str) -> Offsets:
    """The next offset of every partition."""
    options = client_options(settings) | {"group.id": "demo-report"}
    with closing(Consumer(options)) as consumer:
        partitions = consumer.list_topics(topic, ANSWER_SECONDS).topics[topic].partitions
        return {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), ANSWER_SECONDS)[1]
            for number in partitions
        }


def landed_offsets(settings: Settings, topic: str) -> Offsets:
    """The offsets below which landing holds everything."""
    rows = trino.query(
        settings,
        f"select value from iceberg.landing.\"{topic}$properties\" where key = 'meterhouse.landed'",
    )
    offsets = json.loads(rows[0][0])["offsets"] if rows else {}
    return {int(number): offset for number, offset in offsets.items()}


def topic(settings: Settings, _folder: Path, console: Console) -> None:
    """Print Kafka's id of the topic of readings: another one after its data was deleted.

    It is written as Kafka's own tools do, which is fit for a file's name; librdkafka says + and /.
    """
    name = settings.topic_name
    found = topic_ids(client_options(settings), [name])[name]
    console.print(found.translate(str.maketrans("+/", "-_")))


def land(settings: Settings, folder: Path, console: Console) -> None:
    """Wait until both topics have landed up to their present ends, and write the ends down.

    Raises RetriableError after LAND_SECONDS.
    """
    ends = {topic: end_offsets(settings, topic) for topic in topics(settings)}
    limit = time.monotonic() + LAND_SECONDS
    for topic, wanted in ends.items():
        while any(
            landed_offsets(settings, topic).get(n, 0) < end for n, end in wanted.items() if end
        ):
            if time.monotonic() > limit:
                raise RetriableError(
                    f"{topic} landed up to {wanted}",
                    str(landed_offsets(settings, topic)),
                    "./initial-setup.sh status shows how the lander is",
                )
            time.sleep(0.2)
        console.print(f"  ✓ {topic}: {sum(wanted.values()):,} messages landed")
    (folder / ENDS_FILE).write_text(json.dumps(ends))


def topics(settings: Settings) -> tuple[str, str]:
    """The topics of the demo: telemetry and fault logs."""
    return settings.topic_name, settings.logs_topic_name


def read_ends(folder: Path) -> dict[str, Offsets]:
    """The end offsets that `land` wrote down."""
    content = json.loads((folder / ENDS_FILE).read_text())
    return {topic: {int(n): end for n, end in ends.items()} for topic, ends in content.items()}


def sent_and_acknowledged(folder: Path, topic: str) -> tuple[int, int]:
    """What this run's senders counted for a topic, added up."""
    reports = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    counts = [report["topics"][topic] for report in reports if topic in report["topics"]]
    return (
        sum(count["sent"] for count in counts),
        sum(count["acknowledged"] for count in counts),
    )


@dataclass(frozen=True)
class Place:
    """Where a topic's messages are counted: a table, and which of its rows."""

    table: str
    where: str = "true"


OUTCOMES = (
    (Place("staging.stg_telemetry_raw"), Place("quality.quarantine_telemetry_raw")),
    (
        Place("staging.stg_meter_health_logs", "parse_status = 'PARSED'"),
        Place("staging.stg_meter_health_logs", "parse_status = 'UNPARSED'"),
    ),
)


def count_below(settings: Settings, place: Place, ends: Offsets) -> int:
    """Rows of a place whose offset lies below the ends."""
    values = ", ".join(f"({number}, bigint '{end}')" for number, end in ends.items())
    rows = trino.query(
        settings,
        f"with ends (kafka_partition, end_offset) as (values {values}) "
        f"select count(*) from iceberg.{place.table} as held inner join ends "
        "on held.kafka_partition = ends.kafka_partition and held.kafka_offset < ends.end_offset "
        f"where {place.where}",
    )
    return int(rows[0][0])


def flows(settings: Settings, folder: Path) -> list[Flow]:
    """Both topics' counts."""
    ends = read_ends(folder)
    return [
        flow(settings, folder, topic, ends[topic], outcomes)
        for topic, outcomes in zip(topics(settings), OUTCOMES, strict=True)
    ]


def flow(
    settings: Settings, folder: Path, topic: str, ends: Offsets, outcomes: tuple[Place, Place]
) -> Flow:
    """One topic's counts; outcomes: where its accepted and its rejected messages are."""
    sent, acknowledged = sent_and_acknowledged(folder, topic)
    accepted, rejected = outcomes
    return Flow(
        topic,
        sent,
        acknowledged,
        topic=sum(ends.values()),
        landed=count_below(settings, Place(f"landing.{topic}"), ends),
        accepted=count_below(settings, accepted, ends),
        rejected=count_below(settings, rejected, ends),
    )


def show_flows(found: Sequence[Flow], console: Console) -> None:
    """The balance as a table, a row a step."""
    steps = {
        "sent by this run": "sent",
        "acknowledged by Kafka": "acknowledged",
        "in the topic, all runs": "topic",
        "landed": "landed",
        "accepted (logs: parsed)": "accepted",
        "quarantined (logs: unparsed)": "rejected",
    }
    rows = [[title, *(getattr(flow, name) for flow in found)] for title, name in steps.items()]
    console.print(table_of(["messages", *(flow.topic_name for flow in found)], rows))


def show_reasons(settings: Settings, console: Console) -> None:
    """Why messages were quarantined, and how many readings came more than once."""
    reasons = trino.query(
        settings,
        "select reason, count(*) from iceberg.quality.quarantine_telemetry_raw "
        "group by 1 order by 2 desc, 1",
    )
    listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons)
    console.print(Padding(f"quarantined: {listed}", (0, 0, 0, 2)))
    ((readings, duplicates, corrections),) = trino.query(
        settings,
        "select count(*), sum(duplicate_count), sum(correction_count) "
        "from iceberg.intermediate.int_meter_readings",
    )
    console.print(
        f"  accepted: {readings:,} readings, and besides them {duplicates or 0:,} duplicates and "
        f"{corrections or 0:,} values that were corrected\n"
    )


MARTS = {
    "device_daily_metrics: today, the first meters": """
        select device_id, customer_id, reading_date,
            cast(total_energy_kwh as decimal(12, 3)) as total_energy_kwh,
            cast(avg_voltage as decimal(6, 1)) as avg_voltage,
            reading_count, health_score_pct, device_health_status
        from iceberg.marts.device_daily_metrics
        order by reading_date desc, device_id limit 6""",
    "customer_usage_summary: what did each customer use": """
        select customer_id, reading_date,
            cast(total_energy_kwh as decimal(12, 3)) as total_energy_kwh, active_device_count,
            total_warnings, avg_device_health, customer_alert_status
        from iceberg.marts.customer_usage_summary
        order by reading_date desc, customer_id limit 5""",
    "device_health_status: which meters are unwell, and why (the worst first)": """
        select device_id, device_health_status, reasons, battery_pct, open_fault_count
        from iceberg.marts.device_health_status
        order by
            case device_health_status when 'UNHEALTHY' then 1 when 'DEGRADED' then 2 else 3 end,
            device_id
        limit 6""",
}


def show_marts(settings: Settings, console: Console) -> None:
    """A few rows of every mart."""
    for title, query in MARTS.items():
        with trino.session(settings) as connection:
            cursor = connection.cursor()
            cursor.execute(query)
            rows = cursor.fetchall()
            names = [column[0] for column in cursor.description]
        console.print(table_of(names, rows, title))


def table_of(names: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> Table:
    """A table without frames; numbers stand to the right."""
    table = Table(
        title=title and f"  {title}",
        box=SIMPLE_HEAD,
        title_justify="left",
        padding=(0, 1),
        collapse_padding=True,
    )
    for index, name in enumerate(names):
        is_number = all(isinstance(row[index], int | Decimal | None) for row in rows)
        title_lines = heading(name).splitlines()
        widths = [len(line) for line in [*title_lines, *(cell(row[index]) for row in rows)]]
        table.add_column(
            heading(name),
            vertical="bottom",
            justify="right" if is_number else "left",
            min_width=min(LONGEST_WORD, max(widths)),
        )
    for row in rows:
        table.add_row(*map(cell, row))
    return table


def heading(name: str) -> str:
    """A column's name on as many lines as keep it narrow, broken at its underscores."""
    return "\n".join(wrap(name.replace("_", "_ "), HEADING_COLUMNS)).replace("_ ", "_")


def cell(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else str(value)


def show(settings: Settings, folder: Path, console: Console) -> int:
    """Print balance and marts. Returns 1 if a sum of the balance does not hold."""
    found = flows(settings, folder)
    show_flows(found, console)
    show_reasons(settings, console)
    problems = [problem for each in found for problem in each.problems]
    if problems:
        console.print(f"  ✗ The balance does NOT hold: {'; '.join(problems)}", style="bold red")
        return 1
    console.print(
        "  ✓ The balance holds: sent = acknowledged; in the topics = landed = "
        "accepted + quarantined\n",
        style="green",
    )
    show_marts(settings, console)
    return 0


def main(words: Sequence[str]) -> int:
    """Run one of the commands; expected failures print one message."""
    commands: Mapping[str, Any] = {"topic": topic, "land": land, "show": show}
    if len(words) != 2 or words[0] not in commands:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    console = Console(width=SCREEN_COLUMNS, highlight=False)
    errors = Console(width=SCREEN_COLUMNS, highlight=False, stderr=True)
    try:
        return commands[words[0]](load_settings(), Path(words[1]), console) or 0
    except MeterhouseError as error:
        errors.print(f"  ✗ {error}", style="red")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
