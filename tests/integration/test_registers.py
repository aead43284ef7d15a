"""Registers against readings: what the dial counted is the energy between, or it says why not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.lakehouse import Lakehouse, Reading, reading
from tests.integration.test_days import stamp
from tests.integration.test_marts import table_rows

pytestmark = pytest.mark.same_in_both_modes

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
REGISTER_DAYS = ("intermediate", "int_register_days", "device_id, channel, register_date")
SPANS = ("marts", "register_reconciliation", "device_id, channel, from_at")
Span = tuple[str, str | None, Decimal | None, Decimal]


def at(half_hours: int) -> str:
    """The end of a half-hour, counted from the midnight before 1 June."""
    return stamp(JUNE + half_hours * HALF_HOUR)


def read(device: str, half_hours: int, energy_kwh: float, **metrics: Any) -> Reading:
    return reading(device, at(half_hours), energy_kwh=energy_kwh, interval_s=1800, **metrics)


def day(device: str, energies: Iterable[float], first: float, last: float) -> list[Reading]:
    """A day of half-hours with a register at its midnights alone."""
    readings = [read(device, number, kwh) for number, kwh in enumerate(energies, start=1)]
    readings[-1]["metrics"]["register_kwh"] = last
    return [read(device, 0, 0.0, register_kwh=first), *readings]


def counting(device: str, days: int) -> list[Reading]:
    """Half-hours of 0.5 kWh, each with its register; by place, from the first midnight on."""
    return [
        read(device, number, 0.5, register_kwh=10 + number / 2) for number in range(48 * days + 1)
    ]


class Story:
    """Meters in two rounds; what is `late` comes with the second one.

    before: the spans of some meters after the first round, by meter. after_exchange: those of
    `exchanged` once master data says so, without a round.
    """

    def __init__(self, lakehouse: Lakehouse) -> None:
        self.lakehouse = lakehouse
        self.missed, self.counted = lakehouse.new_devices(2, meter_multiplier=40)
        dial = {"meter_multiplier": 20, "register_digits": 5, "service_size_kw": 69}
        self.half_hour, self.whole_day = lakehouse.new_devices(2, **dial)
        self.exchanged, self.unrecorded = lakehouse.new_devices(2)
        self.lost, self.late, self.midnight, self.corrected = lakehouse.new_devices(4)
        lakehouse.send(*self._first())
        lakehouse.land_and_round()
        changing = (self.late, self.midnight, self.corrected, self.exchanged)
        self.before = {device: self.spans(device) for device in changing}
        exchange(lakehouse, self.exchanged)
        self.after_exchange = self.spans(self.exchanged)
        lakehouse.send(
            counting(self.late, 2)[30],
            counting(self.midnight, 2)[48],
            read(self.corrected, 5, 0.5, register_kwh=12.5) | {"revision": 1},
        )
        lakehouse.land_and_round()

    def _first(self) -> Iterable[Reading]:
        yield from day(self.missed, [0.0625] * 48, 100.0, 103.0)
        yield from day(self.counted, [2.5] * 48, 100.0, 103.0)
        yield read(self.half_hour, 0, 0.0, register_kwh=99998.5)
        yield read(self.half_hour, 1, 55.0, register_kwh=1.25)
        yield from day(self.whole_day, [1.25] * 44 + [0.0] * 4, 99998.5, 1.25)
        for device in (self.exchanged, self.unrecorded):
            yield from day(device, [0.125] * 46 + [0.0] * 2, 17077.963, 3.25)
        yield from (each for place, each in enumerate(counting(self.lost, 2)) if place != 30)
        yield from (each for place, each in enumerate(counting(self.late, 2)) if place != 30)
        yield from (each for place, each in enumerate(counting(self.midnight, 2)) if place != 48)
        wrong = counting(self.corrected, 2)
        wrong[5] = read(self.corrected, 5, 50.0, register_kwh=12.5)
        yield from wrong

    def spans(self, device: str) -> list[Span]:
        """Status, cause, delta and energy of a meter's spans in their order."""
        rows = self.lakehouse.sql(
            "select status, cause, delta_kwh, slots_kwh from iceberg.marts.register_reconciliation "
            f"where device_id = '{device}' order by from_at"
        )
        return [
            (status, cause, Decimal(delta) if delta is not None else None, Decimal(slots))
            for status, cause, delta, slots in rows
        ]


