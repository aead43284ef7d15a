"""Parse one JSON message at a time: slow, strict, and the definition of what parsing means.

lander.parse reads whole batches and must agree with this module; it hands over every message
that it cannot prove to be ordinary. The rules:

* JSON is RFC 8259: no NaN, no Infinity, no trailing comma, no byte order mark. What is nested
  deeper than Python's parser goes (about 1,000 levels) counts as not_json.
* Of a duplicate key the last one counts, as in most JSON readers; `message` keeps both.
* A missing field, a null, and a field inside something that is null or no object are missing.
* A number is a JSON number; "0.42" is not. What overflows a double is ill-typed, never infinite.
* A timestamp is a string of ISO 8601 with a zone: 2025-12-09T06:25:40Z, T or a space between
  day and hour, minutes, seconds and fraction optional, Z or +hh, +hhmm, +hh:mm, years 1 to 9999
  as written and in UTC. Digits after the microsecond are cut off.
* A string must be text: one with half a surrogate pair is ill-typed.
* parse_error is the first of: not_json, not_an_object, missing:<field>, type:<field>; of required
  fields only, in the order of the topic file. What could be read is kept beside the error.
* field_errors lists type:<field> for each other field that is ill-typed, in the same order.
* extra_fields holds, character for character, whatever no field declares; of a duplicate key too.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, NoReturn, TypeAlias

from lander.topics import Field

NOT_JSON = "not_json"
NOT_AN_OBJECT = "not_an_object"
# Between the entries of field_errors.
SEPARATOR = ", "
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // MICROSECOND
LATEST = (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC) - EPOCH) // MICROSECOND
INT64 = range(-(2**63), 2**63)
TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}(:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?"
    r"(Z|[+-][0-9]{2}(:?[0-5][0-9])?)"
)
SPACE = re.compile(r"[ \t\n\r]*")

# Fields by the names on their paths: a Field, or the tree of the object that holds more of them.
FieldTree: TypeAlias = Mapping[str, "Field | FieldTree"]


class Number(str):
    """The text of a JSON number, so that no digit is lost."""


class Integer(Number):
    """The text of a JSON number without fraction and exponent."""


class Row(NamedTuple):
    """What one message held: a value per declared field, timestamps as microseconds in UTC."""

    values: Sequence[Any]
    extra_fields: str | None
    parse_error: str | None
    field_errors: str | None


def refuse_constant(name: str) -> NoReturn:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(f"{name} is not JSON")


class WithDuplicates(dict[str, object]):
    """A JSON object that names a key twice; it holds the last value."""


def object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object of its members, marked where that loses one of them."""
    content = dict(pairs)
    return content if len(content) == len(pairs) else WithDuplicates(content)


DECODER = json.JSONDecoder(
    parse_float=Number,
    parse_int=Integer,
    parse_constant=refuse_constant,
    object_pairs_hook=object_of,
)


def field_tree(fields: tuple[Field, ...]) -> FieldTree:
    """The fields as nested mappings, one level per part of their paths."""
    tree: dict[str, Any] = {}
    for field in fields:
        node = tree
        for part in field.path[:-1]:
            node = node.setdefault(part, {})
        node[field.path[-1]] = field
    return tree


class ExactParser:
    """Parses messages one at a time by the rules above."""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self.tree = field_tree(fields)
        self._plan = [(field, field.path, CONVERTERS[field.type]) for field in fields]

    def parse(self, message: bytes | None) -> Row:
        """Parse one message, None for a tombstone; never raises."""
        nothing = (None,) * len(self._plan)
        try:
            text = (message or b"").decode("utf-8")
            content = DECODER.decode(text)
            if not isinstance(content, dict):
                return Row(nothing, None, NOT_AN_OBJECT, None)
            extra = None
            if has_undeclared(content, self.tree):
                extra = undeclared(text, skip_space(text, 0), self.tree)[0]
        except (ValueError, RecursionError):
            return Row(nothing, None, NOT_JSON, None)
        values, error, field_errors = self._convert(content)
        return Row(values, extra, error, field_errors)

    def _convert(self, content: dict[str, object]) -> tuple[list[Any], str | None, str | None]:
        """The values; the first error of required fields, missing first; all of side fields."""
        values: list[Any] = []
        missing = ill_typed = None
        others: list[str] = []
        for field, path, convert in self._plan:
            raw = content.get(path[0]) if len(path) == 1 else value_at(content, path)
            value = None if raw is None else convert(raw)
            values.append(value)
            if raw is None and field.required and missing is None:
                missing = f"missing:{field.name}"
            elif raw is not None and value is None and not field.required:
                others.append(f"type:{field.name}")
            elif raw is not None and value is None and ill_typed is None:
                ill_typed = f"type:{field.name}"
        return values, missing or ill_typed, SEPARATOR.join(others) or None


