"""Slots of the local day: what came, what did not, and what counts of readings that overlap."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.lakehouse import Lakehouse, Reading, reading
from tests.integration.test_days import CLOCK_CHANGES, case_c1, half_hours, stamp
from tests.integration.test_marts import contents

pytestmark = pytest.mark.same_in_both_modes

INSTALLED = "2026-01-01T00:00:00Z"
LONDON, LORD_HOWE = "Europe/London", "Australia/Lord_Howe"
JUNE = date(2026, 6, 1)
HALF_HOUR = timedelta(minutes=30)
PENDING_HOURS = 6


def whole_day(device: str, zone: str, day: date) -> list[Reading]:
    """Half-hours of 0.25 kWh."""
    return [reading(device, stamp(end), energy_kwh=0.25) for end in half_hours(zone, day)]


def june(device: str, clock: str, kwh: float, **changes: Any) -> Reading:
    """A reading that ends at a time of the first of June, UTC."""
    return reading(device, f"2026-06-01T{clock}:00Z", energy_kwh=kwh, **changes)


class Story:
    """Meters of which some send more in a second and third round.

    late: a half-hour comes late; spread: a reading of three slots is corrected to one of one;
    beaten: an estimate of a day, then half-hours of it; three: three days at once, then a day of
    them.
    """

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        self.c1, self.late, self.spread, self.beaten, self.three, self.doubtful = self._meters(6)
        (self.london,) = self._meters(1, time_zone=LONDON)
        (self.lord_howe,) = self._meters(1, time_zone=LORD_HOWE)
        self.changing = {LONDON: self.london, LORD_HOWE: self.lord_howe}
        for zone in ("Asia/Kathmandu", "Atlantic/Azores", "America/Santiago"):
            (self.changing[zone],) = self._meters(1, time_zone=zone)
        self._send(*self._first())
        self.before = {name: self.slots(name) for name in (self.late, self.spread, self.beaten)}
        # Half-hours of the evening and of the day that follows, which changes nothing before it.
        self._send(
            june(self.late, "10:30", 0.7),
            june(self.spread, "03:00", 1.0, interval_s=1800),
            june(self.beaten, "12:00", 0.4),
            reading(self.c1, "2026-06-03T00:30:00Z", energy_kwh=1.0),
        )
        self._send(*whole_day(self.three, "UTC", date(2026, 6, 2)))

    def _meters(self, count: int, **columns: Any) -> list[str]:
        columns = {"time_zone": "UTC", "interval_minutes": 30, **columns}
        return self.lakehouse.new_devices(count, installed_at=INSTALLED, **columns)

    def _first(self) -> list[Reading]:
        late = [
            message
            for message in whole_day(self.late, "UTC", JUNE)
            if message["timestamp"] != "2026-06-01T10:30:00Z"
        ]
        clocks = [
            message
            for zone, day, _ in CLOCK_CHANGES
            for message in whole_day(self.changing[zone], zone, day)
        ]
        return [
            *case_c1(self.c1),
            *late,
            *clocks,
            june(self.spread, "03:00", 1.0, interval_s=5400),
            reading(
                self.beaten,
                "2026-06-02T00:00:00Z",
                energy_kwh=48.0,
                interval_s=86_400,
                quality="E",
            ),
            reading(self.three, "2026-06-04T00:00:00Z", energy_kwh=72.0, interval_s=3 * 86_400),
            june(self.doubtful, "00:30", 0.8),
            june(self.doubtful, "00:15", 0.4, interval_s=900),
            june(self.doubtful, "01:10", 5.0),
            june(self.doubtful, "01:30", 0.6),
            june(self.doubtful, "02:20", 0.2, interval_s=1200),
        ]

    def _send(self, *messages: Reading) -> None:
        self.lakehouse.send(*messages)
        self.lakehouse.land_and_round()

    def slots(self, device: str, where: str = "true") -> list[tuple[str, str, str]]:
        """Start by the meter's clock, code and energy of the slots that readings measured."""
        return [
            (start, code, energy)
            for start, code, energy in self.lakehouse.sql(
                "select date_format(slot_start_local, '%d %H:%i'), quality_code, "
                "cast(raw_kwh as varchar) from iceberg.marts.interval_reads "
                f"where device_id = '{device}' and raw_kwh is not null and {where} "
                "order by slot_start_at"
            )
        ]

    def day(self, device: str, day: date, columns: str) -> list[Any]:
        """Columns of read_completeness and energy_daily of one day."""
        (row,) = self.lakehouse.sql(
            f"select {columns} from iceberg.marts.read_completeness as reads "
            "left join iceberg.marts.energy_daily as energy "
            "on reads.device_id = energy.device_id and reads.channel = energy.channel "
            "and reads.local_date = energy.local_date "
            f"where reads.device_id = '{device}' and reads.local_date = date '{day}'"
        )
        return row


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Story:
    return Story(lakehouse)


