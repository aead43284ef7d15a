"""What freshness is computed from: the lander's log, the rows' times, and looks at the mart."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from benchmarks.freshness import Commit, ages, commits, first_seen, mart_figures
from benchmarks.history import Round, ratios
from benchmarks.paced_producer import bodies, readings
from benchmarks.peers import parsed

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_commits_are_read_from_the_lander_s_log() -> None:
    log = (
        "2026-01-02 03:04:05,250 INFO reading topic=t positions={0: 0}\n"
        "2026-01-02 03:04:06,250 INFO committed topic=t batch=3 rows=20 seconds=0.07 lag=0\n"
    )

    assert commits(log) == [Commit(3, START.timestamp() + 1.25, 20, 0.07)]


def test_ages_count_from_the_reading_and_leave_the_warm_up_out() -> None:
    times = [START, START + timedelta(seconds=6), START + timedelta(seconds=7)]
    rows = pa.table(
        {"batch_id": [1, 2, 2], "reading_at": pa.array(times, pa.timestamp("us", "UTC"))}
    )

    seen = {1: START.timestamp() + 99, 2: START.timestamp() + 8}

    assert ages(rows, seen).tolist() == [2.0, 1.0]


def test_a_batch_is_seen_at_the_first_look_that_has_it() -> None:
    assert first_seen([2, 1, 2, 3], [(10.0, 1), (11.0, 3)]) == {1: 10.0, 2: 11.0, 3: 11.0}


def test_goals_of_the_marts_are_of_their_rate() -> None:
    found = {rate: mart_figures(rate, [1.0], [7.0], [3.0]) for rate in (4_999, 5_000)}

    goals = {rate: [each.at_most for each in figures] for rate, figures in found.items()}
    assert goals == {4_999: [None] * 5, 5_000: [None, 2.0, None, 8.0, None]}


def test_paced_readings_are_due_at_their_rate() -> None:
    texts = bodies(random.Random(1))

    pairs = list(readings(range(4, 6), START.timestamp(), 4, 3, texts))

    rows = parsed(value for _, value in pairs)
    assert [key for key, _ in pairs] == rows.column("device_id").to_pylist()
    assert rows.column("device_id").to_pylist() == ["MTR-10001", "MTR-10002"]
    assert rows.column("reading_at").to_pylist() == [
        START + timedelta(seconds=1),
        START + timedelta(seconds=1.25),
    ]


def test_ratios_compare_the_medians_of_both_ends() -> None:
    short = [Round(1.0, 100, 2), Round(2.0, 100, 2), Round(9.0, 100, 2)]
    long = [Round(3.0, 110, 2)]

    found = {figure.name: figure for figure in ratios(short, long, 100)}

    assert found["100 x / 1 x: seconds"].value == 1.5
    assert found["100 x / 1 x: seconds"].verdict == "**not met**"
    assert found["100 x / 1 x: bytes"].verdict == "met"
