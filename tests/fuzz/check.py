"""Hold what the lander makes of a batch against the oracle."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lander.batch import Chunk, columns_of
from lander.parse import JsonParser, Parser, TextParser
from lander.topics import Field, load_topics
from tests.fuzz.oracle import expected_row
from tests.fuzz.reader import TooDeepError

TELEMETRY = load_topics()["telemetry_raw"].fields
# Every type of column, and an object within an object.
EVERY_TYPE = (
    Field(("id",), "id", "string", True, ""),
    Field(("at",), "at", "timestamp", False, ""),
    Field(("a", "count"), "a_count", "long", True, ""),
    Field(("a", "b", "is_open"), "is_open", "boolean", True, ""),
    Field(("a", "b", "level"), "level", "double", False, ""),
)
RFC_3629 = re.compile(
    rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]"
    rb"|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*"
)


def differences(messages: Sequence[bytes | None], fields: Sequence[Field]) -> Iterator[str]:
    """What is wrong with the rows of a batch, read one by one and by Arrow from two rows on."""
    for small_block in (len(messages) + 1, 2):
        parser = JsonParser(tuple(fields), small_block)
        table = landed(messages, parser)
        yield from kept_differences(messages, table)
        for message, row in itertools.zip_longest(messages, rows(table.select(names(parser)))):
            yield from row_differences(message, row, fields, small_block)


def text_differences(messages: Sequence[bytes | None]) -> Iterator[str]:
    """What is wrong with the rows of a text topic."""
    parser = TextParser()
    table = landed(messages, parser)
    yield from kept_differences(messages, table)
    for message, row in itertools.zip_longest(messages, rows(table.select(names(parser)))):
        error = None if is_utf8(message) else "not_text"
        wanted = {"extra_fields": None, "parse_error": error, "field_errors": None}
        if row != wanted:
            yield f"{message!r}\n  wanted {wanted}\n  found  {row}"


def landed(messages: Sequence[bytes | None], parser: Parser) -> pa.Table:
    """The rows as a batch takes them up; the messages are their own keys."""
    count = len(messages)
    chunk = Chunk(
        partitions=np.zeros(count, np.int32),
        offsets=np.arange(count),
        times_ms=np.zeros(count, np.int64),
        keys=list(messages),
        messages=list(messages),
    )
    return columns_of(chunk, parser)


def names(parser: Parser) -> list[str]:
    """The columns that parsing makes."""
    return list(parser.schema.names)


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows, timestamps in microseconds since 1970."""
    for place, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            times = table.column(place).cast(pa.int64())
            table = table.set_column(place, column.name, times)
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def row_differences(
    message: bytes | None, row: dict[str, Any] | None, fields: Sequence[Field], small_block: int
) -> Iterator[str]:
    """How a row differs from the oracle's."""
    try:
        wanted = expected_row(message, fields)
    except TooDeepError:
        return
    if row != wanted:
        way = "by Arrow" if small_block == 2 else "one by one"
        yield f"{message!r}, {way}\n  wanted {wanted}\n  found  {row}"


def kept_differences(messages: Sequence[bytes | None], table: pa.Table) -> Iterator[str]:
    """Keys and messages that do not lead back to their bytes."""
    for name in ("message", "message_key"):
        texts, encodings = (table.column(name + end).to_pylist() for end in ("", "_encoding"))
        found = [original(*pair) for pair in zip(texts, encodings, strict=True)]
        if found != list(messages):
            yield f"{name}: wanted {messages!r}, found {found!r}"


def original(text: str | None, encoding: str | None) -> bytes | None:
    """The bytes that a text and its encoding stand for."""
    if text is None:
        return None
    return base64.b64decode(text, validate=True) if encoding == "base64" else text.encode("utf-8")


def is_utf8(message: bytes | None) -> bool:
    """Whether the bytes are text by the table of RFC 3629."""
    return message is not None and RFC_3629.fullmatch(message) is not None