def value_at(content: object, path: tuple[str, ...]) -> object:
    """The value at the path, None where it does not lead anywhere."""
    for part in path:
        if not isinstance(content, dict):
            return None
        content = content.get(part)
    return content


def has_undeclared(content: Mapping[str, object], tree: FieldTree) -> bool:
    """True if the object holds, or held after a duplicate key, what no field declares."""
    if isinstance(content, WithDuplicates):
        return True
    for name, value in content.items():
        node = tree.get(name)
        if node is None:
            return True
        if isinstance(node, Field) or value is None:
            continue
        if not isinstance(value, dict) or has_undeclared(value, node):
            return True
    return False


def undeclared(text: str, start: int, tree: FieldTree) -> tuple[str | None, int]:
    """What the object at `start` holds beside declared fields, as JSON; and the object's end.

    Values are copied as they were written. The text must be valid JSON.
    """
    members: list[str] = []
    position = skip_space(text, start + 1)
    while text[position] != "}":
        key, key_end = DECODER.raw_decode(text, position)
        value_start = skip_space(text, skip_space(text, key_end) + 1)
        extra, end = undeclared_value(text, value_start, tree.get(key))
        if extra is not None:
            members.append(f"{text[position:key_end]}:{extra}")
        position = skip_space(text, end)
        if text[position] == ",":
            position = skip_space(text, position + 1)
    return ("{" + ",".join(members) + "}" if members else None), position + 1


def undeclared_value(
    text: str, start: int, node: Field | FieldTree | None
) -> tuple[str | None, int]:
    """The part of one value that is not declared, None if all of it is; and the value's end."""
    if isinstance(node, Mapping) and text[start] == "{":
        return undeclared(text, start, node)
    value, end = DECODER.raw_decode(text, start)
    is_declared = isinstance(node, Field) or (node is not None and value is None)
    return (None if is_declared else text[start:end]), end


def skip_space(text: str, position: int) -> int:
    """The next position that is no JSON white space."""
    return SPACE.match(text, position).end()  # type: ignore[union-attr]  # matches nothing too


def to_string(value: object) -> str | None:
    """A JSON string that is encodable text."""
    if type(value) is not str:
        return None
    if value.isascii():
        return value
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return value


def to_double(value: object) -> float | None:
    """A JSON number within the range of a double."""
    number = float(value) if isinstance(value, Number) else math.inf
    return number if math.isfinite(number) else None


def to_long(value: object) -> int | None:
    """A JSON number without fraction and exponent that fits 64 bits."""
    if not isinstance(value, Integer) or len(value) > 20:
        return None
    return int(value) if int(value) in INT64 else None


def to_boolean(value: object) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def to_timestamp(value: object) -> int | None:
    """ISO 8601 with a zone, as microseconds since 1970 in UTC."""
    if type(value) is not str or TIMESTAMP.fullmatch(value) is None:
        return None
    try:
        since = datetime.fromisoformat(value) - EPOCH
    except ValueError:
        return None
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return microseconds if EARLIEST <= microseconds <= LATEST else None


CONVERTERS: Mapping[str, Callable[[object], Any]] = {
    "string": to_string,
    "double": to_double,
    "long": to_long,
    "boolean": to_boolean,
    "timestamp": to_timestamp,
}
