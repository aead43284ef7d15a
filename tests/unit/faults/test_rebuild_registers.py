"""DuckDB's rebuild of register spans on a few messages, with results worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.faults.marts import Row, rebuilt
from tests.faults.meters import Ledger, Rows
from tests.unit.faults.test_rebuild import LONG_AGO, milliseconds, said

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
# Service size in kW, minutes of an interval, multiplier, digits.
METERS = [
    ("MTR-1", "CUST-1", 230, Decimal("18.40"), 30, 1, 6, "Europe/London", LONG_AGO),
    ("MTR-20", "CUST-1", 230, Decimal("69.00"), 30, 20, 5, "Europe/London", LONG_AGO),
    ("MTR-40", "CUST-1", 230, Decimal("69.00"), 30, 40, 6, "Europe/London", LONG_AGO),
]
NAMES = [str(meter[0]) for meter in METERS]
MASTER_DATA: Rows = {
    "meter": METERS,
    "stay": [(name, name, 30, LONG_AGO, None) for name in NAMES],
    "place": [(name, "Europe/London", LONG_AGO) for name in NAMES],
    "contract": [(name, "CUST-1", LONG_AGO.date(), None) for name in NAMES],
}


def spans(*texts: str, stay: list[tuple[Any, ...]] | None = None) -> list[Row]:
    ledger = Ledger(
        readings=[(0, pos, milliseconds(NOW) + pos, text) for pos, text in enumerate(texts)]
    )
    master_data = MASTER_DATA | ({"stay": stay} if stay else {})
    found = rebuilt(ledger, master_data, NOW)["register_reconciliation"]
    return sorted(found, key=lambda row: row["from_at"])


def at(half_hours: int) -> str:
    """The end of a half-hour of 1 June 2026, counted from its midnight."""
    day, rest = divmod(half_hours, 48)
    return f"2026-06-{1 + day:02}T{rest // 2:02}:{rest % 2 * 30:02}:00Z"


def day(device: str, energy_kwh: float, first: float, last: float) -> list[str]:
    """48 half-hours with a register at the midnights alone."""
    return [
        said(device, at(0), energy_kwh=0.0, register_kwh=first),
        *(said(device, at(each), energy_kwh=energy_kwh) for each in range(1, 48)),
        said(device, at(48), energy_kwh=energy_kwh, register_kwh=last),
    ]


def shown(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("status", "cause", "delta_kwh", "slots_kwh"))


@pytest.mark.parametrize(
    ("energy_kwh", "expected"),
    [
        (0.0625, ("MISMATCH", "MULTIPLIER", Decimal(120), Decimal(3))),
        (2.5, ("OK", None, Decimal(120), Decimal(120))),
        (2500.0, ("MISMATCH", "UNIT", Decimal(120), Decimal(120_000))),
    ],
    ids=["missed", "counted", "watt hours"],
)
def test_a_multiplier_that_was_missed(energy_kwh: float, expected: tuple[Any, ...]) -> None:
    """Case C5: 100.000 to 103.000 at a multiplier of 40."""
    (span,) = spans(*day("MTR-40", energy_kwh, 100.0, 103.0))
    assert shown(span) == expected
    assert span["ratio"] == float(expected[3] / expected[2])
    assert span["tolerance_kwh"] == Decimal("0.08")


@pytest.mark.parametrize(
    ("half_hours", "expected"),
    [(1, ("RESET", None, None, Decimal(55))), (48, ("ROLLOVER", None, Decimal(55), Decimal(55)))],
)
def test_a_register_that_falls(half_hours: int, expected: tuple[Any, ...]) -> None:
    """Case C3b: 99998.50 to 1.25 at a multiplier of 20 and a service of 69 kW."""
    (span,) = spans(
        said("MTR-20", at(0), energy_kwh=0.0, register_kwh=99998.5),
        said("MTR-20", at(half_hours), energy_kwh=55.0, register_kwh=1.25),
    )
    assert shown(span) == expected


def test_an_exchange_that_master_data_does_not_know_is_a_reset() -> None:
    """Case C3a without its row."""
    (span,) = spans(*day("MTR-1", 0.1, 17077.963, 3.25))
    assert shown(span) == ("RESET", None, None, Decimal("4.8"))


def test_an_exchange_without_the_last_and_first_register_is_one() -> None:
    moment = datetime(2026, 6, 1, 12, tzinfo=UTC)
    stay = [("MTR-1", "MTR-1", 30, LONG_AGO, moment), ("MTR-1", "MTR-1", 30, moment, None)]
    (span,) = spans(*day("MTR-1", 0.1, 17077.963, 3.25), stay=stay)
    assert shown(span) == ("EXCHANGE", None, None, Decimal("4.8"))
    assert span["tolerance_kwh"] == Decimal("0.004")


def test_an_installation_whose_register_goes_on_is_no_exchange() -> None:
    moment = datetime(2026, 6, 1, 12, tzinfo=UTC)
    stay = [("MTR-1", "MTR-1", 30, LONG_AGO, moment), ("MTR-1", "MTR-20", 30, moment, None)]
    (span,) = spans(*day("MTR-1", 0.1, 100.0, 104.8), stay=stay)
    assert shown(span) == ("OK", None, Decimal("4.8"), Decimal("4.8"))


def test_energy_that_was_lost_inside_a_day_is_found_on_that_day() -> None:
    texts = [
        said("MTR-1", at(each), energy_kwh=0.5, register_kwh=10 + each / 2)
        for each in range(97)
        if each != 60
    ]
    first, second = spans(*texts)
    assert shown(first) == ("OK", None, Decimal(24), Decimal(24))
    assert shown(second) == ("MISMATCH", "ENERGY_LOST", Decimal(24), Decimal("23.5"))
    assert (second["from_at"], second["to_at"]) == (
        datetime(2026, 6, 2, tzinfo=UTC),
        datetime(2026, 6, 3, tzinfo=UTC),
    )


def test_a_span_bridges_days_without_a_register() -> None:
    texts = [said("MTR-1", at(each), energy_kwh=0.5) for each in range(1, 100)]
    reads = [
        said("MTR-1", at(0), energy_kwh=0.5, register_kwh=10.0),
        said("MTR-1", at(100), energy_kwh=0.5, register_kwh=60.001),
    ]
    (span,) = spans(*texts, *reads)
    assert shown(span) == ("OK", None, Decimal("50.001"), Decimal(50))


def test_an_estimate_inside_is_not_compared() -> None:
    texts = day("MTR-1", 0.5, 10.0, 12.0)
    texts[7] = said("MTR-1", at(7), energy_kwh=0.5, quality="E")
    (span,) = spans(*texts)
    assert shown(span) == ("ESTIMATES_INSIDE", None, Decimal(2), Decimal(24))
