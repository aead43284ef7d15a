"""Numbers, times and plain text for people."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from explorer.format import JOINER, Writer, locale_of, plain, span, status_word

BRITISH = Writer(locale_of("en-GB"), ZoneInfo("Europe/London"))
GERMAN = Writer(locale_of("de-DE"), ZoneInfo("Europe/Berlin"))


def test_numbers_are_written_as_the_locale_writes_them() -> None:
    assert BRITISH.number(1234567.891, 2) == "1,234,567.89"
    assert GERMAN.number(1234567.891, 2) == "1.234.567,89"


def test_energy_names_its_unit_and_goes_to_megawatt_hours_where_it_is_a_lot() -> None:
    assert BRITISH.energy(72.34) == "72.3\u00a0kWh"
    assert BRITISH.energy(123_456) == "123.5\u00a0MWh"
    assert BRITISH.energy(None) == "\u2013"


def test_a_time_is_told_by_the_clock_of_the_zone_and_names_it() -> None:
    summer = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert BRITISH.moment(summer).endswith("23:30:00\u00a0BST")
    assert GERMAN.clock(summer) == "00:30\u00a0CEST"


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        (110.0, 100.0, "+10.0\u00a0%"),
        (90.0, 100.0, "-10.0\u00a0%"),
        (1.0, 0.0, None),
        (1.0, None, None),
    ],
    ids=["more", "less", "from-nothing", "unknown"],
)
def test_a_change_is_told_only_against_something(
    now: float, before: float | None, words: str | None
) -> None:
    assert BRITISH.change(now, before) == words


def test_an_unknown_language_is_no_error() -> None:
    assert locale_of("xx-YY").language == "en"
    assert locale_of(None).language == "en"


def test_no_sign_of_markdown_is_left_bare() -> None:
    text = plain("<b>*x*</b> [a](http://x) $y$ :red[z] `q`\n# h")
    bare = [
        each
        for index, each in enumerate(text)
        if each in "<>*[]()$:`#_" and text[index - 1] != "\\"
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (59, "59 s"), (89, "89 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 d")],
)
def test_a_span_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert span(seconds).replace("\u00a0", " ") == words


def test_a_status_that_is_missing_is_not_called_healthy() -> None:
    assert status_word(None) == status_word(float("nan")) == "Not assessed"


@pytest.mark.parametrize("text", ["a -> b", "<-", "x -- y", "a >= b ~= c <-> d", ":material_home:"])
def test_what_streamlit_would_draw_otherwise_is_held_together(text: str) -> None:
    shown = plain(text).replace("\\", "")
    assert shown != text
    assert shown.replace(JOINER, "") == text


@pytest.mark.parametrize("text", ["a->b", "2026-11-30 12:30:15 UTC", "--x", "a=b", "-1 °C", "x: y"])
def test_what_is_drawn_as_written_gets_no_joiner(text: str) -> None:
    assert plain(text).replace("\\", "") == text
