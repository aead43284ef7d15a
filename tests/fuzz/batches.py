"""Batches as files: what the fuzzer changes, keeps as its corpus and leaves behind as a finding."""

from __future__ import annotations

import itertools
from pathlib import Path

from tests.fuzz import check

# Neither byte occurs in UTF-8; 0xFF is left for messages that are no text.
DIVIDER, TOMBSTONE = b"\xfe", b"\xfd"
SEEDS = Path(__file__).resolve().parent / "seeds"


def messages_of(content: bytes) -> list[bytes | None]:
    """The messages of a file."""
    return [None if part == TOMBSTONE else part for part in content.split(DIVIDER)]


def judge(content: bytes) -> None:
    """Raise AssertionError with what is wrong first: as telemetry, every type of field, text."""
    messages = messages_of(content)
    found = itertools.chain(
        check.differences(messages, check.TELEMETRY),
        check.differences(messages, check.EVERY_TYPE),
        check.text_differences(messages),
    )
    first = next(found, None)
    if first is not None:
        raise AssertionError(first)
