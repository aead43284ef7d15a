"""A meter that was added is told from one that was changed, in a look at master data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from stack.rounds import catalog
from stack.rounds.decision import seen_after
from tests.integration.lakehouse import Lakehouse

pytestmark = pytest.mark.same_in_both_modes


@pytest.fixture
def meter(lakehouse: Lakehouse) -> Iterator[str]:
    """A meter of the test's own, the newest one."""
    (device_id,) = lakehouse.new_devices(created_at=datetime.now(UTC).isoformat())
    yield device_id
    lakehouse.forget_device(device_id)


def test_added_meter_is_told_from_a_changed_one(lakehouse: Lakehouse, meter: str) -> None:
    before = catalog.look(lakehouse.settings, None, "")
    seen = seen_after(before, ())
    (added,) = lakehouse.new_devices(created_at=datetime.now(UTC).isoformat())
    found = catalog.look(lakehouse.settings, seen, "").master_data
    lakehouse.forget_device(added)
    assert found.counted_before == seen.counted
    assert found.counted != seen.counted
    statement = "update device_master set nominal_voltage_v = 400 where device_id = %s"
    lakehouse.change_master_data(statement, meter)
    changed = catalog.look(lakehouse.settings, seen, "").master_data
    assert changed.counted_before != seen.counted


def test_what_no_model_stores_of_a_meter_is_no_reason_to_run(
    lakehouse: Lakehouse, meter: str
) -> None:
    seen = seen_after(catalog.look(lakehouse.settings, None, ""), ())
    statement = "update device_master set firmware_version = '9.9.9' where device_id = %s"
    lakehouse.change_master_data(statement, meter)
    found = catalog.look(lakehouse.settings, seen, "").master_data
    assert (found.counted_before, found.all) == (seen.counted, seen.all)


def test_a_moved_meter_is_a_change_of_periods_and_nothing_is_judged_again(
    lakehouse: Lakehouse, meter: str
) -> None:
    before = catalog.look(lakehouse.settings, None, "")
    seen = seen_after(before, ())
    lakehouse.change_master_data(
        "update device_master set transformer_id = 'TRF-0', customer_id = (select max(customer_id) "
        "from customer_master where customer_id <> device_master.customer_id) where device_id = %s",
        meter,
    )
    found = catalog.look(lakehouse.settings, seen, "").master_data
    assert (found.counted_before, found.counted) == (seen.counted, seen.counted)
    assert found.all != seen.all
    assert found.period_change != before.master_data.period_change


def test_a_deleted_meter_is_judged_as_it_was(lakehouse: Lakehouse) -> None:
    (device,) = lakehouse.new_devices(created_at=datetime.now(UTC).isoformat())
    seen = seen_after(catalog.look(lakehouse.settings, None, ""), ())
    lakehouse.forget_device(device)
    found = catalog.look(lakehouse.settings, seen, "").master_data
    assert (found.counted_before, found.counted) == (seen.counted, seen.counted)
    assert found.all != seen.all


def test_meters_in_service_are_told_apart_whatever_their_names(lakehouse: Lakehouse) -> None:
    """Names joined by a comma could be those of one meter as well as of two."""
    names = ("7,8", "7", "8")
    for name in names:
        lakehouse.add_device(name, is_active=name == "7,8")
    one = catalog.look(lakehouse.settings, None, "").master_data
    statement = "update device_master set is_active = not is_active where device_id = any(%s)"
    lakehouse.change_master_data(statement, list(names))
    two = catalog.look(lakehouse.settings, None, "").master_data
    for name in names:
        lakehouse.forget_device(name)
    assert (one.counted, one.all != two.all) == (two.counted, True)
