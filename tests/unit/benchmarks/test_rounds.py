"""What rounds of two versions are compared by: readings, rows of the mart, medians and goals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from benchmarks import lander
from benchmarks.__main__ import arguments, command_of, main
from benchmarks.figures import Figure
from benchmarks.lander import Run
from benchmarks.rounds import Reading, Round, Start, books_of, expected, figures_of, readings
from benchmarks.stacks import env_text
from stack.base.root import PROJECT_ROOT

DAY = date(2026, 1, 2)


def reading(meter: int, second: int, energy_kwh: str) -> Reading:
    return Reading(meter, datetime(2026, 1, 2, 1, 0, second, tzinfo=UTC), Decimal(energy_kwh))


def test_a_batch_goes_on_where_the_one_before_ended() -> None:
    assert [*readings(0, 3, 2, DAY), *readings(1, 3, 2, DAY)] == [
        reading(10_000, 0, "0.001"),
        reading(10_001, 0, "0.002"),
        reading(10_000, 1, "0.003"),
        reading(10_001, 1, "0.004"),
        reading(10_000, 2, "0.005"),
        reading(10_001, 2, "0.006"),
    ]


def test_books_of_the_mart_equal_those_of_the_readings_sent() -> None:
    sent = [reading(10_000, 0, "0.1"), reading(10_001, 0, "0.2"), reading(10_000, 1, "0.2")]
    rows = [["MTR-10000", DAY, 2, "0.300000"], ["MTR-10001", DAY, 1, "0.200000"]]

    assert books_of(rows) == expected(sent)
    assert books_of(rows[:1]) != expected(sent)


def a_round(seconds: float, trino: float, statements: int) -> Round:
    cpu = {"trino": trino, "dbt": 1.0, "postgres": 0.5, "minio": 0.5, "kafka": 2.0}
    return Round(seconds, cpu, statements)


def test_figures_are_medians_of_both_versions_with_the_goals_of_this_one() -> None:
    rounds = {
        "before": [a_round(8.0, 12.0, 46), a_round(9.0, 16.0, 46), a_round(30.0, 90.0, 46)],
        "now": [a_round(2.0, 4.0, 11), a_round(3.5, 6.0, 13)],
    }
    starts = {
        "before": [Start(80.0, a_round(20.0, 50.0, 46))],
        "now": [Start(40.0, a_round(5.0, 12.0, 12))],
    }

    found = {figure.name: figure for figure in figures_of(starts, rounds)}

    assert found["warm round: before"] == Figure("warm round: before", 9.0, "s")
    assert found["warm round: now"] == Figure("warm round: now", 2.75, "s", at_most=3)
    name = "warm round, processor time of all services: now / before"
    assert found[name] == Figure(name, 9.0 / 20.0, "times", at_most=0.45)
    assert found["warm round, processor time of trino: now"].value == 5.0
    name = "warm round, statements: now"
    assert found[name] == Figure(name, 12, "statements", at_most=12)
    name = "first round after a start, processor time of all services: now"
    assert found[name] == Figure(name, 16.0, "cpu-s", at_most=15)
    assert found["start, processor time of trino: now / before"].value == 0.5


def test_what_was_not_measured_is_left_out() -> None:
    rounds = {"before": [a_round(8.0, 12.0, 46)], "now": [a_round(2.0, 4.0, 11)]}

    names = [figure.name for figure in figures_of({"before": [], "now": []}, rounds)]

    assert names
    assert all(name.startswith("warm round") for name in names)


def test_landers_are_compared_by_processor_time() -> None:
    runs = {
        "before": [Run(10.0, 10.0, 1.0, 500, 24_000_000), Run(20.0, 11.0, 2.0, 520, 24_000_000)],
        "now": [Run(8.0, 5.0, 1.0, 400, 12_000_000)],
    }

    found = {figure.name: figure.value for figure in lander.figures_of(2_000_000, runs)}

    assert found["processor time: before"] == 6.0
    assert found["processor time: now"] == 3.0
    assert found["processor time: now / before"] == 0.5
    assert found["rows a second: now"] == 250_000
    assert found["files: now"] == 6.0


def test_an_env_file_takes_changes_and_gets_its_own_passwords() -> None:
    example = "A_PORT=1\nPOSTGRES_PASSWORD=\nTRINO_HEAP=3G\n"

    first, second = (env_text(example, {"A_PORT": "2", "UNKNOWN": "x"}) for _ in range(2))

    assert first.splitlines()[::2] == ["A_PORT=2", "TRINO_HEAP=3G"]
    assert len(first.splitlines()[1]) > len("POSTGRES_PASSWORD=")
    assert first != second


def test_comparisons_are_run_with_the_other_checkout_only() -> None:
    assert "rounds" not in arguments([]).names
    options = arguments(["--quick", "--beside", "../old"])
    assert "rounds" in options.names
    words = command_of("rounds", options, PROJECT_ROOT)
    assert words[words.index("--beside") + 1] == "../old"
    assert "--beside" not in command_of("setup", options, PROJECT_ROOT)


def test_a_comparison_without_the_other_checkout_is_misuse(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--only", "lander"])
    assert "lander need --beside FOLDER" in capsys.readouterr().err
