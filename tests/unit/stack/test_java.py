"""Files that Java reads: Latin-1 with escapes, whatever is in a value."""

from __future__ import annotations

import pytest

from stack.base.settings import load_settings
from stack.programs.java import collector, property_line
from stack.programs.kafka import overrides


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("/srv/ü/logs", "key=/srv/\\u00fc/logs\n"),
        ("/srv/日本", "key=/srv/\\u65e5\\u672c\n"),
        # Beyond the first 65,536 characters: the two UTF-16 units of U+1F642.
        ("🙂", "key=\\ud83d\\ude42\n"),
        ("a\\b", "key=a\\\\b\n"),
        ("a%2Fb #c=d it's", "key=a%2Fb #c=d it's\n"),
        (1, "key=1\n"),
    ],
    ids=["latin", "japanese", "emoji", "backslash", "plain", "number"],
)
def test_a_property_is_ascii_with_escapes(value: object, line: str) -> None:
    assert property_line("key", value) == line


def test_kafkas_data_folder_is_escaped() -> None:
    assert "log.dirs=/srv/\\u00fc/a%2Fb\n" in overrides(load_settings({}), "/srv/ü/a%2Fb")


@pytest.mark.parametrize(
    ("processors", "chosen"),
    [(1, "-XX:+UseSerialGC"), (2, "-XX:+UseSerialGC"), (3, "-XX:+UseG1GC"), (64, "-XX:+UseG1GC")],
)
def test_one_collector_is_chosen_by_the_processors(processors: int, chosen: str) -> None:
    """Java refuses two; trino/etc/jvm.config, which containers use, asks for G1."""
    asked = ["-XX:+UseG1GC", *collector(processors)]
    states = {word[5:]: word[4] for word in asked if word.endswith("GC")}
    assert [f"-XX:+{name}" for name, sign in states.items() if sign == "+"] == [chosen]
