"""Parse messages as columns: Arrow's JSON reader for all that it can prove, else lander.exact.

Arrow reads a block of messages at once and is strict, but one bad message fails the block. So a
failed block is cut at the row Arrow complains about, that row is parsed exactly, and the rest is
tried again. A block with many such rows is parsed exactly as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.json import ParseOptions, ReadOptions, read_json

from lander import exact
from lander.topics import Field, Topic

NOT_TEXT = "not_text"
OUTCOMES = ("extra_fields", "parse_error", "field_errors")
ARROW_TYPES = {
    "string": pa.string(),
    "double": pa.float64(),
    "long": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
ROW_HINT = re.compile(r"in row (\d+)")
# A block falls back as a whole after this many cuts, and this many more per row.
CUTS = 4
CUTS_PER_ROW = 1 / 500
# Below this many rows Arrow's call costs more than parsing one by one.
SMALL_BLOCK = 64
# No zone is further from UTC. In microseconds.
ONE_DAY = 86_400 * 1_000_000


# A word, and for each row whether it holds.
Marked: TypeAlias = tuple[str, pa.Array]


class UncleanBlockError(Exception):
    """Arrow cannot vouch for the block; `row` is the first culprit, None if unknown."""

    def __init__(self, row: int | None) -> None:
        super().__init__(f"row {row}")
        self.row = row


class Parser(Protocol):
    """Turns messages into the columns of `schema`, one row each."""

    schema: pa.Schema

    def parse(self, messages: Sequence[bytes | None]) -> pa.Table:
        """The messages' columns, in the same order. Never raises for what they hold."""


def parser_for(topic: Topic) -> Parser:
    """The parser of the topic's format."""
    return JsonParser(topic.fields) if topic.format == "json" else TextParser()


def output_schema(fields: Sequence[Field]) -> pa.Schema:
    """Declared columns, then extra_fields, parse_error and field_errors."""
    declared = [(field.column, ARROW_TYPES[field.type]) for field in fields]
    return pa.schema([*declared, *((name, pa.string()) for name in OUTCOMES)])


class TextParser:
    """Free text: nothing to parse, but bytes that are no text are an error."""

    schema = output_schema(())

    def parse(self, messages: Sequence[bytes | None]) -> pa.Table:
        """No fields; parse_error is not_text for tombstones and bytes that are no UTF-8."""
        errors = [None if is_text(message) else NOT_TEXT for message in messages]
        none = [None] * len(errors)
        return pa.table(dict(zip(OUTCOMES, (none, errors, none), strict=True)), self.schema)


def is_text(message: bytes | None) -> bool:
    """True if the bytes are UTF-8."""
    try:
        return message is not None and message.decode("utf-8") is not None
    except UnicodeDecodeError:
        return False


