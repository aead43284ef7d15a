"""Live marts: at any time they hold what the marts would hold after a round at that time."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.lakehouse import Lakehouse, Reading, reading, unused_numbers
from tests.integration.test_marts import expected_energy, table_rows
from tests.integration.test_replay import stack, stamp

pytestmark = pytest.mark.same_in_both_modes

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY = TODAY - timedelta(days=1)
# The live view, the mart and the columns that tell its rows apart.
MARTS = (
    ("device_daily_metrics_live", "device_daily_metrics", "device_id, reading_date"),
    ("customer_usage_live", "customer_usage_summary", "customer_id, reading_date"),
)

Rows = dict[str, list[list[Any]]]


@dataclass(frozen=True)
class Wave:
    """The live views' rows at some moments before a round, and the marts' after it."""

    live: dict[str, Rows]
    mart: Rows


def live(lakehouse: Lakehouse) -> Rows:
    """Rows of both live views."""
    return {mart: table_rows(lakehouse, "marts", view, keys) for view, mart, keys in MARTS}


def marts(lakehouse: Lakehouse) -> Rows:
    """Rows of both marts, but for the numbers of their loads."""
    return {mart: table_rows(lakehouse, "marts", mart, keys) for _, mart, keys in MARTS}


def day(dice: random.Random, device: str, days_ago: int, hours: Sequence[int]) -> list[Reading]:
    """Readings of one meter at some hours of a day."""
    return [
        reading(
            device,
            stamp(TODAY - timedelta(days=days_ago) + timedelta(hours=hour)),
            energy_kwh=dice.randrange(1, 2000) / 1000,
            voltage=dice.choice([230.0, 231.5, 99999]),
            status=dice.choice(["OK"] * 8 + ["WARN_UNDER_VOLTAGE", None]),
            battery_pct=dice.choice([*range(50, 58), "full", None]),
        )
        for hour in hours
    ]


def corrected(message: Reading, energy_kwh: float) -> Reading:
    """The same reading with another energy and a warning."""
    again = copy.deepcopy(message)
    again["metrics"]["energy_kwh"] = energy_kwh
    return again | {"status": "WARN_LOW_BATTERY"}


def rejected(device: str, unknown: str) -> list[Reading]:
    """Messages that quarantine takes, most of them for a reading that is there."""
    moment = stamp(YESTERDAY)
    return [
        reading(device, moment, energy_kwh=1e9),
        reading(device, stamp(TODAY + timedelta(days=3))),
        reading(device, "no time"),
        reading(device, moment) | {"metrics": {"energy_kwh": "much"}},
        reading(unknown, moment),
    ]


class Story:
    """Waves of messages, each with a round, and what the live views said meanwhile.

    accepted: every message that counts, in the order of sending.
    """

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        self.dice = random.Random(4711)
        self.meters = lakehouse.new_devices(3)
        (self.abroad,) = lakehouse.new_devices(time_zone="Australia/Sydney")
        (self.first_seen,) = lakehouse.new_devices()
        # Never registered: a meter that was deleted stays known for its readings from before.
        self.unknown = f"MTR-{next(iter(unused_numbers()))}"
        self.accepted: list[Reading] = []
        self.waves = {
            "history": self._history(),
            "a wave": self._wave(),
            "a wave in the middle of a round": self._wave_in_a_round(),
            "a replay": self._replay(),
        }

    def _land(self, *messages: Reading) -> Rows:
        """The live views' rows once messages that count have landed."""
        self.accepted += messages
        self.lakehouse.send(*messages)
        self.lakehouse.land()
        return live(self.lakehouse)

    def _round(self, moments: dict[str, Rows]) -> Wave:
        self.lakehouse.round()
        return Wave(moments | {"round ended": live(self.lakehouse)}, marts(self.lakehouse))

    def _history(self) -> Wave:
        meters = (*self.meters, self.abroad)
        days = [day(self.dice, meter, ago, range(0, 24, 3)) for meter in meters for ago in (1, 2)]
        self.accepted = [message for each in days for message in each]
        self.lakehouse.send(*self.accepted)
        self.lakehouse.land_and_round()
        return self._round({})

    def _wave(self) -> Wave:
        again, changed = (self.dice.sample(self.accepted, 6) for _ in range(2))
        self.lakehouse.send(*rejected(self.meters[0], self.unknown))
        landed = self._land(
            *self._new([1, 2]),
            *again,
            *(corrected(message, 9.999) for message in changed),
            # Back to the first value, which is one more correction.
            *changed[:2],
            *day(self.dice, self.meters[1], 40, [5, 6]),
            *day(self.dice, self.first_seen, 1, range(10, 20)),
        )
        self.lakehouse.dbt("run", "--select", "stg_telemetry_raw")
        return self._round({"landed": landed, "staging committed": live(self.lakehouse)})

    def _wave_in_a_round(self) -> Wave:
        new = self._new([4, 5])
        self._land(*new)
        self.lakehouse.dbt("run", "--select", "stg_telemetry_raw", "int_meter_readings")
        held = self.dice.sample(self.accepted, 6)
        changed = [corrected(message, 5.5) for message in (*new[:2], *held[:3])]
        return self._round({"landed": self._land(*changed, *held, *self._new([7]))})

    def _replay(self) -> Wave:
        assert self.unknown not in {row[0] for row in live(self.lakehouse)["device_daily_metrics"]}
        self.lakehouse.add_device(self.unknown)
        stack("replay", "--reason", "unknown_device")
        self.accepted.append(reading(self.unknown, stamp(YESTERDAY)))
        replayed = Wave({"replayed": live(self.lakehouse)}, marts(self.lakehouse))
        assert replayed.live["replayed"] == replayed.mart
        changed = reading(self.unknown, stamp(YESTERDAY), energy_kwh=0.75)
        return self._round({"landed": self._land(changed)})

    def _new(self, hours: Sequence[int]) -> list[Reading]:
        """Readings of yesterday that nobody has sent yet."""
        meters = (*self.meters, self.abroad)
        return [each for meter in meters for each in day(self.dice, meter, 1, hours)]


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Story:
    return Story(lakehouse)


