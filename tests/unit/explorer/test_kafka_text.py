"""Messages as people read them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from explorer.kafka_messages import Record
from explorer.kafka_text import Kind, content_of, hex_lines, json_line, preview

WRITTEN_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def record(key: bytes | None, value: bytes | None) -> Record:
    return Record(2, 7, WRITTEN_AT, key, value, len(value or b""))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        pytest.param(b'{"a": [1]}', Kind.JSON, id="object"),
        pytest.param(b"[]", Kind.JSON, id="empty list"),
        pytest.param(b"42", Kind.TEXT, id="a number alone"),
        pytest.param(b'{"a": NaN}', Kind.TEXT, id="NaN is no JSON"),
        pytest.param(b'{"a":', Kind.TEXT, id="torn"),
        pytest.param(b"[" * 100_000, Kind.TEXT, id="too deep"),
        pytest.param(b"[" * 64 + b"]" * 64, Kind.JSON, id="64 levels"),
        pytest.param(b"[" * 65 + b"]" * 65, Kind.TEXT, id="65 levels"),
        pytest.param(b'{"x": ' + b"[" * 2000 + b"]" * 2000 + b"}", Kind.TEXT, id="2,000 levels"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", Kind.TEXT, id="5,000 digits"),
        pytest.param(b'{"a": 1e999}', Kind.TEXT, id="beyond a double"),
        pytest.param("Zähler\tdefekt\n".encode(), Kind.TEXT, id="letters beyond ASCII"),
        pytest.param(b"", Kind.TEXT, id="empty"),
        pytest.param(b"\xff\xfe", Kind.BINARY, id="no UTF-8"),
        pytest.param(b"a\x00b", Kind.BINARY, id="control characters"),
        pytest.param(None, Kind.NONE, id="null"),
    ],
)
def test_content_is_told_by_what_it_is(raw: bytes | None, kind: Kind) -> None:
    assert content_of(raw).kind is kind


def test_json_is_unfolded() -> None:
    assert content_of(b'{"a": {"b": 1}}').document == {"a": {"b": 1}}


def test_bytes_are_shown_in_hex_with_their_letters() -> None:
    assert hex_lines(b"AB\x00") == f"0000  {'41 42 00':<47}  AB."


def test_a_preview_is_one_short_line() -> None:
    assert preview(b"a\n  b") == "a b"
    assert preview(b"x" * 1000).endswith("x…")
    assert preview(b"\x00\x01") == "binary, 2 bytes: 00 01"
    assert preview(None) == ""


def test_a_line_of_the_download_holds_the_message_and_its_place() -> None:
    assert json.loads(json_line("readings", record(b"MTR-1", b'{"a": 1}'))) == {
        "topic": "readings",
        "partition": 2,
        "offset": 7,
        "timestamp": "2026-01-02T03:04:05+00:00",
        "key": "MTR-1",
        "value": '{"a": 1}',
    }


def test_a_line_of_the_download_keeps_bytes_that_are_no_text() -> None:
    line = json.loads(json_line("readings", record(None, b"\xff\x00")))

    assert line["key"] is None
    assert base64.b64decode(line["value_base64"]) == b"\xff\x00"
