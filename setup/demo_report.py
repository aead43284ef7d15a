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
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from simulator.delivery import topic_ids
from stack.base import caller
from stack.base.errors import MeterhouseError, RetriableError
from stack.base.settings import Settings, load_settings
from stack.base.text import readable
from stack.books import ledger
from stack.books.broker import Broker
from stack.books.by_hand import reconcile_by_hand, register_text
from stack.books.database import locations
from stack.books.evidence import Head, TopicState
from stack.books.heads import Heads
from stack.books.plan import Plan
from stack.books.reconcile import lag
from stack.clients import kafka, postgres, trino
from stack.clients.kafka import client_options
from stack.rounds.books import plan_of
from stack.rounds.project import Project
from stack.watermarks.landed import LANDED_PROPERTY, Watermark

LAND_SECONDS = 120.0
SCREEN_COLUMNS = 100
HEADING_COLUMNS = 12
LONGEST_WORD = 30


@dataclass(frozen=True)
class DemoCounts:
    """One topic's way through the lakehouse, as counts of messages.

    sent, acknowledged: by this run's senders. reported: acknowledged in all runs; the counts after
    it are of all runs too, as the newest reconciliation found them. waiting: in Kafka or landed,
    and not processed yet.
    """

    topic: str
    sent: int
    acknowledged: int
    reported: int
    landed: int
    accepted: int
    quarantined: int
    waiting: int

    @property
    def problems(self) -> list[str]:
        """The sums that do not hold, in words; empty if all is well."""
        sums = {
            "sent = acknowledged": self.sent == self.acknowledged,
            "acknowledged <= landed and waiting": self.reported <= self.landed + self.waiting,
            "landed = accepted + quarantined": self.landed == self.accepted + self.quarantined,
        }
        return [f"{self.topic}: {name}" for name, holds in sums.items() if not holds]


def topic(settings: Settings, _folder: Path, console: Console) -> None:
    """Print Kafka's id of the topic of readings: another one after its data was deleted.

    It is written as Kafka's own tools do, which is fit for a file's name; librdkafka says + and /.
    """
    name = settings.topic_name
    found = topic_ids(client_options(settings), [name])[name]
    console.print(found.translate(str.maketrans("+/", "-_")))


def land(settings: Settings, _folder: Path, console: Console) -> None:
    """Wait until both topics have landed up to their present ends.

    Raises RetriableError after LAND_SECONDS.
    """
    plan, broker = plan_of(Project()), Broker(kafka.administrator(settings, kafka.DBT))
    ends = broker.with_ends(broker.begins(topics(settings)))
    limit = time.monotonic() + LAND_SECONDS
    while missing := {name: n for name, n in not_landed(settings, plan, ends).items() if n}:
        if time.monotonic() > limit:
            raise RetriableError(
                f"the messages of {', '.join(ends)} landed within {LAND_SECONDS:.0f} s",
                ", ".join(f"{count:,} of {name} not landed" for name, count in missing.items()),
                "./initial-setup.sh status shows how the lander is",
            )
        time.sleep(0.2)
    console.print(f"  ✓ landed: {', '.join(ends)}")


def not_landed(settings: Settings, plan: Plan, ends: Mapping[str, TopicState]) -> dict[str, int]:
    """Messages below the ends that have not landed, by topic."""
    there = locations(postgres.client(settings, postgres.DBT), plan)
    tables = {f"landing.{name}" for name in ends} & set(there)
    heads = Heads(settings).of({table: there[table] for table in tables})
    return {
        name: sum(lag(state, watermark_of(heads.get(f"landing.{name}"), state)).values())
        for name, state in ends.items()
    }


def watermark_of(head: Head | None, state: TopicState) -> Watermark:
    """What a landing table says has landed; nothing of the topic where there is no table yet."""
    if head is None:
        return Watermark(0, datetime.now(UTC), {}, state.topic_id)
    return Watermark.from_json(head.properties[LANDED_PROPERTY])


def topics(settings: Settings) -> tuple[str, str]:
    """The topics of the demo: telemetry and fault logs."""
    return settings.topic_name, settings.logs_topic_name


def sent_and_acknowledged(folder: Path, topic: str) -> tuple[int, int]:
    """What this run's senders counted for a topic, added up."""
    reports = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    counts = [report["topics"][topic] for report in reports if topic in report["topics"]]
    return (
        sum(count["sent"] for count in counts),
        sum(count["acknowledged"] for count in counts),
    )


