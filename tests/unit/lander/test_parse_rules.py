"""Parsing against tests/fuzz/oracle.py: whatever arrives, in whatever company."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lander import batch, exact, parse
from lander.topics import Field
from tests.fuzz import check
from tests.fuzz.batches import SEEDS, judge, messages_of
from tests.fuzz.messages import EVERY_TYPE, TELEMETRY, Subject, collected, messages
from tests.fuzz.oracle import expected_row

SUBJECTS = [pytest.param(TELEMETRY, id="telemetry"), pytest.param(EVERY_TYPE, id="every-type")]
SEED_FILES = sorted(SEEDS.iterdir())


def agree(sent: list[bytes | None], fields: tuple[Field, ...]) -> None:
    assert not list(check.differences(sent, fields))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_message_of_a_batch_ends_as_the_rules_say(subject: Subject) -> None:
    @settings(max_examples=400)
    @given(st.lists(messages(subject), min_size=1, max_size=4))
    def batches_agree(batch: list[bytes | None]) -> None:
        agree(batch, subject.fields)

    batches_agree()


@settings(max_examples=50)
@given(st.lists(messages(TELEMETRY), max_size=3), st.integers(0, 200))
def test_good_neighbours_are_read_as_if_they_were_alone(
    batch: list[bytes | None], place: int
) -> None:
    good = [TELEMETRY.good] * 200
    agree([*good[:place], *batch, *good[place:]], TELEMETRY.fields)


@pytest.mark.parametrize("path", SEED_FILES, ids=lambda path: path.name)
def test_a_seed_of_the_fuzzer_ends_as_the_rules_say(path: Path) -> None:
    judge(path.read_bytes())


@settings(max_examples=200)
@given(st.lists(st.none() | st.binary(max_size=20) | st.text().map(str.encode), max_size=8))
def test_every_line_of_text_is_kept_and_only_what_is_no_text_is_an_error(
    batch: list[bytes | None],
) -> None:
    assert not list(check.text_differences(batch))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(TELEMETRY.good[:-1] + b',"x":"' + b"y" * 10**7 + b'"}', id="one-string"),
        pytest.param(b"\xff" * 10**7, id="no-text"),
    ],
)
def test_ten_megabytes_are_a_message_like_others(message: bytes) -> None:
    agree([TELEMETRY.good, message, TELEMETRY.good], TELEMETRY.fields)


def is_json(message: bytes | None) -> bool:
    """Whether Python's json takes the bytes for JSON."""

    def refuse(name: str) -> NoReturn:
        raise ValueError(name)

    try:
        json.loads((message or b"").decode("utf-8"), parse_constant=refuse)
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def examples() -> list[bytes | None]:
    """Messages of every kind, but for those whose depth the oracle does not follow."""
    judged = [path for path in SEED_FILES if path.name != "beyond-depth"]
    seeds = [messages_of(path.read_bytes()) for path in judged]
    return [*itertools.chain.from_iterable(seeds), *collected(TELEMETRY, 1000)]


def reason_of(message: bytes | None) -> str | None:
    reason: str | None = expected_row(message, TELEMETRY.fields)["parse_error"]
    return reason


def field_errors(message: bytes | None) -> list[str]:
    errors: str | None = expected_row(message, TELEMETRY.fields)["field_errors"]
    return errors.split(", ") if errors else []


def test_the_oracle_takes_for_json_what_python_does(examples: list[bytes | None]) -> None:
    judged = {message: reason_of(message) != "not_json" for message in examples}
    assert judged == {message: is_json(message) for message in examples}


def test_the_examples_reach_every_reason(examples: list[bytes | None]) -> None:
    found = Counter(reason_of(message) for message in examples)

    missing = {f"missing:{field.name}" for field in TELEMETRY.fields if field.required}
    wrong = {"type:device_id", "type:timestamp", "type:metrics.energy_kwh"}
    assert {None, "not_json", "not_an_object"} | missing | wrong <= set(found)
    assert found[None] > 100
    errors = {error for message in examples for error in field_errors(message)}
    assert {"type:status", "type:customer_id", "type:metrics.register_kwh"} <= errors


def decoder(**options: Any) -> json.JSONDecoder:
    return json.JSONDecoder(parse_float=exact.Number, parse_int=exact.Integer, **options)


def as_number(value: object) -> float | None:
    return 1.0 if value is True else exact.to_double(value)


def convert_all(column: pa.Array, kind: str) -> pa.Array:
    return parse.to_timestamps(column) if kind == "timestamp" else column


# Builds with one rule taken out: module, attribute and what stands there instead.
REFUSING = {"parse_constant": exact.refuse_constant}
KEEPING = {"object_pairs_hook": exact.object_of}
BROKEN = [
    pytest.param(exact, "DECODER", decoder(**KEEPING), id="nan-is-json"),
    pytest.param(exact, "DECODER", decoder(**REFUSING), id="duplicate-keys-are-forgotten"),
    pytest.param(exact, "has_undeclared", lambda *_: False, id="extra-fields-are-dropped"),
    pytest.param(exact, "SPACE", re.compile(""), id="space-is-taken-for-a-value"),
    pytest.param(exact, "CONVERTERS", {**exact.CONVERTERS, "double": as_number}, id="true-is-1"),
    pytest.param(exact, "LATEST", 2**63 - 1, id="years-have-no-end"),
    pytest.param(parse, "ONE_DAY", 0, id="year-0-is-read-by-the-fast-way"),
    pytest.param(parse, "convert", convert_all, id="infinity-is-read-by-the-fast-way"),
    pytest.param(batch, "encode_one", lambda value: (str(value), 0), id="bytes-are-not-kept"),
]


@pytest.mark.parametrize(("module", "name", "instead"), BROKEN)
def test_a_build_without_a_rule_is_found_out(
    module: Any,
    name: str,
    instead: object,
    examples: list[bytes | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, name, instead)

    # In pairs, so that nothing but the message decides which way it goes.
    pairs = ([message, TELEMETRY.good] for message in examples)
    assert any(next(check.differences(pair, TELEMETRY.fields), None) for pair in pairs)
