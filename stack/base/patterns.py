"""Patterns by which log lines name things, in what Trino's and Python's regular expressions share.

Trino reads them in the models, Python checks them here, before anything is started. What they
read differently is refused: groups that capture, switches, escapes of one dialect, nested sets.
"""

from __future__ import annotations

import re
import warnings

# Digits, word characters and blanks of ASCII, what is none of them; any character by its number.
SHARED_ESCAPES = "dDwWsSu"
REFUSED = {
    r"\(\?(?!:)": "(? that begins no (?:...)",
    r"\{(?!\d+(?:,\d*)?\})": "{ that begins no {m}, {m,} or {m,n}",
    r"\[\^?\]": "a set of characters that begins with ]",
    r"\[[^\]]*(?:\[|&&)": "a set within a set, or && in a set",
    r"[*+}][^()]*\)[*+{]": "a repeated group with a repetition in it",
}


class Pattern(str):
    """A regular expression that Python and Trino read alike, and that matches no empty text.

    Raises ValueError with what is wrong.
    """

    def __new__(cls, text: str) -> Pattern:
        """The checked text."""
        problem = problem_of(text)
        if problem:
            raise ValueError(problem)
        return super().__new__(cls, text)


def problem_of(text: str) -> str:
    """What keeps a text from being such a pattern; empty if nothing does."""
    escapes = re.findall(r"\\(.)", text)
    for letter in escapes:
        if letter.isalnum() and letter not in SHARED_ESCAPES:
            return f"\\{letter}"
    if re.search(r"\\u[dD][89a-fA-F]", text):
        return "half of a character"
    # What follows a backslash stands for itself.
    plain = re.sub(r"\\.", "x", text)
    for wrong, words in REFUSED.items():
        if re.search(wrong, plain):
            return words
    try:
        with warnings.catch_warnings():
            # Of sets within sets, which Java has.
            warnings.simplefilter("error")
            pattern = re.compile(text, re.ASCII)
    except (re.error, FutureWarning, OverflowError) as error:
        return str(error)
    if pattern.groups:
        return "a group that is no (?:...)"
    return "a match of an empty text" if pattern.fullmatch("") else ""
