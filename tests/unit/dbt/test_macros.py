"""What macros conclude from the progress of tables."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.dbt.macros import Macro, macros

MACROS = macros()
STAGING = SimpleNamespace(schema="staging", identifier="stg_telemetry_raw")
READINGS = SimpleNamespace(schema="intermediate", identifier="int_meter_readings")


def test_a_load_is_numbered_by_its_time() -> None:
    before = int(time.time() * 1000)
    assert before <= MACROS["next_load_id"]({"load_id": 7}) <= int(time.time() * 1000)


def test_a_clock_set_back_counts_on() -> None:
    ahead = int(time.time() * 1000) + 3_600_000
    assert MACROS["next_load_id"]({"load_id": ahead}) == ahead + 1


@pytest.mark.parametrize(("recorded", "expected"), [(7, 90), (90, 91), (95, 96)])
def test_a_load_is_the_number_that_the_command_was_given(recorded: int, expected: int) -> None:
    given = macros(env_var=lambda name, default=None: {"NEXT_LOAD": "90"}[name])
    assert given["next_load_id"]({"load_id": recorded}) == expected


@dataclass
class Turn:
    """A statement's end, and what Trino says of whose turn it was."""

    is_ours: bool
    rows: int = 0
    strategy: str = "append"
    is_planned: bool = True
    asked: list[str] = field(default_factory=list)

    def require(self, **note: Any) -> None:
        """Require our own turn."""
        response = SimpleNamespace(response=SimpleNamespace(rows_affected=self.rows))
        macros(
            load_result=lambda name: response,
            is_planned=lambda relation: self.is_planned,
            config={"incremental_strategy": self.strategy},
            nobody_wrote_since=lambda relation, note: "true",
            run_query=self.ask,
            exceptions=SimpleNamespace(raise_compiler_error=refuse),
        )["require_own_turn"]("staging.messages", {"has_no_rows": False} | note)

    def ask(self, query: str) -> list[dict[str, bool]]:
        """Be Trino."""
        self.asked.append(query)
        return [{"is_ours": self.is_ours}]


@pytest.mark.parametrize("is_planned", [True, False])
def test_an_append_held_back_by_rows_of_another_load_is_refused(is_planned: bool) -> None:
    with pytest.raises(ValueError, match="the load of another writer"):
        Turn(is_ours=False, is_planned=is_planned).require()


def test_a_round_asks_only_of_an_append_that_may_have_been_held_back() -> None:
    quiet_ones = [Turn(False, rows=3), Turn(False, strategy="merge"), Turn(False)]
    quiet_ones[0].require()
    quiet_ones[1].require()
    quiet_ones[2].require(has_no_rows=True)
    assert [turn.asked for turn in quiet_ones] == [[], [], []]
    asking = Turn(is_ours=True)
    asking.require()
    assert len(asking.asked) == 1


class Config(dict[str, str]):
    """A model's configuration, whose descriptions are to be kept."""

    def persist_column_docs(self) -> bool:
        """As dbt answers."""
        return True

    persist_relation_docs = persist_column_docs


OUTSIDE = SimpleNamespace(schema="ops", identifier="costs")


def plan(**properties: Any) -> dict[str, Any]:
    return {"schemas": ["intermediate"], "properties": properties}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [["costs", "int_meter_readings"], [{"from": "trino"}, {"from": "trino"}]]),
        (plan(), [["costs"], [{"from": "trino"}, {}]]),
        (
            plan(**{"intermediate.int_meter_readings": {"load_id": 4}}),
            [["costs"], [{"from": "trino"}, {"load_id": 4}]],
        ),
        (plan(**{"ops.costs": {"load_id": 5}}), [[], [{"load_id": 5}, {}]]),
    ],
    ids=["by hand", "first run", "planned", "ran in this round"],
)
def test_trino_is_asked_for_what_the_plan_does_not_have(
    given: dict[str, Any], expected: list[Any]
) -> None:
    asked: list[str] = []

    def ask(relations: list[SimpleNamespace]) -> list[dict[str, str]]:
        asked.extend(relation.identifier for relation in relations)
        return [{"from": "trino"} for _ in relations]

    of = macros(round_plan=lambda: given, asked_properties=ask)["table_properties"]
    assert [of([OUTSIDE, READINGS]), asked] == expected[::-1]


@pytest.mark.parametrize(("relation", "is_told"), [(READINGS, True), (OUTSIDE, False)])
def test_progress_outside_the_plan_is_recorded_by_a_statement(
    relation: SimpleNamespace, is_told: bool
) -> None:
    said, ran, given = list[str](), list[str](), plan()

    def statement(name: str, caller: Macro) -> str:
        ran.append(caller())
        return ""

    record = macros(
        round_plan=lambda: given,
        log=said.append,
        config={"incremental_strategy": "append"},
        statement=statement,
    )["record_progress"]
    note = SimpleNamespace(previous_load_id=4, progress={"load_id": 5})
    record(relation, note, is_described=True)
    assert (len(said), len(ran)) == ((1, 0) if is_told else (0, 1))
    assert all('"is_awaited": true' in line for line in said)
    assert given["properties"] == {f"{relation.schema}.{relation.identifier}": {"load_id": 5}}


