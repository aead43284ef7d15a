"""The pages on literal tables: what they say when all is well, empty, away, or naughty."""

from __future__ import annotations

from datetime import date, datetime
from urllib.parse import parse_qs

import pandas as pd
import pytest

from explorer import meter
from explorer.__main__ import arguments, command
from explorer.lakehouse import Answer, Problem
from tests.unit.explorer.fakes import (
    NAUGHTY,
    NOW,
    FakeLakehouse,
    flow_frame,
    health_row,
    page,
    texts,
)

PAGES = ("overview", "meters", "customers", "quality", "sql")
AWAY = Problem("Trino does not answer at localhost:8081.", "./initial-setup.sh status")
METERS = Answer(
    pd.DataFrame(
        [
            health_row("MTR-1", "HEALTHY", ""),
            health_row("MTR-2", "UNHEALTHY", f"open faults: {NAUGHTY}"),
        ]
    )
)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_data_says_which_command_helps(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    test = page(monkeypatch, name, FakeLakehouse())
    assert not test.exception
    assert any("initial-setup.sh" in code.value for code in test.code)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_trino_says_so_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    test = page(monkeypatch, name, FakeLakehouse(otherwise=AWAY))
    assert not test.exception
    assert len(test.error) == 1
    assert "Trino does not answer" in test.error[0].value
    assert "./initial-setup.sh status" in [code.value for code in test.code]


def test_what_is_not_known_is_not_called_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    test = page(monkeypatch, "overview", FakeLakehouse(otherwise=AWAY))
    assert {figure.value for figure in test.metric} == {"\u2013"}


def test_tables_that_are_not_there_are_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {
        name: Problem(f"{name}: not there yet.", "bin/dbt run", is_empty=True, missing=name)
        for name in ("health", "days")
    }
    test = page(monkeypatch, "overview", FakeLakehouse(missing, otherwise=AWAY))
    said = [info.value for info in test.info if "not there yet" in info.value]
    assert len(said) == 1
    assert "days, health" in said[0]


@pytest.mark.parametrize(
    ("accepted", "kind"), [(83, "success"), (82, "error")], ids=["true", "untrue"]
)
def test_the_balance_is_green_only_when_it_is_true(
    monkeypatch: pytest.MonkeyPatch, accepted: int, kind: str
) -> None:
    test = page(monkeypatch, "overview", FakeLakehouse({"flow": flow_frame(accepted)}))
    assert not test.exception
    assert {"success": len(test.success), "error": len(test.error)}[kind] == 1
    assert len(test.success) + len(test.error) == 1


def test_the_first_difference_of_the_books_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    books = flow_frame(83, "wanted 5 messages; found 4", "wanted a topic; found none")
    test = page(monkeypatch, "overview", FakeLakehouse({"flow": books}))
    assert [each.value for each in test.error] == [
        "The balance does not hold: wanted 5 messages; found 4"
    ]
    assert "bin/stack reconcile" in [each.value for each in test.code]


def test_the_overview_leads_to_the_meters_that_are_not_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    test = page(monkeypatch, "overview", FakeLakehouse({"health": METERS}))
    assert not test.exception
    links = [each.proto for each in test.get("page_link")]
    assert ["MTR\\-2" in link.label for link in links] == [True]
    assert "meter=MTR-2" in links[0].query_string


def test_no_name_from_the_data_reaches_a_page_as_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    test = page(monkeypatch, "overview", FakeLakehouse({"health": METERS}))
    said = [text for text in texts(test) if "onerror" in text]
    assert said
    assert all("\\<img" in text and "\\:red\\[" in text for text in said)
    assert all(not element.allow_html for element in test.markdown)


def test_the_list_shows_the_worst_first_and_obeys_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeLakehouse({"meters": METERS})
    whole = page(monkeypatch, "meters", fake)
    assert list(whole.dataframe[0].value["device_id"]) == ["MTR-2", "MTR-1"]
    healthy = page(monkeypatch, "meters", fake, status="Healthy")
    assert list(healthy.dataframe[0].value["device_id"]) == ["MTR-1"]
    searched = page(monkeypatch, "meters", fake, q="mtr-2")
    assert list(searched.dataframe[0].value["device_id"]) == ["MTR-2"]


def test_a_quarantined_message_leads_to_its_place_in_kafka(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = {
        "reason": "not_json",
        "message": NAUGHTY,
        "message_encoding": "utf8",
        "device_id": "MTR-1",
        "kafka_partition": 3,
        "kafka_offset": 1234,
        "kafka_at": pd.Timestamp(NOW),
        "landed_at": pd.Timestamp(NOW),
    }
    reasons = {"reason": ["not_json"], "message_count": [1], "newest_at": [pd.Timestamp(NOW)]}
    rows = Answer(pd.DataFrame([message]))
    answers = {"reasons": Answer(pd.DataFrame(reasons)), "messages": rows, "message": rows}
    test = page(monkeypatch, "quality", FakeLakehouse(answers), message="3-1234")
    assert not test.exception
    (link,) = [each.proto for each in test.get("page_link")]
    state = parse_qs(link.query_string)
    assert state["view"] == ["Messages"]
    assert (state["partition"], state["start"], state["offset"]) == (["3"], ["offset"], ["1234"])


def test_fields_that_could_not_be_used_are_listed_with_their_meter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = {
        "field": "voltage",
        "reason": "out_of_range",
        "message_count": 12,
        "meter_count": 2,
        "device_id": "MTR-2",
        "newest_at": pd.Timestamp(NOW),
    }
    answers = {"flagged": Answer(pd.DataFrame([row]))}
    test = page(monkeypatch, "quality", FakeLakehouse(answers))
    assert not test.exception
    (shown,) = [each.value for each in test.dataframe if "meter_count" in each.value]
    assert list(shown[["field", "device_id"]].iloc[0]) == ["voltage", "MTR-2"]


RULE_HIT = {
    "rule_code": "R07",
    "rule_name": "SERVICE_LIMIT",
    "severity": "soft",
    "cause": "SERVICE_LIMIT",
}


def test_what_the_rules_found_is_counted_by_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    row = RULE_HIT | {
        "hit_count": 5,
        "meter_count": 2,
        "device_id": "MTR-2",
        "newest_date": NOW.date(),
    }
    fake = FakeLakehouse({"rule_hits": Answer(pd.DataFrame([row]))})
    test = page(monkeypatch, "quality", fake)
    assert not test.exception
    (shown,) = [each.value for each in test.dataframe if "hit_count" in each.value]
    assert list(shown[["rule_code", "hit_count", "device_id"]].iloc[0]) == ["R07", 5, "MTR-2"]


def test_what_the_rules_found_of_a_meter_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    state = health_row("MTR-1", "HEALTHY", "") | {
        "time_zone": "UTC",
        "week_health_score_pct": 99.0,
        "open_faults": None,
        "installed_at": pd.Timestamp(NOW),
    }
    hit = RULE_HIT | {
        "channel": "IMPORT",
        "measured": 23.0,
        "limit_value": 20.24,
        "from_at": pd.Timestamp(NOW),
        "to_at": pd.Timestamp(NOW),
    }
    tables = {"meter": state, "rule_hits": hit}
    fake = FakeLakehouse({name: Answer(pd.DataFrame([row])) for name, row in tables.items()})
    test = page(monkeypatch, "meters", fake, meter="MTR-1")
    assert not test.exception
    (shown,) = [each.value for each in test.dataframe if "limit_value" in each.value]
    assert list(shown[["rule_code", "measured"]].iloc[0]) == ["R07", 23.0]


def test_meters_of_which_readings_are_missing_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {
        "device_id": "MTR-2",
        "missing": 46,
        "expected_slots": 48,
        "missing_days": 1,
        "completeness_pct": 4.17,
        "last_slot_at": pd.Timestamp(NOW),
    }
    answers = {"incomplete": Answer(pd.DataFrame([row]))}
    test = page(monkeypatch, "quality", FakeLakehouse(answers))
    assert not test.exception
    (shown,) = [each.value for each in test.dataframe if "missing" in each.value]
    assert list(shown[["device_id", "missing"]].iloc[0]) == ["MTR-2", 46]


def test_registers_that_differ_are_listed_with_their_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = {
        "device_id": "MTR-2",
        "status": "MISMATCH",
        "cause": "MULTIPLIER",
        "delta_kwh": 120.0,
        "slots_kwh": 3.0,
        "difference_kwh": -117.0,
        "ratio": 0.025,
        "from_at": pd.Timestamp(NOW),
        "to_at": pd.Timestamp(NOW),
    }
    answers = {"registers": Answer(pd.DataFrame([row]))}
    test = page(monkeypatch, "quality", FakeLakehouse(answers))
    assert not test.exception
    (shown,) = [each.value for each in test.dataframe if "difference_kwh" in each.value]
    assert list(shown[["device_id", "cause"]].iloc[0]) == ["MTR-2", "MULTIPLIER"]


def test_the_master_data_of_a_meter_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    row = health_row("MTR-1", "HEALTHY", "") | {
        "time_zone": "UTC",
        "model": NAUGHTY,
        "customer_id": "CUST-1",
        "week_health_score_pct": 99.0,
        "open_faults": None,
        "latitude": 52.38721,
        "installed_at": pd.Timestamp(NOW),
    }
    fake = FakeLakehouse({"meter": Answer(pd.DataFrame([row]))})
    test = page(monkeypatch, "meters", fake, meter="MTR-1")
    assert not test.exception
    cells = [str(cell) for table in test.table for cell in table.value.to_numpy().ravel()]
    assert "52\\.38721" in cells
    assert any("\\<img" in cell for cell in cells)


def test_a_meter_that_nobody_knows_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    test = page(monkeypatch, "meters", FakeLakehouse(), meter="<b>MTR-9</b>")
    assert not test.exception
    assert any("knows no meter" in info.value for info in test.info)


def test_the_days_of_a_meter_are_local_days() -> None:
    zone = pytest.importorskip("zoneinfo").ZoneInfo("Europe/Berlin")
    start, end = meter.day_bounds(date(2026, 10, 25), date(2026, 10, 25), zone)
    # The day of the change to winter time is 25 hours long.
    assert (end.timestamp() - start.timestamp()) / 3600 == 25
    assert start == datetime(2026, 10, 25, tzinfo=zone)


def test_a_statement_that_writes_is_refused_on_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    test = page(monkeypatch, "sql", FakeLakehouse(), sql="drop table marts.x")
    assert test.text_area[0].value == "drop table marts.x"


def test_the_explorer_listens_on_this_machine_only_unless_told() -> None:
    given = arguments([])
    assert given.address == "127.0.0.1"
    words = command("0.0.0.0", 8501, "iceberg")  # noqa: S104 - as in a container
    assert words[2:6] == ["--server.address", "0.0.0.0", "--server.port", "8501"]  # noqa: S104
    assert NOW.tzinfo
