"""Messages as people read them: JSON unfolded, text as text, anything else as hex and base64."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from explorer.kafka_messages import Record

SHOWN_BYTES = 512
BYTES_A_LINE = 16
PREVIEW_CHARACTERS = 160
# What is nested deeper is shown as text: unfolded, nobody could read it, and pages would fail.
UNFOLDED_LEVELS = 64
# Control characters that belong to a text.
TEXT_CONTROLS = "\t\n\r"


class Kind(StrEnum):
    """What a key or a value is."""

    JSON = "JSON"
    TEXT = "text"
    BINARY = "binary"
    NONE = "no value"


@dataclass(frozen=True)
class Content:
    """Bytes as people read them. document: of JSON, an object or a list, else None."""

    kind: Kind
    text: str
    document: Any = None


def content_of(raw: bytes | None) -> Content:
    """What these bytes are: only an object or a list counts as JSON."""
    if raw is None:
        return Content(Kind.NONE, "")
    text = printable(raw)
    if text is None:
        return Content(Kind.BINARY, hex_lines(raw[:SHOWN_BYTES]))
    document = json_of(text)
    return Content(Kind.TEXT if document is None else Kind.JSON, text, document)


def printable(raw: bytes) -> str | None:
    """Bytes as UTF-8 text; None if they are none, or hold control characters."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    is_text = all(character >= " " or character in TEXT_CONTROLS for character in text)
    return text if is_text and "\x7f" not in text else None


def json_of(text: str) -> dict[str, Any] | list[Any] | None:
    """A JSON object or list that can be unfolded, None for any other text.

    NaN is no JSON; too deep is too deep; what overflows a double would not be shown as it is.
    """
    try:
        document = json.loads(text, parse_constant=refuse_constant, parse_float=finite)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict | list) and not is_deep(document) else None


def refuse_constant(name: str) -> None:
    """Python's reader knows NaN and Infinity, the standard does not."""
    raise ValueError(f"{name} is no JSON")


def finite(text: str) -> float:
    """A number. Raises ValueError for one beyond a double, which Python takes for infinity."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is beyond a double")
    return number


def is_deep(document: Any) -> bool:
    """Whether a JSON value is nested deeper than UNFOLDED_LEVELS."""
    level = [document]
    for _ in range(UNFOLDED_LEVELS):
        lists = [each.values() if isinstance(each, dict) else each for each in level]
        level = [each for inner in lists for each in inner if isinstance(each, dict | list)]
    return bool(level)


def hex_lines(raw: bytes) -> str:
    """Offset, bytes in hex and as ASCII, sixteen a line."""
    lines = []
    for start in range(0, len(raw), BYTES_A_LINE):
        part = raw[start : start + BYTES_A_LINE]
        ascii_part = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:04x}  {part.hex(' '):<47}  {ascii_part}")
    return "\n".join(lines)


def base64_of(raw: bytes) -> str:
    """Bytes as the quarantine tables write what is no text."""
    return base64.b64encode(raw).decode("ascii")


def preview(raw: bytes | None) -> str:
    """A key or value in one short line of a table."""
    content = content_of(raw)
    if content.kind is Kind.BINARY:
        return f"binary, {len(raw or b''):,} bytes: {(raw or b'')[:16].hex(' ')}"
    line = " ".join(content.text.split())
    return line if len(line) <= PREVIEW_CHARACTERS else line[: PREVIEW_CHARACTERS - 1] + "…"


def json_line(topic: str, record: Record) -> str:
    """A record as one line of a download; what is no text stands there as base64."""
    line: dict[str, Any] = {
        "topic": topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.written_at.isoformat() if record.written_at else None,
    }
    for name, raw in (("key", record.key), ("value", record.value)):
        text = printable(raw) if raw is not None else None
        if raw and text is None:
            line[f"{name}_base64"] = base64_of(raw)
        else:
            line[name] = text
    if record.is_cut:
        line["value_bytes"] = record.value_bytes
    return json.dumps(line, ensure_ascii=False)
