"""Figures, goals and the page made of them."""

from __future__ import annotations

import pytest

from benchmarks import page
from benchmarks.figures import Figure, Report, Result, number, percentile, table

RESULT = Result(
    command="python -m benchmarks.history --days 3",
    at="2026-01-02T03:04+00:00",
    seconds=61.2,
    load=1.5,
    machine="2 processors, 24 GB",
    report=Report("3 days", "all rows", (Figure("a round", 1.25, "s", at_most=2.0),)),
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (4, "4"),
        (0.3333333, "0.333"),
        (2.345, "2.35"),
        (51.26, "51.3"),
        (240123.4, "240,123"),
    ],
)
def test_number_keeps_three_digits_that_matter(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("a", 2.0, "s", at_most=2.0), "met"),
        (Figure("a", 2.1, "s", at_most=2.0), "**not met**"),
        (Figure("a", 50.0, "times", at_least=50), "met"),
        (Figure("a", 49.9, "times", at_least=50), "**not met**"),
        (Figure("a", 1.0, "s"), ""),
    ],
)
def test_verdict_follows_the_goal(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_table_has_a_row_a_figure_with_its_goal() -> None:
    assert table(RESULT.report.figures).splitlines() == [
        "| figure | measured | unit | goal | |",
        "| --- | ---: | --- | --- | --- |",
        "| a round | 1.25 | s | at most 2 | met |",
    ]


@pytest.mark.parametrize(("share", "value"), [(0.5, 2), (0.75, 3), (0.95, 4), (1.0, 4)])
def test_percentile_is_the_nearest_rank(share: float, value: float) -> None:
    assert percentile([4, 1, 3, 2], share) == value


def test_result_survives_json() -> None:
    assert Result.from_json(RESULT.to_json()) == RESULT


def test_section_names_the_command_and_what_ran_beside_it() -> None:
    text = page.section("Rounds", RESULT)

    assert "`python -m benchmarks.history --days 3`" in text
    assert "2026-01-02, 2 processors, 24 GB, load average 1.5" in text


def test_page_names_what_was_not_measured() -> None:
    assert "### The simulator\n\nNot measured." in page.block({"history": RESULT})


def test_block_replaces_the_one_before() -> None:
    text = f"above\n{page.BEGIN}\nold\n{page.END}\nbelow\n"

    assert page.with_block(text, f"{page.BEGIN}new{page.END}") == (
        f"above\n{page.BEGIN}new{page.END}\nbelow\n"
    )


def test_performance_page_holds_the_results_beside_it() -> None:
    text = page.PAGE.read_text(encoding="utf-8")

    assert page.block(page.results_in(page.RESULTS)) in text