def flow_of(folder: Path, topic: str, row: Mapping[str, Any]) -> DemoCounts:
    """One topic's counts. row: the newest of iceberg.ops.reconciliation, by column."""
    sent, acknowledged = sent_and_acknowledged(folder, topic)
    return DemoCounts(
        topic,
        sent,
        acknowledged,
        reported=row["acknowledged"].get(topic, 0),
        landed=row["landed"][topic],
        accepted=row["accepted"][topic],
        quarantined=sum(row["quarantined"][topic].values()),
        waiting=row["unprocessed"][topic] + row["lag_messages"][topic],
    )


def show_flows(found: Sequence[DemoCounts], console: Console) -> None:
    """The balance as a table, a row a step."""
    steps = {
        "sent by this run": "sent",
        "acknowledged by Kafka": "acknowledged",
        "acknowledged, all runs": "reported",
        "landed": "landed",
        "accepted (logs: parsed)": "accepted",
        "quarantined (logs: unparsed)": "quarantined",
        "not processed yet": "waiting",
    }
    rows = [[title, *(getattr(flow, name) for flow in found)] for title, name in steps.items()]
    console.print(table_of(["messages", *(flow.topic for flow in found)], rows))


def show_reasons(settings: Settings, row: Mapping[str, Any], console: Console) -> None:
    """Why readings were quarantined or flagged, how many came more than once, and registers.

    row: the newest of iceberg.ops.reconciliation, by column.
    """
    for column in ("quarantined", "flagged"):
        counts: Mapping[str, int] = row[column][settings.topic_name]
        by_count = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        listed = ", ".join(f"{reason} {count:,}" for reason, count in by_count)
        console.print(Padding(f"{column}: {listed or 'none'}", (0, 0, 0, 2)))
    ((readings, duplicates, corrections, superseded),) = trino.client(settings).rows(
        "select count(*), sum(duplicate_count), sum(correction_count), sum(superseded_count) "
        "from iceberg.intermediate.int_meter_readings",
    )
    ((due, present),) = trino.client(settings).rows(
        "select sum(expected_slots - pending), sum(expected_slots - missing - pending) "
        "from iceberg.marts.read_completeness "
        "where local_date > current_date - interval '7' day",
    )
    text = register_text(row["register_spans"] or {}, row["register_difference_kwh"] or {})
    for line in (
        f"accepted: {readings:,} readings, and besides them {duplicates or 0:,} duplicates, "
        f"{corrections or 0:,} values that were corrected, {superseded or 0:,} superseded",
        f"read rate: {100 * (present or 0) / (due or 1):.1f} %, {present or 0:,} of {due or 0:,} "
        "slots that were due in the last 7 days",
        f"register = readings, by span: {text}\n",
    ):
        console.print(Padding(line, (0, 0, 0, 2)))


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
    "device_health_status: which meters are unhealthy, and why (the worst first)": """
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
        with trino.client(settings).cursor() as cursor:
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
    return "" if value is None else readable(str(value))


def show(settings: Settings, folder: Path, console: Console) -> int:
    """Reconcile; print balance and marts. Returns 1 if a sum of the balance does not hold."""
    plan, said = plan_of(Project()), list[str]()
    is_different = reconcile_by_hand(settings, plan, said.append, is_full=False)
    row = ledger.last(trino.client(settings, plan.trino_user), plan.ledger)
    found = [flow_of(folder, topic, row) for topic in topics(settings)]
    show_flows(found, console)
    show_reasons(settings, row, console)
    problems = [problem for each in found for problem in each.problems]
    if is_different or problems:
        text = "\n".join(["  ✗ The balance does NOT hold", *problems, *said])
        console.print(text, style="bold red", markup=False)
        return 1
    console.print(
        "  ✓ The balance holds: sent = acknowledged; in the topics = landed = accepted + "
        "quarantined.\n    It is the newest row of iceberg.ops.reconciliation.\n",
        style="green",
    )
    show_marts(settings, console)
    return 0


def screen(file: TextIO) -> Console:
    """A console that prints texts as they are: brackets in them are no markup."""
    return Console(file=file, width=SCREEN_COLUMNS, highlight=False, markup=False, emoji=False)


def main(words: Sequence[str]) -> int:
    """Run one of the commands; expected failures print one message."""
    commands: Mapping[str, Any] = {"topic": topic, "land": land, "show": show}
    if len(words) != 2 or words[0] not in commands:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    console, errors = screen(sys.stdout), screen(sys.stderr)
    try:
        return commands[words[0]](load_settings(), Path(words[1]), console) or 0
    except MeterhouseError as error:
        errors.print(f"  ✗ {error}", style="red")
        return 1


if __name__ == "__main__":
    caller.clear()
    sys.exit(main(sys.argv[1:]))
