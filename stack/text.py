"""Text for people at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

# What prints one line of a command's own output.
Say = Callable[[str], None]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of text as lines with their columns under one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