@pytest.mark.parametrize(("is_new", "after"), [(True, 5), (False, 4)])
def test_descriptions_go_to_the_runner_with_the_progress(is_new: bool, after: int) -> None:
    said = list[str]()
    columns = {
        "kwh": SimpleNamespace(description=" Energy. "),
        "x": SimpleNamespace(description=""),
    }
    macros(
        round_plan=plan,
        log=said.append,
        config=Config(incremental_strategy="merge"),
        model=SimpleNamespace(description="Days.", columns=columns),
    )["record_progress"](
        READINGS, SimpleNamespace(previous_load_id=4, progress={"load_id": 5}), is_new=is_new
    )
    (line,) = said
    note = json.loads(line.removeprefix("meterhouse.progress "))
    assert note["after"] == after
    assert note["descriptions"] == {"table": "Days.", "columns": {"kwh": "Energy."}}


@pytest.mark.parametrize(
    ("held", "rule", "is_rebuilt"),
    [({}, 1, False), ({}, 2, True), ({"rule": 2}, 2, False), ({"rule": 3}, 2, True)],
    ids=["none of both", "older table", "same rule", "newer table"],
)
def test_a_table_made_by_another_rule_is_rebuilt(
    held: dict[str, int], rule: int, is_rebuilt: bool
) -> None:
    upstream = {"load_id": 5, "build": "a"}
    previous = {"load_id": 4, "inputs": {"staging.stg_telemetry_raw": upstream}, "replay": 0}
    window = macros(
        execute=True,
        model=SimpleNamespace(resource_type="model"),
        this=READINGS,
        invocation_id="b",
        is_table=lambda relation: True,
        require_relation=lambda relation, step: "",
        table_properties=lambda relations: [upstream, previous | held],
        should_full_refresh=lambda: False,
        config={"meta": {"rule": rule}} if rule > 1 else {},
    )["processing_window"](STAGING)
    assert (window["rebuild"], window["progress"]["rule"]) == (is_rebuilt, rule)


def landed(ends: dict[str, int], **changes: Any) -> dict[str, Any]:
    return {"topic_id": "t", "epochs": {"0": 1, "1": 1}, "ends": ends} | changes


def window(before: Any, now: Any, replays: Any = None) -> dict[str, Any]:
    progress = {"landed": before} if before else {}
    return {"previous": progress, "progress": {"landed": now}, "replays": replays}


BEFORE, NOW = landed({"0": 10, "1": 4}), landed({"0": 12, "1": 9})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (window(BEFORE, NOW), 7),
        (window(BEFORE, BEFORE), 0),
        (window(None, NOW), None),
        (window(BEFORE, NOW | {"topic_id": "u"}), None),
        (window(BEFORE, NOW | {"epochs": {"0": 1, "1": 2}}), None),
        (window(BEFORE, NOW, [1, 1]), None),
    ],
    ids=["moved", "nothing", "first", "recreated", "cut", "replays"],
)
def test_offsets_are_counted_only_where_they_tell(given: Any, expected: int | None) -> None:
    assert MACROS["offsets_landed"](given) == expected


def test_skipped_offsets_at_the_end_are_no_messages() -> None:
    said = {"topic_id": "t", "offsets": {"0": 12, "1": 9}, "skipped": {"1": 3}}
    assert MACROS["landed_ends"](said)["ends"] == {"0": 12, "1": 6}


def quiet(**changes: Any) -> dict[str, Any]:
    return {
        "found": {"staging.stg_telemetry_raw": {"whole_since": 5}},
        "after": {"staging.stg_telemetry_raw": {"load_id": 5}},
    } | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"after": {"staging.stg_telemetry_raw": {"load_id": 4}}}, False),
        ({"found": {"staging.stg_telemetry_raw": {}}}, False),
        ({"replays": [1, 1]}, False),
        ({"rebuild": True}, False),
        ({"is_unbounded": True}, False),
    ],
    ids=["all of one load", "older loads too", "not all", "replays", "rebuild", "no table"],
)
def test_quarantine_is_left_out_only_where_staging_took_all(
    changes: dict[str, Any], expected: bool
) -> None:
    assert MACROS["all_accepted"](quiet(**changes), STAGING) is expected


@pytest.mark.parametrize(("now", "expected"), [(4, True), (5, False), (6, False)])
def test_an_upstream_is_set_back_if_its_load_is_older_than_what_was_read(
    now: int, expected: bool
) -> None:
    before = {"landing.a": {"batch_id": 1}, "staging.b": {"load_id": 5}}
    assert MACROS["is_set_back"](before, before | {"staging.b": {"load_id": now}}) is expected


def refuse(text: str) -> None:
    """Be dbt's compiler error."""
    raise ValueError(text)


@pytest.mark.parametrize(
    ("held", "made", "expected"),
    [
        ("a b", "a b c", "; not in the table: c; next: "),
        ("a b c", "a", "; no longer in the model: b, c; next: "),
        ("a b", "a c", "; not in the table: c; no longer in the model: b; next: "),
    ],
    ids=["new", "gone", "renamed"],
)
def test_other_columns_are_named_alone_with_the_command(
    held: str, made: str, expected: str
) -> None:
    def columns(names: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=name) for name in names.split()]

    matching = macros(
        adapter=SimpleNamespace(get_columns_in_relation=lambda relation: columns(held)),
        get_column_schema_from_query=columns,
        exceptions=SimpleNamespace(raise_compiler_error=refuse),
    )["matching_columns"]
    command = "bin/dbt run --full-refresh --select int_meter_readings+"
    with pytest.raises(ValueError, match=re.escape(expected + command)):
        matching(READINGS, made)
    assert matching(READINGS, held) == held.split()