COUNTS = "expected_slots, valid, missing, reads.completeness_pct, kwh"


def test_case_c1_is_48_of_48_and_the_next_day_has_none(story: Story) -> None:
    assert story.day(story.c1, JUNE, COUNTS) == [48, 48, 0, 100, Decimal("25.5")]
    assert story.day(story.c1, date(2026, 6, 2), COUNTS) == [48, 0, 48, 0, None]
    assert story.day(story.c1, JUNE, "peak_kw, load_factor") == [4, Decimal("0.2656")]


@pytest.mark.parametrize(("zone", "day", "count"), CLOCK_CHANGES)
def test_a_day_on_which_the_clock_changes_is_complete(
    story: Story, zone: str, day: date, count: int
) -> None:
    assert story.day(story.changing[zone], day, COUNTS) == [
        count,
        count,
        0,
        100,
        count * Decimal("0.25"),
    ]


@pytest.mark.parametrize(
    ("day", "count", "energy"), [(date(2026, 3, 29), 12, 3), (date(2026, 10, 25), 16, 4)]
)
def test_case_c2_has_its_night(story: Story, day: date, count: int, energy: int) -> None:
    (row,) = story.lakehouse.sql(
        "select count(*), sum(final_kwh), count(distinct slot_start_at) "
        f"from iceberg.marts.interval_reads where device_id = '{story.london}' "
        f"and local_date = date '{day}' and hour(slot_start_local) < 7"
    )
    assert row == [count, energy, count]


def test_the_second_one_oclock_is_a_slot_of_its_own(story: Story) -> None:
    rows = story.lakehouse.sql(
        "select date_format(slot_start_local, '%H:%i'), occurrence, "
        "date_format(slot_start_at, '%H:%i') from iceberg.marts.interval_reads "
        f"where device_id = '{story.london}' and local_date = date '2026-10-25' "
        "and hour(slot_start_local) between 1 and 2 order by slot_start_at"
    )
    assert rows == [
        ["01:00", 1, "00:00"],
        ["01:30", 1, "00:30"],
        ["01:00", 2, "01:00"],
        ["01:30", 2, "01:30"],
        ["02:00", 1, "02:00"],
        ["02:30", 1, "02:30"],
    ]


@pytest.mark.parametrize(("month", "slots"), [("2026-03-01", 1486), ("2026-10-01", 1490)])
def test_a_month_expects_the_slots_of_its_days(story: Story, month: str, slots: int) -> None:
    where = f"where device_id = '{story.london}' and "
    found = story.lakehouse.value(
        "select expected_slots from iceberg.marts.energy_monthly "
        f"{where} local_month = date '{month}'"
    )
    by_slot = story.lakehouse.value(
        "select count(*) from iceberg.marts.interval_reads "
        f"{where} date_trunc('month', local_date) = date '{month}'"
    )
    assert (found, by_slot) == (slots, slots)


