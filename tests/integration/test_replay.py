"""Quarantine and back: a fixed rule lets messages in once, and the marts follow."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stack.base.root import PROJECT_ROOT
from tests.integration.access import Access
from tests.integration.lakehouse import Lakehouse, reading, unused_numbers
from tests.integration.test_marts import contents, daily_energy, day_of, table_rows

pytestmark = pytest.mark.same_in_both_modes

NOW = datetime.now(UTC).replace(microsecond=0)
LATE = {"an hour": timedelta(hours=1), "a day": timedelta(days=1), "40 days": timedelta(days=40)}
UNKNOWN, TOO_MUCH = "unknown_device", "energy_out_of_range"


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def stack(*words: str) -> str:
    """What a command of the stack prints, wherever the stack runs."""
    command = [sys.executable, "-m", "stack", *words]
    result = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def layers(lakehouse: Lakehouse) -> dict[str, list[list[Any]]]:
    """All that the models say, but for when they ran."""
    staged = (
        "select telemetry_key, device_id, energy_kwh, is_old, batch_id, landed_at "
        "from iceberg.staging.stg_telemetry_raw order by 1"
    )
    kept = "select telemetry_key, reason from iceberg.quality.quarantine_telemetry_raw order by 1"
    queries = {"staged": staged, "quarantine": kept}
    return {
        "readings": table_rows(lakehouse, "intermediate", "int_meter_readings", "1, reading_at"),
        "last": table_rows(lakehouse, "intermediate", "int_device_last_readings", "device_id"),
        **contents(lakehouse),
        **{name: lakehouse.sql(sql) for name, sql in queries.items()},
    }


@dataclass(frozen=True)
class Story:
    """What was sent and what was seen on the way.

    late: a meter that master data learnt of afterwards; strong: one whose service turned out to be
    larger; strange: one that nobody ever knew. added_by_zombie: what a replay
    added that stood still without its lock until another had done its work.
    """

    late: str
    strong: str
    strange: str
    listed: str
    dry: str
    unchanged_by_dry_run: bool
    reasons_after_first: dict[str, list[str]]
    replayed: dict[str, list[list[Any]]]
    added_by_zombie: dict[str, int]
    unchanged_by_second: bool
    rebuilt: dict[str, list[list[Any]]]


def reasons(lakehouse: Lakehouse, *devices: str) -> dict[str, list[str]]:
    """Reasons of the messages of each device that are in quarantine."""
    found: dict[str, list[str]] = {device: [] for device in devices}
    names = ", ".join(f"'{device}'" for device in devices)
    for device, reason in lakehouse.sql(
        "select device_id, reason from iceberg.quality.quarantine_telemetry_raw "
        f"where device_id in ({names})"
    ):
        found[device].append(reason)
    return found


def last_replay(lakehouse: Lakehouse) -> str:
    """The newest statement that put messages into the ledger."""
    ((statement,),) = lakehouse.sql(
        "select query from system.runtime.queries where state = 'FINISHED' and "
        "query like '%insert into iceberg.quality.replayed_telemetry_raw%' "
        "and query not like '%system.runtime%' order by created desc limit 1"
    )
    return str(statement)


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Story:
    numbers = unused_numbers()
    late, strange = (f"MTR-{next(iter(numbers))}" for _ in range(2))
    (strong,) = lakehouse.new_devices(service_size_kw=1)
    moment = stamp(NOW - timedelta(hours=2))
    lakehouse.send(
        *(reading(late, stamp(NOW - ago), energy_kwh=1.25) for ago in LATE.values()),
        *(reading(late, stamp(NOW - ago), energy_kwh=1.25) for ago in LATE.values()),
        reading(strange, moment),
        reading(strong, moment, energy_kwh=1.0, battery_pct=80),
        # 1 kW for a day, ten times over, is 240 kWh.
        reading(strong, moment, energy_kwh=300.0, battery_pct=60),
    )
    lakehouse.land_and_round()
    lakehouse.add_device(late)
    lakehouse.change_master_data(
        "update device_master set service_size_kw = 10 where device_id = %s", strong
    )
    listed = stack("quarantine")

    before = lakehouse.snapshots()
    dry = stack("replay", "--dry-run")
    unchanged_by_dry_run = lakehouse.snapshots() == before
    stack("replay", "--reason", UNKNOWN, "--since", stamp(NOW - timedelta(days=1)))
    after_first = reasons(lakehouse, late, strong, strange)
    stack("replay")
    inserts = {
        "ledger": last_replay(lakehouse),
        "staging": lakehouse.last_insert("stg_telemetry_raw"),
    }
    zombie = Access(lakehouse.settings, "")
    added = {model: zombie.ask("dbt", insert)[0][0] for model, insert in inserts.items()}

    replayed, snapshots = layers(lakehouse), lakehouse.snapshots()
    stack("replay")
    unchanged_by_second = lakehouse.snapshots() == snapshots
    lakehouse.round(is_full_refresh=True)
    return Story(
        late,
        strong,
        strange,
        listed,
        dry,
        unchanged_by_dry_run,
        after_first,
        replayed,
        added,
        unchanged_by_second,
        layers(lakehouse),
    )


def test_reasons_are_listed_with_an_example(story: Story) -> None:
    (line,) = (line for line in story.listed.splitlines() if line.strip().startswith(UNKNOWN))
    assert int(line.split()[1]) >= 7
    assert "partition" in line


def test_a_dry_run_says_what_would_move_and_moves_nothing(story: Story) -> None:
    # Other tests may have left messages of meters that are known by now.
    counts = dict(re.findall(r"(\w+): (\d+) would go back to staging", story.dry))
    assert int(counts[TOO_MUCH]) >= 1
    assert int(counts[UNKNOWN]) >= 6
    assert story.unchanged_by_dry_run


def test_only_the_chosen_reason_goes_back(story: Story) -> None:
    assert story.reasons_after_first == {
        story.late: [],
        story.strong: [TOO_MUCH],
        story.strange: [UNKNOWN],
    }


def test_what_no_rule_accepts_stays(lakehouse: Lakehouse, story: Story) -> None:
    assert reasons(lakehouse, story.late, story.strong, story.strange) == {
        story.late: [],
        story.strong: [],
        story.strange: [UNKNOWN],
    }


def test_a_replay_sent_again_later_adds_nothing(story: Story) -> None:
    assert story.added_by_zombie == {"ledger": 0, "staging": 0}


def test_a_second_replay_changes_nothing(story: Story) -> None:
    assert story.unchanged_by_second


def test_every_landed_message_is_accepted_or_quarantined_once(
    lakehouse: Lakehouse, story: Story
) -> None:
    keys = [row[0] for name in ("staged", "quarantine") for row in story.replayed[name]]
    assert len(keys) == len(set(keys))
    assert len(keys) == lakehouse.value("select count(*) from iceberg.landing.telemetry_raw")


@pytest.mark.parametrize("layer", ["staged", "quarantine", "readings", "last"])
def test_a_rebuild_gives_the_same_rows(story: Story, layer: str) -> None:
    assert story.replayed[layer] == story.rebuilt[layer]


def test_a_rebuild_gives_the_same_marts(story: Story) -> None:
    marts = ("device_daily_metrics", "customer_usage_summary", "device_health_status")
    assert {mart: story.replayed[mart] for mart in marts} == {
        mart: story.rebuilt[mart] for mart in marts
    }


def test_late_messages_count_in_their_own_days(lakehouse: Lakehouse, story: Story) -> None:
    expected: dict[str, Decimal] = {}
    for ago in LATE.values():
        date = day_of(NOW - ago)
        expected[date] = expected.get(date, Decimal(0)) + Decimal("1.25")
    assert daily_energy(lakehouse, story.late) == expected


def test_a_correction_that_came_back_is_the_newest_value_everywhere(
    lakehouse: Lakehouse, story: Story
) -> None:
    date = day_of(NOW - timedelta(hours=2))
    assert daily_energy(lakehouse, story.strong) == {date: Decimal(300)}
    (last,) = (row for row in story.replayed["last"] if row[0] == story.strong)
    assert Decimal(60) in last


def test_what_changed_is_listed_with_before_after_why_and_when(
    lakehouse: Lakehouse, story: Story
) -> None:
    rows = lakehouse.sql(
        "select energy_kwh_before, energy_kwh_after, battery_pct_before, battery_pct_after, why, "
        "corrected_at > kafka_replayed.landed_at from iceberg.quality.reading_corrections "
        "inner join iceberg.quality.replayed_telemetry_raw as kafka_replayed "
        "on reading_corrections.telemetry_key = kafka_replayed.telemetry_key "
        f"where reading_corrections.device_id = '{story.strong}'"
    )
    before, after = (Decimal(1), Decimal(80)), (Decimal(300), Decimal(60))
    assert rows == [[before[0], after[0], before[1], after[1], f"replayed: was {TOO_MUCH}", True]]


def test_a_value_sent_again_is_listed_and_a_repeat_is_not(lakehouse: Lakehouse) -> None:
    (device,) = lakehouse.new_devices()
    moment = stamp(NOW - timedelta(hours=3))
    lakehouse.send(*(reading(device, moment, energy_kwh=energy) for energy in (1.0, 1.0, 2.5)))
    lakehouse.land_and_round()
    assert lakehouse.sql(
        "select energy_kwh_before, energy_kwh_after, why from iceberg.quality.reading_corrections "
        f"where device_id = '{device}'"
    ) == [[Decimal(1), Decimal("2.5"), "sent again with other values"]]
