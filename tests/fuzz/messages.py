"""Messages for the fields of a topic: good, altered in one place or two, broken, or anything."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lander.exact import FieldTree, field_tree
from lander.topics import Field
from tests.fuzz import check

# An object on its way to text: keys and values as JSON text, inner objects as lists.
Members: TypeAlias = "list[tuple[str, str | Members]]"

NOW = datetime(2025, 12, 9, 6, 25, 40, tzinfo=UTC)
NUMBERS = (
    *("0", "-0", "0.42", "1E+2", "78", "230", "5e-324", "1e-400", "1e308", "1e400", "9" * 400),
    *("114.99", "115", "345", "345.01", "-1", "-0.01", "100", "100.01", "900", "1e9", "1e15"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808"),
    *("-9223372036854775809", "123456789012345678901234567890", "1.10", "0.1e1", "-0.0"),
)
NO_NUMBERS = (
    *("NaN", "-NaN", "Infinity", "-Infinity", "nan", "Inf", "+1", "01", "-01", ".5", "1.", "1e"),
    *("-", "0x10", "1_000", "True", "None", "undefined", "", "'x'", "//", "1 2", '"', '"\n"'),
)
STRINGS = (
    *('"OK"', '""', '"MTR-10291"', '"\'; drop table x; --"', '"x\' or 1=1"', '"\\u0000\\u0007"'),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\/\\b\\f"', '"\x7f"', '"NaN"'),
)
TIMES = (
    *("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-01:00"),
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "0000-12-31T23:00:00-02:00"),
    *("2025-02-30T00:00Z", "2024-02-29T00Z", "1900-02-29T00Z", "2025-12-09T24:00:00Z"),
    *("2025-12-09T06:25:60Z", "2025-12-09T06:25:40", "2025-12-09", "2025-12-09t06:25:40z"),
    *("2025-12-09T06:25:40+24:00", "2025-12-09T06:25:40+01:60", "2025-12-09T06:25:40.1234567Z"),
    *("2025-12-09T06:25:40,5Z", "20251209T062540Z", "2025-W50-2T06:25:40Z", " 2025-12-09T06Z"),
    *("292278-01-01T00:00:00Z", "now", "1765261540", "\uff12025-12-09T06:25:40Z"),
)
FORMATS = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S.%f+0000")
# How far from now readings are, in seconds: five minutes and ten years are the rules' limits.
AGES = (
    0,
    1,
    60,
    -240,
    -290,
    -330,
    -3600,
    3600,
    86_400,
    40 * 86_400,
    3_650 * 86_400,
    3_660 * 86_400,
)
PIECES = (
    b"",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\n",
    b"}",
    b"{}",
    b",",
    b"//",
)
# Most often another value of the same type.
CHANGES = [*["usual"] * 5, "other", "spoil", "rename", "double", "beside", "drop"]
SPACES = ("", " ", "\n", "\t\r\n ")


@functools.cache
def scalars(now: datetime) -> Mapping[str, st.SearchStrategy[str]]:
    """JSON texts by type of field, most of them good."""
    ages = st.sampled_from(AGES).map(lambda seconds: now - timedelta(seconds=seconds))
    times = st.builds(datetime.strftime, ages, st.sampled_from(FORMATS))
    floats = st.floats(allow_nan=False, allow_infinity=False).map(repr)
    numbers = st.sampled_from(NUMBERS) | floats | st.integers(-(2**70), 2**70).map(str)
    written = st.builds(json.dumps, st.text(max_size=8), ensure_ascii=st.booleans())
    return {
        "string": st.sampled_from(STRINGS) | written,
        "double": numbers,
        "long": st.sampled_from(NUMBERS[:5]) | st.integers(-(2**64), 2**64).map(str),
        "boolean": st.sampled_from(["true", "false"]),
        "timestamp": times.map(quoted) | st.sampled_from(TIMES).map(quoted),
    }


def quoted(text: str) -> str:
    """The text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


@functools.cache
def anything(now: datetime) -> st.SearchStrategy[str]:
    """Any JSON value as text."""
    plain = st.one_of(*scalars(now).values(), st.just("null"))
    return st.recursive(
        plain,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
            | st.lists(st.tuples(st.sampled_from(STRINGS), inner), max_size=3).map(
                lambda members: render(members, "")
            )
        ),
        max_leaves=4,
    )


def render(members: Sequence[tuple[str, str | Members]], space: str) -> str:
    """The members as the text of an object."""
    texts = (
        f"{space}{key}{space}:{space}{value if isinstance(value, str) else render(value, space)}"
        for key, value in members
    )
    return "{" + f"{space},".join(texts) + space + "}"


