"""Rules of validation, from Kafka to their hits; thresholds as a utility changes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.lakehouse import Lakehouse, Reading, reading

pytestmark = pytest.mark.same_in_both_modes

DAY = datetime(2026, 6, 8, tzinfo=UTC)
SLOTS = 48
MULTIPLIER = 40
Hit = list[Any]


def at(minutes: float, day: datetime = DAY) -> str:
    """A time of the day, or of days after it."""
    return (day + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def weeks_and_day(device: str, ordinary_kwh: float, slot_kwh: float) -> list[Reading]:
    """Fourteen days of one reading each, then a whole day of equal readings."""
    weeks = [
        reading(device, at(720, DAY - timedelta(days=days)), energy_kwh=ordinary_kwh)
        for days in range(1, 15)
    ]
    return weeks + [
        reading(device, at(30 * number), energy_kwh=slot_kwh) for number in range(1, SLOTS + 1)
    ]


class Story:
    """Meters of which each has a fault of its own, one without, and one round."""

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        names = lakehouse.new_devices(
            10, time_zone="UTC", service_size_kw=69, meter_multiplier=MULTIPLIER
        )
        self.good, self.repeated, self.corrected, self.odd, *others = names
        self.in_wh, self.missed, self.ahead, self.negative, self.loaded, self.exporting = others
        (self.early,) = lakehouse.new_devices(time_zone="UTC", installed_at=at(720))
        (self.vacant,) = lakehouse.new_devices(time_zone="UTC")
        lakehouse.change_master_data(
            "update agreement set end_date = %s where service_point_id = %s", DAY, self.vacant
        )
        self.sent_at = datetime.now(UTC)
        once = reading(self.repeated, at(30))
        lakehouse.send(
            *weeks_and_day(self.good, 24.0, 0.5),
            *(once, once, once),
            *(reading(self.corrected, at(30), energy_kwh=kwh) for kwh in (0.5, 0.6)),
            reading(self.odd, at(60), interval_s=3600),
            reading(self.odd, at(24 * 60 + 60), interval_s=3600),
            reading(self.odd, at(90), interval_s=900),
            # A day of 24 kWh in watt hours, too much in each half-hour to be quarantined.
            *weeks_and_day(self.in_wh, 0.24, 5.0),
            # 24 kWh of which the dial shows a fortieth.
            *weeks_and_day(self.missed, 24.0, 0.0125),
            *(reading(self.early, at(minutes)) for minutes in (30, 750)),
            *(reading(self.vacant, at(minutes)) for minutes in (0, 30)),
            reading(self.negative, at(30), energy_kwh=-0.25),
            # 69 kW carry 34.5 kWh: 1.1 times it are 37.95, three times are 103.5.
            *(
                reading(self.loaded, at(30 * number), energy_kwh=kwh)
                for number, kwh in enumerate((37.95, 38.0, 103.5, 104.0), 1)
            ),
            *(
                reading(self.exporting, at(30 * number), export_kwh=kwh)
                for number, kwh in enumerate((0.25, 40.0, -1.0), 1)
            ),
            reading(self.ahead, (self.sent_at + timedelta(hours=1)).isoformat()),
        )
        lakehouse.land_and_round()

    def hits(self, device: str) -> list[Hit]:
        """What rules find of a meter now."""
        return self.lakehouse.sql(
            "select rule_code, cause, severity, channel, measured, limit_value, "
            "cast(local_date as varchar), to_unixtime(from_at), to_unixtime(to_at) "
            f"from iceberg.intermediate.int_rule_hits where device_id = '{device}' "
            "order by from_at, rule_code"
        )

    def slots(self, device: str, date: str = f"{DAY:%Y-%m-%d}") -> list[Hit]:
        """Slots of a day in which a reading has a part: code, value and rules."""
        return self.lakehouse.sql(
            "select quality_code, final_kwh, rules_hit from iceberg.marts.interval_reads "
            f"where device_id = '{device}' and local_date = date '{date}' and read_count > 0 "
            "order by slot_start_at"
        )

    def day(self, device: str) -> list[Hit]:
        """Energy, slots with a value, suspect and missing ones of the day."""
        return self.lakehouse.sql(
            "select kwh, valid + suspect + derived, suspect, missing "
            "from iceberg.marts.read_completeness as completeness "
            "left join iceberg.marts.energy_daily as energy "
            "on completeness.device_id = energy.device_id "
            "and completeness.channel = energy.channel "
            "and completeness.local_date = energy.local_date "
            f"where completeness.device_id = '{device}' "
            f"and completeness.local_date = date '{DAY:%Y-%m-%d}' order by completeness.channel"
        )


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Story:
    return Story(lakehouse)


def hit(rule: str, measured: str, limit: str, minutes: tuple[float, float], day: int = 0) -> Hit:
    """A hit of a rule in minutes from the first midnight. rule: code, cause, severity."""
    code, cause, severity = rule.split()
    date = f"{DAY + timedelta(days=day):%Y-%m-%d}"
    ends = [(DAY + timedelta(minutes=each)).timestamp() for each in minutes]
    return [code, cause, severity, "IMPORT", Decimal(measured), Decimal(limit), date, *ends]


WHOLE_DAY = (0, 24 * 60)


def test_a_meter_without_fault_has_no_hit(story: Story) -> None:
    assert story.hits(story.good) == []


def test_a_repeated_reading_is_a_hit_that_counts_the_repeats(story: Story) -> None:
    assert story.hits(story.repeated) == [hit("R01 DUPLICATE_EQUAL info", "2", "0", (0, 30))]


def test_a_corrected_reading_is_a_hit(story: Story) -> None:
    assert story.hits(story.corrected) == [hit("R02 CONFLICTING_VERSION info", "1", "0", (0, 30))]


def test_an_hour_of_a_half_hourly_meter_is_a_hit_and_a_quarter_is_none(story: Story) -> None:
    rule = "R05 LONG_INTERVAL soft"
    assert story.slots(story.odd, "2026-06-09") == [["DERIVED", Decimal("0.25"), "R05"]] * 2
    assert story.hits(story.odd) == [
        hit(rule, "3600", "1818", (0, 60)),
        hit(rule, "3600", "1818", (24 * 60, 25 * 60), day=1),
    ]


def test_a_negative_energy_is_a_hit(story: Story) -> None:
    assert story.hits(story.negative) == [hit("R06 NEGATIVE hard", "-0.25", "0", (0, 30))]


def test_a_load_beyond_the_service_is_soft_and_far_beyond_it_hard(story: Story) -> None:
    soft, hard = "R07 SERVICE_LIMIT soft", "R07 SERVICE_LIMIT hard"
    assert story.hits(story.loaded) == [
        hit(soft, "76", "75.9", (30, 60)),
        hit(soft, "207", "75.9", (60, 90)),
        hit(hard, "208", "207", (90, 120)),
    ]


def test_a_day_in_watt_hours_is_a_hit(story: Story) -> None:
    assert story.hits(story.in_wh) == [hit("R15 WH_AS_KWH hard", "1000", "400", WHOLE_DAY)]


def test_a_day_without_the_multiplier_is_a_hit(story: Story) -> None:
    expected = hit("R16 MULTIPLIER_MISSED hard", "0.025", "0.025", WHOLE_DAY)
    assert story.hits(story.missed) == [expected]


def test_a_reading_from_before_the_meter_was_there_is_a_hit(story: Story) -> None:
    assert story.hits(story.early) == [hit("R20 NO_INSTALLATION soft", "0.5", "0", (0, 30))]


def test_a_reading_that_nobody_pays_is_a_hit(story: Story) -> None:
    assert story.hits(story.vacant) == [hit("R20 NO_AGREEMENT soft", "0.5", "0", (0, 30))]


def test_a_clock_that_is_ahead_is_a_hit_at_the_time_of_its_message(story: Story) -> None:
    ((code, cause, severity, channel, measured, limit, date, from_s, to_s),) = story.hits(
        story.ahead
    )
    assert [code, cause, severity, channel] == ["R17", "CLOCK_AHEAD", "hard", "IMPORT"]
    assert limit == 5
    assert 55 < measured <= 60
    assert 0 <= to_s - story.sent_at.timestamp() < 300
    assert to_s - from_s == 1800
    assert date == f"{datetime.fromtimestamp(to_s, UTC):%Y-%m-%d}"


def test_a_slot_with_a_hard_hit_has_no_value_and_one_with_a_soft_hit_is_suspect(
    story: Story,
) -> None:
    assert story.slots(story.negative) == [["MISSING", None, "R06"]]
    assert story.slots(story.loaded) == [
        ["VALID", Decimal("37.95"), ""],
        ["SUSPECT", Decimal("38"), "R07"],
        ["SUSPECT", Decimal("103.5"), "R07"],
        ["MISSING", None, "R07"],
    ]


def test_days_count_and_add_up_what_the_rules_leave(story: Story) -> None:
    assert story.day(story.good) == [[Decimal(24), 48, 0, 0]]
    assert story.day(story.negative) == [[None, 0, 0, 48]]
    assert story.day(story.loaded) == [[Decimal("179.45"), 3, 2, 45]]


def test_a_day_with_a_hard_hit_has_no_value(story: Story) -> None:
    for device, rule in ((story.in_wh, "R15"), (story.missed, "R16")):
        assert story.slots(device) == [["MISSING", None, rule]] * SLOTS
        assert story.day(device) == [[None, 0, 0, SLOTS]]


def test_export_has_slots_of_its_own_and_is_judged_alike(story: Story) -> None:
    # 0.5 kWh of import beside each; 40 of export are 80 kW of a service of 69.
    rows = story.lakehouse.sql(
        "select channel, quality_code, final_kwh, rules_hit from iceberg.marts.interval_reads "
        f"where device_id = '{story.exporting}' and local_date = date '2026-06-08' "
        "and read_count > 0 order by channel, slot_start_at"
    )
    assert rows == [
        ["EXPORT", "VALID", Decimal("0.25"), ""],
        ["EXPORT", "SUSPECT", Decimal(40), "R07"],
        ["EXPORT", "MISSING", None, "R06"],
        *[["IMPORT", "VALID", Decimal("0.5"), ""]] * 3,
    ]
    # Nobody waits for export: what came of it is all there is to be.
    assert story.day(story.exporting) == [
        [Decimal("40.25"), 2, 1, 0],
        [Decimal("1.5"), 3, 0, 45],
    ]


@pytest.fixture
def longer_from_tomorrow(story: Story) -> Iterator[None]:
    """From the second day on, an hour is no odd length for the class of these meters."""
    change = story.lakehouse.change_master_data
    change(
        "insert into vee_rule (rule_code, customer_class, valid_from, severity, threshold_1) "
        "values ('R05', 'all', %s, 'hard', 100)",
        DAY + timedelta(days=1),
    )
    yield
    change("delete from vee_rule where valid_from = %s", DAY + timedelta(days=1))


def test_a_changed_threshold_holds_from_its_date_on_without_a_round(
    story: Story, longer_from_tomorrow: None
) -> None:
    before = story.lakehouse.metadata_files()
    assert story.hits(story.odd) == [hit("R05 LONG_INTERVAL soft", "3600", "1818", (0, 60))]
    assert story.slots(story.odd, "2026-06-09")[0] == ["DERIVED", Decimal("0.25"), ""]
    assert story.lakehouse.metadata_files() == before


def test_a_rule_that_is_switched_off_for_a_class_finds_nothing_of_it(story: Story) -> None:
    ((customer_class,),) = story.lakehouse.sql(
        "select customers.customer_class from iceberg.staging.stg_devices as devices "
        "inner join iceberg.staging.stg_customers as customers "
        f"on devices.customer_id = customers.customer_id where device_id = '{story.odd}'"
    )
    other = {"household": "trade", "trade": "household"}[customer_class]
    for each, expected in ((other, 2), (customer_class, 0)):
        story.lakehouse.change_master_data(
            "insert into vee_rule (rule_code, customer_class, severity, threshold_1, is_active) "
            "values ('R05', %s, 'soft', 1, false)",
            each,
        )
        assert len(story.hits(story.odd)) == expected
    story.lakehouse.change_master_data("delete from vee_rule where not is_active")


def test_hits_of_a_meters_day_are_asked_for_by_meter_and_day(story: Story) -> None:
    """Else each look at a day would read the history."""
    ((plan,),) = story.lakehouse.sql(
        "explain (type io, format json) select count(*) from iceberg.intermediate.int_rule_hits "
        f"where device_id = '{story.good}' and local_date = date '2026-06-08'"
    )
    asked = [
        (
            each["table"]["schemaTable"]["table"],
            {column["columnName"] for column in each["constraint"]["columnConstraints"]},
        )
        for each in json.loads(plan)["inputTableColumnInfos"]
    ]
    of_readings = [columns for table, columns in asked if table == "int_meter_readings"]
    of_slots = [columns for table, columns in asked if table == "int_interval_reads"]
    assert of_slots
    assert all({"device_id", "local_date"} <= columns for columns in of_slots)
    of_days = [columns for table, columns in asked if table == "device_daily_metrics"]
    assert of_readings
    assert all({"device_id", "reading_date"} <= columns for columns in of_readings)
    # The days before are found by the bounds that the day itself gives, while the query runs.
    assert {"device_id", "reading_date"} in of_days
    assert all("device_id" in columns for columns in of_days)
