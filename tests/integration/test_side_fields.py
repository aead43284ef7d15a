"""Kafka to marts: a bad side field costs itself and never the energy beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.lakehouse import Lakehouse, Reading, reading, unused_numbers
from tests.integration.test_replay import stack, stamp

pytestmark = pytest.mark.same_in_both_modes

MORNING = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=12)
COUNTED = (
    "total_energy_kwh, reading_count, avg_voltage, max_voltage, voltage_count, avg_battery_pct, "
    "ok_count, warning_count, customer_mismatch_count"
)


@dataclass(frozen=True)
class Meters:
    """A meter for each of the stories below. late: master data learns of it afterwards."""

    volts: str
    battery: str
    energy: str
    bare: str
    late: str


def at(half_hours: int) -> str:
    return stamp(MORNING + half_hours * timedelta(minutes=30))


def bare(device: str) -> Reading:
    """A reading of nothing but what decides."""
    return {"device_id": device, "timestamp": at(0), "metrics": {"energy_kwh": 0.5}}


@pytest.fixture(scope="module")
def meters(lakehouse: Lakehouse) -> Meters:
    """The meters, after a round with all that they sent."""
    volts, battery, energy, bare_one = lakehouse.new_devices(4)
    late = f"MTR-{next(iter(unused_numbers()))}"
    lakehouse.send(
        reading(volts, at(0), energy_kwh=0.5, voltage=230.0),
        reading(volts, at(1), energy_kwh=0.75, voltage=99999),
        reading(volts, at(2), energy_kwh=1.25, voltage=232.0),
        reading(battery, at(0), energy_kwh=0.5, battery_pct=15),
        reading(battery, at(1), energy_kwh=0.75, battery_pct="full"),
        reading(energy, at(0), energy_kwh=0.5),
        reading(energy, at(1), energy_kwh="x"),
        bare(bare_one),
        reading(late, at(0), energy_kwh=0.5, voltage=99999, battery_pct="full"),
    )
    lakehouse.land_and_round()
    return Meters(volts, battery, energy, bare_one, late)


def day_of(lakehouse: Lakehouse, device: str, view: str = "") -> Sequence[Any]:
    """The counted columns of a meter's one day."""
    (row,) = lakehouse.sql(
        f"select {COUNTED} from iceberg.marts.device_daily_metrics{view} "
        f"where device_id = '{device}'"
    )
    return row


def flags_of(lakehouse: Lakehouse, device: str) -> list[list[Any]]:
    """What the view says of a meter."""
    return lakehouse.sql(
        "select field, reason from iceberg.quality.flagged_fields "
        f"where device_id = '{device}' order by 1"
    )


def test_an_impossible_voltage_keeps_its_energy_and_leaves_the_mean_alone(
    lakehouse: Lakehouse, meters: Meters
) -> None:
    # 0.5 + 0.75 + 1.25 kWh; (230 + 232) / 2 volts.
    expected = [Decimal("2.5"), 3, Decimal(231), Decimal(232), 2, Decimal(80), 3, 0, 0]
    assert day_of(lakehouse, meters.volts) == expected
    assert day_of(lakehouse, meters.volts, "_live") == expected
    assert flags_of(lakehouse, meters.volts) == [["voltage", "out_of_range"]]


def test_a_battery_in_words_keeps_its_energy_and_the_charge_known_before(
    lakehouse: Lakehouse, meters: Meters
) -> None:
    expected = [Decimal("1.25"), 2, Decimal(230), Decimal(230), 2, Decimal(15), 2, 0, 0]
    assert day_of(lakehouse, meters.battery) == expected
    assert flags_of(lakehouse, meters.battery) == [["battery_pct", "wrong_type"]]
    ((charge, reasons),) = lakehouse.sql(
        "select battery_pct, reasons from iceberg.marts.device_health_status "
        f"where device_id = '{meters.battery}'"
    )
    assert (charge, "low battery" in reasons) == (Decimal(15), True)


def test_an_energy_in_words_stays_quarantined(lakehouse: Lakehouse, meters: Meters) -> None:
    assert day_of(lakehouse, meters.energy)[:2] == [Decimal("0.5"), 1]
    assert lakehouse.sql(
        "select reason from iceberg.quality.quarantine_telemetry_raw "
        f"where device_id = '{meters.energy}'"
    ) == [["type:metrics.energy_kwh"]]


def test_a_message_of_nothing_but_energy_counts(lakehouse: Lakehouse, meters: Meters) -> None:
    # No status is neither OK nor a warning; no customer is not that of master data.
    expected = [Decimal("0.5"), 1, None, None, 0, None, 0, 0, 1]
    assert day_of(lakehouse, meters.bare) == expected
    assert day_of(lakehouse, meters.bare, "_live") == expected
    assert flags_of(lakehouse, meters.bare) == [
        ["battery_pct", "missing"],
        ["customer_id", "missing"],
        ["status", "missing"],
        ["voltage", "missing"],
    ]


def test_a_replay_brings_a_message_back_with_its_flags(
    lakehouse: Lakehouse, meters: Meters
) -> None:
    assert flags_of(lakehouse, meters.late) == []
    lakehouse.add_device(meters.late)
    stack("replay", "--reason", "unknown_device")
    assert day_of(lakehouse, meters.late)[:3] == [Decimal("0.5"), 1, None]
    assert flags_of(lakehouse, meters.late) == [
        ["battery_pct", "wrong_type"],
        ["voltage", "out_of_range"],
    ]