@dataclass(frozen=True)
class Subject:
    """What the messages of a topic hold.

    usual: JSON texts of a good message by the name of the field; now: about when it is read.
    """

    fields: tuple[Field, ...]
    usual: Mapping[str, str]
    now: datetime = NOW

    @property
    def good(self) -> bytes:
        """The usual message."""
        return render(self.members(field_tree(self.fields)), "").encode()

    def members(self, tree: FieldTree) -> Members:
        """The members of the usual object of this tree."""
        members: Members = []
        for name, node in tree.items():
            if not isinstance(node, Field):
                members.append((quoted(name), self.members(node)))
            elif node.name in self.usual:
                members.append((quoted(name), self.usual[node.name]))
        return members


TELEMETRY = Subject(
    check.TELEMETRY,
    {
        "device_id": '"MTR-10291"',
        "customer_id": '"CUST-8831"',
        "timestamp": '"2025-12-09T06:25:40Z"',
        "metrics.energy_kwh": "0.42",
        "metrics.voltage": "229.6",
        "metrics.battery_pct": "78",
        "status": '"OK"',
    },
)
EVERY_TYPE = Subject(
    check.EVERY_TYPE,
    {
        "id": '"x"',
        "at": '"2025-12-09T06:25:40Z"',
        "a.count": "7",
        "a.b.is_open": "true",
        "a.b.level": "0.5",
    },
)


@st.composite
def messages(draw: st.DrawFn, subject: Subject) -> bytes | None:
    """A message of any kind, None for a tombstone."""
    kind = draw(st.sampled_from(["good", *["altered"] * 5, "broken", "any", "odd"]))
    if kind == "good":
        return subject.good
    if kind == "odd":
        return draw(st.sampled_from([None, b"", b" \n", b"{}", b"{}{}"]) | st.binary(max_size=30))
    if kind == "any":
        return draw(anything(subject.now)).encode("utf-8", "surrogatepass")
    message = draw(altered(subject)).encode("utf-8", "surrogatepass")
    return draw(broken(message)) if kind == "broken" else message


@st.composite
def altered(draw: st.DrawFn, subject: Subject) -> str:
    """The usual message with up to three changes to its members."""
    members = subject.members(field_tree(subject.fields))
    for _ in range(draw(st.integers(0, 3))):
        field = draw(st.sampled_from(subject.fields))
        is_inner = draw(st.sampled_from([True, True, True, False]))
        target = object_at(members, field.path[:-1]) if is_inner else members
        key = quoted(field.path[-1 if is_inner else 0])
        place = next((i for i, (name, _) in enumerate(target) if name == key), len(target))
        before = target[place : place + 1]
        usual = scalars(subject.now)[field.type] if is_inner else anything(subject.now)
        target[place : place + 1] = draw(changed(key, before, usual, anything(subject.now)))
    return render(members, draw(st.sampled_from(SPACES)))


def object_at(members: Members, path: Sequence[str]) -> Members:
    """The object at the path, or as far as there is one."""
    for name in path:
        inner = dict(members).get(quoted(name))
        members = inner if isinstance(inner, list) else members
    return members


@st.composite
def changed(
    draw: st.DrawFn,
    key: str,
    before: Members,
    usual: st.SearchStrategy[str],
    other: st.SearchStrategy[str],
) -> Members:
    """What stands instead of a member, or of none."""
    change = draw(st.sampled_from(CHANGES))
    if change == "usual":
        return [(key, draw(usual))]
    if change == "rename":
        escaped = f'"\\u{ord(key[1]):04x}{key[2:]}'
        name = draw(st.sampled_from([key.upper(), escaped]))
        return [(name, value) for _, value in before]
    wrong = draw(st.sampled_from(NO_NUMBERS) if change == "spoil" else other)
    results: dict[str, Members] = {
        "other": [(key, wrong)],
        "spoil": [(key, wrong)],
        "double": [(key, wrong), *before],
        "beside": [*before, (draw(st.sampled_from(STRINGS)), wrong)],
        "drop": [],
    }
    return results[change]


@st.composite
def broken(draw: st.DrawFn, message: bytes) -> bytes:
    """The message cut off, or with other bytes somewhere within."""
    place = draw(st.integers(0, len(message)))
    piece = draw(st.sampled_from(PIECES) | st.binary(min_size=1, max_size=3))
    end = draw(st.sampled_from([place, place + len(piece), len(message)]))
    return message[:place] + piece + message[end:]


def collected(subject: Subject, count: int) -> list[bytes | None]:
    """The same messages each time."""
    found: list[bytes | None] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(messages(subject))
    def collect(message: bytes | None) -> None:
        found.append(message)

    collect()
    return found
