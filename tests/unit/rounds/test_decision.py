"""What a round does follows from what changed since the last good one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stack.rounds.decision import (
    Action,
    Decision,
    Found,
    MasterData,
    Seen,
    decide,
    seen_after,
)

SOURCES = {"telemetry_raw": "landing.telemetry_raw", "meter_logs": "landing.meter_logs"}
SEEN = Seen(
    landing={"telemetry_raw": "v7", "meter_logs": "v2"},
    model_tables=("marts.device_daily_metrics", "staging.stg_telemetry_raw"),
    counted="ten meters",
    all="ten meters, five customers",
    newest_at="2026-01-01 00:00:00+00",
    project="files",
)
UNCHANGED = Found(
    landing={"telemetry_raw": "v7", "meter_logs": "v2"},
    model_tables={"staging.stg_telemetry_raw", "marts.device_daily_metrics"},
    master_data=MasterData(
        counted="ten meters",
        counted_before="ten meters",
        all="ten meters, five customers",
        newest_at="2026-01-01 00:00:00+00",
        period_change="1:a",
    ),
    project="files",
)
ELEVEN_METERS = MasterData(
    counted="eleven meters",
    counted_before="ten meters",
    all="eleven meters, five customers",
    newest_at="2026-02-01 00:00:00+00",
    period_change="1:a",
)


def unasked() -> int:
    """Stands for a question that costs a scan and must not be asked here."""
    raise AssertionError("the quarantine was searched")


def decided(found: Found, seen: Seen | None = SEEN) -> Decision:
    return decide(seen, found, SOURCES, unasked)


def test_decision_is_to_do_nothing_when_nothing_changed() -> None:
    assert decided(UNCHANGED) == Decision(Action.NOTHING)


def test_decision_is_to_wait_for_landing_tables_and_to_name_them() -> None:
    decision = decided(replace(UNCHANGED, landing={"meter_logs": "v2"}), seen=None)
    assert decision == Decision(Action.WAIT, ("no table landing.telemetry_raw yet",))


def test_decision_without_a_record_is_to_run_everything() -> None:
    decision = decided(UNCHANGED, seen=None)
    assert (decision.action, decision.is_full_refresh) == (Action.RUN, False)
    assert decision.with_fixed


def test_decision_on_new_messages_is_a_plain_run() -> None:
    landing = {"telemetry_raw": "v8", "meter_logs": "v2"}
    decision = decided(replace(UNCHANGED, landing=landing))
    changed = ("source:landing.telemetry_raw",)
    assert decision == Decision(Action.RUN, ("landed: telemetry_raw",), changed=changed)


def test_decision_ignores_landing_tables_that_no_model_reads() -> None:
    landing = {**UNCHANGED.landing, "other": "v1"}
    assert decided(replace(UNCHANGED, landing=landing)) == Decision(Action.NOTHING)


def test_decision_on_a_meter_judged_otherwise_is_to_recount_everything() -> None:
    """Its service size decides which of its messages are accepted."""
    master_data = replace(
        UNCHANGED.master_data,
        counted="ten meters, one larger",
        counted_before="ten meters, one larger",
        all="ten meters, one larger, five customers",
    )
    decision = decided(replace(UNCHANGED, master_data=master_data))
    assert decision.is_full_refresh
    assert "known meters changed" in decision.reason


@pytest.mark.parametrize(
    ("returning", "is_full_refresh"),
    [pytest.param(0, False, id="silent-until-now"), pytest.param(12, True, id="heard-before")],
)
def test_decision_on_an_added_meter_recounts_only_what_was_quarantined(
    returning: int, is_full_refresh: bool
) -> None:
    found = replace(UNCHANGED, master_data=ELEVEN_METERS)
    decision = decide(SEEN, found, SOURCES, lambda: returning)
    assert (decision.action, decision.is_full_refresh) == (Action.RUN, is_full_refresh)
    assert ("12 quarantined messages" in decision.reason) == is_full_refresh


def test_decision_on_a_moved_meter_is_a_plain_run_that_knows_the_change() -> None:
    master_data = replace(
        UNCHANGED.master_data,
        all="ten meters, one moved, five customers",
        period_change="2:b",
    )
    decision = decided(replace(UNCHANGED, master_data=master_data))
    changed = ("source:master_data",)
    assert decision == Decision(Action.RUN, ("master data changed",), changed=changed)
    assert decision.plan["period_change"] == "2:b"


def test_decision_on_a_changed_customer_is_a_plain_run() -> None:
    master_data = replace(UNCHANGED.master_data, all="ten meters, six customers")
    decision = decided(replace(UNCHANGED, master_data=master_data))
    changed = ("source:master_data",)
    assert decision == Decision(Action.RUN, ("master data changed",), changed=changed)


def test_decision_on_a_changed_project_makes_views_and_seeds_too() -> None:
    decision = decided(replace(UNCHANGED, project="other files"))
    assert decision == Decision(Action.RUN, ("the dbt project changed",), with_fixed=True)


def test_decision_on_a_dropped_table_is_to_make_it_again() -> None:
    found = replace(UNCHANGED, model_tables={"staging.stg_telemetry_raw", "marts.mine"})
    decision = decided(found)
    assert decision == Decision(Action.RUN, ("gone: marts.device_daily_metrics",), with_fixed=True)


def test_decision_after_dbt_by_hand_is_to_run_everything() -> None:
    landing = {"telemetry_raw": "v8", "meter_logs": "v2"}
    decision = decided(replace(UNCHANGED, landing=landing), replace(SEEN, is_current=False))
    assert (decision.action, decision.changed) == (Action.RUN, ())
    assert decision.reason == "dbt was run by hand; landed: telemetry_raw"


def test_decision_after_a_restore_is_to_run_once_though_nothing_landed_since() -> None:
    found = replace(UNCHANGED, restored_at="2026-03-01 00:00:00+00")
    assert decided(found).reason == "restored from a backup"
    assert decided(found, seen_after(found, found.model_tables)) == Decision(Action.NOTHING)


def test_decision_after_dbt_by_hand_still_knows_that_a_meter_is_judged_otherwise() -> None:
    master_data = replace(UNCHANGED.master_data, counted_before="ten meters, one larger")
    found = replace(UNCHANGED, master_data=master_data)
    assert decided(found, replace(SEEN, is_current=False)).is_full_refresh


def test_what_a_good_round_saw_leads_to_nothing_when_found_again() -> None:
    found = replace(UNCHANGED, master_data=ELEVEN_METERS)
    seen = seen_after(found, found.model_tables)
    again = replace(ELEVEN_METERS, counted_before="eleven meters")
    assert decided(replace(found, master_data=again), seen) == Decision(Action.NOTHING)
