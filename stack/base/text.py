"""Text for people at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

# What prints one line of a command's own output.
Say = Callable[[str], None]

ESCAPED_BYTES = "backslashreplace"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of text as lines with their columns under one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def readable(content: bytes | str) -> str:
    """Content of any origin as one line that is safe to print.

    Control characters, terminal escape sequences, marks that turn the direction of writing,
    surrogates and bytes that are no UTF-8 are shown as escapes. A backslash stays as it is.
    """
    text = content if isinstance(content, str) else content.decode(errors=ESCAPED_BYTES)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else escaped(each) for each in text)


def escaped(character: str) -> str:
    """A character as Python writes it in a string, for instance backslash and n."""
    return character.encode("unicode_escape").decode("ascii")


def shortened(text: str, most: int) -> str:
    """The text, or its first `most` characters and how many it has."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"
