"""The health of a meter tells of readings that should be there and are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.lakehouse import Lakehouse, Reading, reading
from tests.integration.test_days import stamp

pytestmark = pytest.mark.same_in_both_modes

HALF_HOUR = timedelta(minutes=30)
# Half-hours back from now: what ended in the last six hours is not due yet, 48 are due before it.
NOT_DUE, DUE = 12, 48


def half_hours_back(device: str, numbers: range) -> list[Reading]:
    """Readings that ended so many half-hours before the last full one."""
    now = datetime.now(UTC)
    last = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
    return [reading(device, stamp(last - number * HALF_HOUR)) for number in numbers]


class Story:
    """Meters with all readings, with two of the 48 that are due, and with all but six.

    new: installed an hour ago, with its first two readings.
    """

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        self.whole, self.two, self.six = lakehouse.new_devices(
            3, interval_minutes=30, time_zone="Australia/Lord_Howe"
        )
        installed = datetime.now(UTC) - timedelta(hours=1)
        (self.new,) = lakehouse.new_devices(installed_at=stamp(installed), interval_minutes=30)
        recent = range(NOT_DUE)
        # A half-hour may become due while this runs.
        lakehouse.send(
            *half_hours_back(self.whole, range(NOT_DUE + DUE + 2)),
            *half_hours_back(self.two, range(NOT_DUE + 22, NOT_DUE + 24)),
            *half_hours_back(self.two, recent),
            *half_hours_back(self.six, range(NOT_DUE + 20)),
            *half_hours_back(self.six, range(NOT_DUE + 26, NOT_DUE + DUE + 2)),
            *half_hours_back(self.new, range(2)),
        )
        lakehouse.land_and_round()

    def health(self, device: str) -> list[Any]:
        """What the mart says of a meter."""
        (row,) = self.lakehouse.sql(
            "select device_health_status, reasons, missing_count, reasons_since "
            f"from iceberg.marts.device_health_status where device_id = '{device}'"
        )
        return row


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Story:
    return Story(lakehouse)


def test_a_meter_with_two_of_48_readings_is_unhealthy(story: Story) -> None:
    state, reasons, missing, since = story.health(story.two)
    # The clock may pass a full half-hour between sending and landing.
    assert missing in {45, 46}
    assert (state, reasons) == ("UNHEALTHY", f"missing readings: {missing} of 48")
    assert timedelta(hours=29) < datetime.now(UTC) - since[0] < timedelta(hours=31)


def test_a_meter_with_a_gap_of_an_eighth_is_degraded_since_the_gap(story: Story) -> None:
    state, reasons, missing, since = story.health(story.six)
    assert (state, reasons, missing) == ("DEGRADED", "missing readings: 6 of 48", 6)
    gap = half_hours_back(story.six, range(NOT_DUE + 25, NOT_DUE + 26))[0]["timestamp"]
    began = datetime.fromisoformat(gap) - HALF_HOUR
    assert since[0] in {began, began - HALF_HOUR}


def test_a_meter_with_all_its_readings_is_healthy(story: Story) -> None:
    assert story.health(story.whole) == ["HEALTHY", "", 0, []]


def test_a_meter_just_installed_is_missing_nothing(story: Story) -> None:
    assert story.health(story.new) == ["HEALTHY", "", 0, []]