class JsonParser:
    """One JSON object a message, with declared fields; below `small_block` rows one by one."""

    def __init__(self, fields: tuple[Field, ...], small_block: int = SMALL_BLOCK) -> None:
        self.schema = output_schema(fields)
        self._fields = fields
        self._small_block = small_block
        self._exact = exact.ExactParser(fields)
        self._options = ParseOptions(
            explicit_schema=pa.schema(list(reader_fields(self._exact.tree))),
            # Also keeps deeply nested unknown values from being built at all.
            unexpected_field_behavior="error",
        )

    def parse(self, messages: Sequence[bytes | None]) -> pa.Table:
        """The messages' columns, in the same order. Never raises for what they hold."""
        tables = list(self._tables(messages))
        return pa.concat_tables(tables) if tables else self.schema.empty_table()

    def parse_exactly(self, messages: Sequence[bytes | None]) -> pa.Table:
        """The same result, one message at a time."""
        rows = [self._exact.parse(message) for message in messages]
        columns: list[Sequence[Any]] = list(zip(*(row.values for row in rows), strict=True))
        columns += [[getattr(row, name) for row in rows] for name in OUTCOMES]
        arrays = [
            pa.array(column, kind) for column, kind in zip(columns, self.schema.types, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def _tables(self, messages: Sequence[bytes | None]) -> Iterator[pa.Table]:
        """Tables of consecutive rows that together cover all messages."""
        cuts_left = CUTS + len(messages) * CUTS_PER_ROW
        blocks = [(0, len(messages))]
        while blocks:
            start, stop = blocks.pop()
            block = messages[start:stop]
            if not block:
                continue
            if len(block) < self._small_block or cuts_left <= 0:
                yield self.parse_exactly(block)
                continue
            try:
                yield self._parse_block(block)
            except UncleanBlockError as error:
                cuts_left -= 1
                blocks += reversed(cut(start, stop, error.row))

    def _parse_block(self, messages: Sequence[bytes | None]) -> pa.Table:
        """Parse with Arrow. Raises UncleanBlockError unless every row is an ordinary object."""
        data = join_objects(messages)
        try:
            table = read_json(
                pa.BufferReader(data),
                read_options=ReadOptions(use_threads=False, block_size=len(data) + 1),
                parse_options=self._options,
            )
        except pa.ArrowException as error:
            hint = ROW_HINT.search(str(error))
            raise UncleanBlockError(int(hint[1]) if hint else None) from error
        if len(table) != len(messages):
            raise UncleanBlockError(None)
        return self._typed(table)

    def _typed(self, table: pa.Table) -> pa.Table:
        """The declared columns out of what Arrow read, with the errors it does not know."""
        columns: list[pa.Array] = []
        missing: list[Marked] = []
        ill_typed: list[Marked] = []
        others: list[Marked] = []
        for field in self._fields:
            read = column_at(table, field.path)
            column = convert(read, field.type)
            columns.append(column)
            if field.required and read.null_count:
                missing.append((f"missing:{field.name}", pc.is_null(read)))
            if column.null_count != read.null_count:
                mask = pc.and_not(pc.is_null(column), pc.is_null(read))
                (ill_typed if field.required else others).append((f"type:{field.name}", mask))
        nothing = pa.nulls(len(table), pa.string())
        errors = nothing
        for reason, mask in reversed(missing + ill_typed):
            errors = pc.if_else(mask, reason, errors)
        columns += [nothing, errors, listed(others) if others else nothing]
        return pa.Table.from_arrays(columns, schema=self.schema)


def listed(marked: Sequence[Marked]) -> pa.Array:
    """The words whose masks are true, with SEPARATOR between; null where there is none."""
    texts = [pc.if_else(mask, exact.SEPARATOR + word, "") for word, mask in marked]
    together = pc.binary_join_element_wise(*texts, "")
    rest = pc.utf8_slice_codeunits(together, len(exact.SEPARATOR))
    return pc.if_else(pc.equal(together, ""), None, rest)


def cut(start: int, stop: int, row: int | None) -> list[tuple[int, int]]:
    """The blocks to try instead of start..stop: around the culprit, or two halves."""
    if row is None or row >= stop - start:
        middle = (start + stop) // 2
        return [(start, middle), (middle, stop)]
    culprit = start + row
    return [(start, culprit), (culprit, culprit + 1), (culprit + 1, stop)]


def join_objects(messages: Sequence[bytes | None]) -> bytes:
    """The messages, one a line, if each starts with { and ends with }.

    Then a reader of strict JSON cannot take two messages for one: a line break is not allowed
    inside a string, and { cannot follow } inside an object. So as many objects as messages
    means one in each. Raises UncleanBlockError.
    """
    if None in messages or b"" in messages:
        raise UncleanBlockError(next(i for i, message in enumerate(messages) if not message))
    data = b"\n".join(messages)  # type: ignore[arg-type]  # no None
    ends = np.cumsum(np.fromiter(map(len, messages), np.int64, len(messages)) + 1) - 1  # type: ignore[arg-type]  # no None
    starts = np.concatenate(([0], ends[:-1] + 1))
    characters = np.frombuffer(data, np.uint8)
    strange = (characters[starts] != ord("{")) | (characters[ends - 1] != ord("}"))
    if strange.any():
        raise UncleanBlockError(int(strange.argmax()))
    if not data.isascii():
        refuse_bytes_that_are_no_text(data, starts)
    return data


def refuse_bytes_that_are_no_text(data: bytes, starts: np.ndarray[Any, Any]) -> None:
    """Raise UncleanBlockError with the first row that is no UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = int(np.searchsorted(starts, error.start, side="right")) - 1
        raise UncleanBlockError(row) from error


def reader_fields(tree: exact.FieldTree) -> Iterator[pa.Field]:
    """The schema for Arrow's reader: timestamps as text, converted by our own rules."""
    for name, node in tree.items():
        if isinstance(node, Field):
            kind = "string" if node.type == "timestamp" else node.type
            yield pa.field(name, ARROW_TYPES[kind])
        else:
            yield pa.field(name, pa.struct(list(reader_fields(node))))


def column_at(table: pa.Table, path: tuple[str, ...]) -> pa.Array:
    """One column of the read table; null where an object around it is null."""
    column = table.column(path[0]).combine_chunks()
    return pc.struct_field(column, list(path[1:])) if len(path) > 1 else column


def convert(column: pa.Array, kind: str) -> pa.Array:
    """The column in its final type; text that is no timestamp becomes null.

    Raises UncleanBlockError for NaN, which Arrow takes for JSON, and for what overflows a double.
    """
    if kind == "timestamp":
        return to_timestamps(column)
    if kind == "double" and pc.all(pc.is_finite(column)).as_py() is False:
        raise UncleanBlockError(pc.index(pc.is_finite(column), False).as_py())
    return column


def to_timestamps(column: pa.Array) -> pa.Array:
    """ISO 8601 text as timestamps, by Arrow if it takes all of them, else one by one."""
    try:
        times = column.cast(ARROW_TYPES["timestamp"])
    except pa.ArrowInvalid:
        times = None
    if times is not None and in_range(times):
        return times
    return pa.array([exact.to_timestamp(text) for text in column.to_pylist()], pa.int64()).cast(
        ARROW_TYPES["timestamp"]
    )


def in_range(times: pa.Array) -> bool:
    """True if all times lie in the years 1 to 9999, as written too, whatever the zone."""
    bounds = pc.min_max(times.cast(pa.int64())).as_py()
    if bounds["min"] is None:
        return True
    return bool(bounds["min"] >= exact.EARLIEST + ONE_DAY and bounds["max"] <= exact.LATEST)
