"""Patterns of log lines: what Trino and Python read alike is taken, all else is named."""

from __future__ import annotations

import pytest

from stack.base.patterns import Pattern


@pytest.mark.parametrize(
    "text",
    [
        "MTR-[0-9]+",
        r"[A-Z]{2}\d{8}(?:-[A-Z])?",
        r"Zähler\u0020[0-9]+/Ost|計器.",
        r"O\u0027Brien\u0022--;",
        r"a\{b\}|\(\?c\)|\\",
        "[^,;]+",
        "(?:[0-9][0-9]-)+X",
    ],
)
def test_a_pattern_that_both_engines_read_is_taken_as_it_is(text: str) -> None:
    assert Pattern(text) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "match of an empty text"),
        ("[0-9]*", "match of an empty text"),
        ("(MTR)-[0-9]+", "a group"),
        ("MTR-(", "missing"),
        ("(?i)mtr-1", r"\(\?"),
        ("(?P<id>[0-9]+)", r"\(\?"),
        (r"\p{L}+", r"\\p"),
        (r"\bMTR", r"\\b"),
        (r"\x27", r"\\x"),
        (r"a\1", r"\\1"),
        ("[[a-z]]+", "set"),
        ("[a-z&&[^b]]+", "set"),
        ("[A-Z[0-9]]+", "a set within"),
        ("[&&a]+", "a set within"),
        ("M[-([x]y", "a set within"),
        ("(?:[0-9]+-?)+X", "a repeated group"),
        ("(?:a{2}b)*c", "a repeated group"),
        (r"\ud83d\udd0c", "half of a character"),
        ("[]a]", "begins with ]"),
        ("a{,3}", "begins no {m}"),
        ("{{ x }}", "begins no {m}"),
        ("a{9999999999}", "repetition"),
    ],
)
def test_a_pattern_that_they_read_differently_is_refused_with_the_place(
    text: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        Pattern(text)
