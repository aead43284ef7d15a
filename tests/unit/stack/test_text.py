"""Texts of others at a terminal."""

from __future__ import annotations

import pytest

from stack.base.text import readable, shortened


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        pytest.param("Zähler 7", "Zähler 7", id="letters"),
        pytest.param("a\r\n\t\x00\x1b[2J\x7f\x9b", r"a\r\n\t\x00\x1b[2J\x7f\x9b", id="controls"),
        pytest.param("\u202e\u2066\u200b", r"\u202e\u2066\u200b", id="marks of direction"),
        pytest.param("\ud800\U000e0041", r"\ud800\U000e0041", id="surrogate and tag"),
        pytest.param(b"\xff\xc3\xa4", r"\xffä", id="bytes"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_text_is_safe_to_print(content: bytes | str, shown: str) -> None:
    assert readable(content) == shown


def test_a_long_text_says_how_long_it_is() -> None:
    assert shortened("x" * 1234, 3) == "xxx… (1,234 characters)"
    assert shortened("xxx", 3) == "xxx"
