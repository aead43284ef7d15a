"""Lay out the headers of Kafka messages as text: JSON that leads back to their bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

# In place of headers that the client cannot give: some other sender wrote a name that is no UTF-8.
UNREADABLE = json.dumps({"error": "a name is not UTF-8"})
# As the client gives them; it takes a mapping too.
Headers: TypeAlias = Sequence[tuple[str, bytes | str | None]] | Mapping[str, bytes | str | None]
Value: TypeAlias = str | dict[str, str] | None


def header_text(headers: Headers | str | None) -> str | None:
    """JSON array of [name, value] in the message's order; None if it has no headers."""
    if not headers:
        return None
    if isinstance(headers, str):
        return headers
    items = headers.items() if isinstance(headers, Mapping) else headers
    pairs = [[name, header_value(value)] for name, value in items]
    return json.dumps(pairs, ensure_ascii=False, separators=(",", ":"))


def header_value(value: bytes | str | None) -> Value:
    """A value as text, as {"base64": text} where it is no UTF-8, or null."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode("ascii")}
