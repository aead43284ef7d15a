"""Numbers and days in charts, by language."""

from __future__ import annotations

import altair as alt
import pytest
from babel import Locale

from explorer.chart_locale import chart_locale


@pytest.mark.parametrize(
    ("tag", "decimal", "thousands", "sunday", "march"),
    [("en_GB", ".", ",", "Sunday", "March"), ("de", ",", ".", "Sonntag", "März")],
)
def test_a_language_has_its_signs_and_names(
    tag: str, decimal: str, thousands: str, sunday: str, march: str
) -> None:
    locale = chart_locale(Locale.parse(tag))
    assert (locale["number"]["decimal"], locale["number"]["thousands"]) == (decimal, thousands)
    assert (locale["time"]["days"][0], locale["time"]["months"][2]) == (sunday, march)


def test_a_chart_takes_the_language() -> None:
    chart = alt.Chart().mark_bar().configure(locale=chart_locale(Locale.parse("fr")))
    assert chart.to_dict()["config"]["locale"]["time"]["months"][0] == "janvier"