def test_a_half_hour_that_comes_late_fills_its_slot(story: Story) -> None:
    assert len(story.before[story.late]) == 47
    assert ("01 10:00", "VALID", "0.700000") not in story.before[story.late]
    assert ("01 10:00", "VALID", "0.700000") in story.slots(story.late)
    assert story.day(story.late, JUNE, COUNTS) == [48, 48, 0, 100, Decimal("12.45")]


def test_a_longer_reading_is_spread_until_it_is_corrected(story: Story) -> None:
    assert story.before[story.spread] == [
        ("01 01:30", "DERIVED", "0.333334"),
        ("01 02:00", "DERIVED", "0.333333"),
        ("01 02:30", "DERIVED", "0.333333"),
    ]
    assert story.slots(story.spread) == [("01 02:30", "VALID", "1.000000")]


def test_an_actual_reading_sets_an_estimate_of_its_day_aside(story: Story) -> None:
    assert story.before[story.beaten] == [
        (f"01 {number // 2:02}:{number % 2 * 30:02}", "ESTIMATED", "1.000000")
        for number in range(48)
    ]
    assert story.slots(story.beaten) == [("01 11:30", "VALID", "0.400000")]


def test_a_reading_of_three_days_counts_as_long_as_others_do_not_cover_it(story: Story) -> None:
    slots = story.slots(story.three)
    assert len(slots) == 3 * 48
    assert {slot[1:] for slot in slots} == {("DERIVED", "0.500000")}


def test_of_readings_that_overlap_one_counts(story: Story) -> None:
    assert story.slots(story.doubtful) == [
        ("01 00:00", "VALID", "0.800000"),
        ("01 01:00", "VALID", "0.600000"),
        ("01 02:00", "MISSING", "0.200000"),
    ]
    (row,) = story.lakehouse.sql(
        "select coverage_pct, final_kwh, rules_hit from iceberg.marts.interval_reads "
        f"where device_id = '{story.doubtful}' and local_date = date '{JUNE}' "
        "and raw_kwh is not null and quality_code = 'MISSING'"
    )
    assert row == [Decimal("66.67"), None, "R04,R05"]


def test_what_is_not_due_yet_is_pending(story: Story) -> None:
    now = datetime.now(UTC)
    rows = story.lakehouse.sql(
        "select quality_code, min(slot_end_at), max(slot_end_at) "
        f"from iceberg.marts.interval_reads where device_id = '{story.c1}' "
        f"and local_date >= date '{now.date() - timedelta(days=2)}' group by quality_code"
    )
    found = {code: (first, last) for code, first, last in rows}
    due = now - timedelta(hours=PENDING_HOURS)
    # The newest landing was minutes ago, at most.
    slack = timedelta(minutes=10)
    assert found.keys() == {"MISSING", "PENDING"}
    assert found["MISSING"][1] <= due
    assert due - slack - HALF_HOUR < found["MISSING"][1]
    assert found["PENDING"][0] > due - slack


def test_nothing_is_expected_before_the_installation(story: Story) -> None:
    first = story.lakehouse.value(
        f"select min(local_date) from iceberg.marts.read_completeness "
        f"where device_id = '{story.c1}'"
    )
    assert str(first) == "2026-01-01"


def test_slots_and_days_add_up(story: Story) -> None:
    (row,) = story.lakehouse.sql(
        "select (select sum(final_kwh) from iceberg.marts.interval_reads "
        f"where device_id = '{story.c1}'), (select sum(kwh) from iceberg.marts.energy_daily "
        f"where device_id = '{story.c1}'), (select sum(kwh) from iceberg.marts.energy_monthly "
        f"where device_id = '{story.c1}')"
    )
    assert row == [Decimal("26.5")] * 3


def test_a_rebuild_gives_the_slots_of_the_increments(story: Story) -> None:
    incremental = contents(story.lakehouse)

    story.lakehouse.round(is_full_refresh=True)

    assert contents(story.lakehouse) == incremental
