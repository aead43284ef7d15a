"""Expressions of several words that docs/glossary.md replaces; codespell sees single words only."""

from __future__ import annotations

import re
import subprocess

import pytest

from stack.base.root import PROJECT_ROOT

DICTIONARY = PROJECT_ROOT / "tests" / "words.txt"
ENTRIES = [line.split("->")[0] for line in DICTIONARY.read_text(encoding="utf-8").splitlines()]
PHRASES = [entry for entry in ENTRIES if " " in entry]
# A phrase goes on in the next line, after the sign of a comment or a quotation.
BLANK = r"(?:\s|[#>|*\"]|--)+"
# As codespell has it, at the end of a line.
IGNORED = "codespell:" + "ignore"
LEFT_OUT = (
    "docs/glossary.md",
    "tests/words.txt",
    "tests/unit/test_words.py",
    "requirements/*",
    "tests/fuzz/seeds/*",
    "*.png",
    "*.parquet",
)


def pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(r"\b" + phrase.replace(" ", BLANK) + r"\b", re.IGNORECASE)


def tracked() -> list[str]:
    command = ["git", "ls-files", "-z", "--", *(f":!{name}" for name in LEFT_OUT)]
    listed = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.rstrip("\0").split("\0")


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_text_uses_a_phrase_that_the_glossary_replaces(phrase: str) -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
        for name in tracked()
        for text in [(PROJECT_ROOT / name).read_text(encoding="utf-8")]
        for match in pattern(phrase).finditer(text)
        if IGNORED not in text[match.end() :].partition("\n")[0]
    ]
    assert not found, f"wanted: another word, of docs/glossary.md, for `{phrase}`; found: {found}"


def test_a_phrase_is_found_over_the_end_of_a_comment_line() -> None:
    assert pattern("cut short").search("    # the topic was cut\n    # short by a power cut")
    assert not pattern("cut short").search("cut shorter")