@pytest.mark.parametrize("mart", [mart for _, mart, _ in MARTS])
@pytest.mark.parametrize(
    "wave", ["history", "a wave", "a wave in the middle of a round", "a replay"]
)
def test_live_is_the_mart_after_a_round(story: Story, wave: str, mart: str) -> None:
    after = story.waves[wave].mart[mart]
    for moment, rows in story.waves[wave].live.items():
        assert rows[mart] == after, moment


def test_live_counts_the_last_value_of_each_reading(story: Story) -> None:
    """Compare days in UTC with sums by plain Python."""
    wanted = expected_energy(story.accepted)
    found: dict[str, dict[str, Decimal]] = {}
    landed = story.waves["a replay"].live["landed"]["device_daily_metrics"]
    for device, _, date, energy, *_ in landed:
        found.setdefault(device, {})[str(date)] = Decimal(energy)
    for device in (*story.meters, story.first_seen, story.unknown):
        assert found[device] == wanted[device]


def test_live_says_what_the_mart_does_not_yet(story: Story) -> None:
    landed, before = (story.waves[name] for name in ("a wave", "history"))
    devices = {row[0] for row in before.mart["device_daily_metrics"]}
    assert story.first_seen not in devices
    assert story.first_seen in {row[0] for row in landed.live["landed"]["device_daily_metrics"]}


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize("view", [view for view, _, _ in MARTS])
def test_a_day_is_asked_of_the_tables_in_few_stages(lakehouse: Lakehouse, view: str) -> None:
    rows = lakehouse.sql(
        "explain (type distributed) "
        f"select * from iceberg.marts.{view} where reading_date = date '2026-01-07'"
    )
    plan = "\n".join(row[0] for row in rows).splitlines()
    for table in ("marts.device_daily_metrics$data", "intermediate.int_meter_readings$data"):
        (scan,) = (line for line in plan if f"table = iceberg:{table}" in line)
        assert "= date '2026-01-07'" in scan
    # Trino advises against more than 50, and each costs a query its milliseconds.
    assert len([line for line in plan if line.startswith("Fragment ")]) <= 24