def exchange(lakehouse: Lakehouse, device: str) -> None:
    """Write down that the meter was exchanged at noon of 1 June."""
    noon = JUNE + timedelta(hours=12)
    lakehouse.change_master_data(
        "update meter_installation set installed_at = %s, removed_at = %s, "
        "final_register_kwh = 17080.463 where device_id = %s",
        JUNE - timedelta(days=365),
        noon,
        device,
    )
    lakehouse.change_master_data(
        "insert into meter_installation (device_id, installed_at, service_point_id, "
        "initial_register_kwh) select device_id, removed_at, service_point_id, 0 "
        "from meter_installation where device_id = %s",
        device,
    )


@pytest.fixture(scope="module")
def story(lakehouse: Lakehouse) -> Story:
    return Story(lakehouse)


def span(status: str, cause: str | None, delta: str | None, slots: str) -> Span:
    return status, cause, Decimal(delta) if delta is not None else None, Decimal(slots)


def test_a_missed_multiplier_is_found_by_its_ratio(story: Story) -> None:
    """Case C5."""
    assert story.spans(story.missed) == [span("MISMATCH", "MULTIPLIER", "120", "3")]
    assert story.spans(story.counted) == [span("OK", None, "120", "120")]
    ((ratio, tolerance, difference),) = story.lakehouse.sql(
        "select ratio, tolerance_kwh, difference_kwh from iceberg.marts.register_reconciliation "
        f"where device_id = '{story.missed}'"
    )
    assert (ratio, Decimal(tolerance), Decimal(difference)) == (
        0.025,
        Decimal("0.08"),
        Decimal(-117),
    )


def test_a_register_rolls_over_only_as_fast_as_the_service_allows(story: Story) -> None:
    """Case C3b: 55 kWh are too much for half an hour of 69 kW, not for a day."""
    assert story.spans(story.half_hour) == [span("RESET", None, None, "55")]
    assert story.spans(story.whole_day) == [span("ROLLOVER", None, "55", "55")]


def test_an_exchange_that_master_data_does_not_know_is_a_reset(story: Story) -> None:
    """Case C3a without the row of the installation: the energies stay."""
    assert story.before[story.exchanged] == [span("RESET", None, None, "5.75")]
    assert story.spans(story.unrecorded) == [span("RESET", None, None, "5.75")]
    energy = story.lakehouse.value(
        "select total_energy_kwh from iceberg.marts.device_daily_metrics "
        f"where device_id = '{story.unrecorded}' and reading_date = date '2026-06-01'"
    )
    assert Decimal(energy) == Decimal("5.75")


def test_an_exchange_that_is_recorded_later_counts_both_registers(story: Story) -> None:
    """Case C3a: 2.500 of the old meter and 3.250 of the new one, at once and without a round."""
    assert story.after_exchange == [span("EXCHANGE", None, "5.75", "5.75")]
    assert story.spans(story.exchanged) == story.after_exchange


def test_a_message_that_was_lost_in_the_middle_of_a_day_is_found(story: Story) -> None:
    assert story.spans(story.lost) == [
        span("MISMATCH", "ENERGY_LOST", "24", "23.5"),
        span("OK", None, "24", "24"),
    ]


def test_a_late_reading_closes_its_span(story: Story) -> None:
    agreed = [span("OK", None, "24", "24")] * 2
    assert story.before[story.late] == story.spans(story.lost)
    assert story.spans(story.late) == agreed


def test_a_late_midnight_divides_the_energy_of_its_neighbours(story: Story) -> None:
    """Without its read at midnight the next day begins half an hour earlier and lacks energy."""
    assert story.before[story.midnight] == [
        span("OK", None, "23.5", "23.5"),
        span("MISMATCH", "ENERGY_LOST", "24.5", "24"),
    ]
    assert story.spans(story.midnight) == [span("OK", None, "24", "24")] * 2


def test_a_correction_closes_its_span(story: Story) -> None:
    first, second = story.before[story.corrected]
    assert first == span("MISMATCH", "ENERGY_EXTRA", "24", "73.5")
    assert second == span("OK", None, "24", "24")
    assert story.spans(story.corrected) == [span("OK", None, "24", "24")] * 2


def test_spans_are_the_same_after_a_rebuild(story: Story) -> None:
    incremental = {name: table_rows(story.lakehouse, *name) for name in (REGISTER_DAYS, SPANS)}

    story.lakehouse.round(is_full_refresh=True)

    assert incremental == {
        name: table_rows(story.lakehouse, *name) for name in (REGISTER_DAYS, SPANS)
    }
