"""Episodes: inside their day, shared by a transformer, as often as asked for."""

from __future__ import annotations

import numpy as np

from simulator.episodes import EpisodeKind, Windows, draw_windows
from simulator.load_profiles import DAY_MS
from tests.unit.simulator.builders import DECEMBER, SEED, days, fleet

ALONE = EpisodeKind("test", 0.1, 0.1, 0.0, 30.0, 120.0, by_transformer=False)
SHARED = EpisodeKind("test", 0.1, 0.1, 0.0, 30.0, 120.0, by_transformer=True)


def test_episodes_lie_inside_their_day_and_within_their_lengths() -> None:
    span = days(DECEMBER, 100)
    windows = draw_windows(ALONE, fleet(50), span, SEED)
    happened = windows.end_ms > 0
    lengths = (windows.end_ms - windows.start_ms)[happened]
    assert (windows.start_ms >= np.where(happened, span * DAY_MS, 0)).all()
    assert (windows.end_ms <= (span + 1) * DAY_MS).all()
    assert 30 * 60_000 <= lengths.min() < 40 * 60_000
    assert 100 * 60_000 < lengths.max() <= 120 * 60_000


def test_episodes_come_as_often_as_their_chance() -> None:
    windows = draw_windows(ALONE, fleet(100), days(DECEMBER, 200), SEED)
    # 20,000 days at 0.1: 2,000 expected, standard deviation 42.
    assert abs(int((windows.end_ms > 0).sum()) - 2000) < 210


def test_a_transformer_hits_all_its_meters_together() -> None:
    windows = draw_windows(SHARED, fleet(10), days(DECEMBER, 100), SEED)
    assert (windows.start_ms[0:5] == windows.start_ms[0]).all()
    assert (windows.start_ms[5:10] == windows.start_ms[5]).all()
    assert not np.array_equal(windows.start_ms[0], windows.start_ms[5])


def test_an_episode_is_active_from_its_start_until_before_its_end() -> None:
    windows = Windows(np.array([[1000]]), np.array([[3000]]))
    moments = np.array([999, 1000, 2999, 3000])
    active = windows.active_at(np.zeros(4, dtype=np.intp), moments)
    assert active.tolist() == [[False, True, True, False]]


def test_passed_time_counts_only_the_episode() -> None:
    windows = Windows(np.array([[1000]]), np.array([[3000]]))
    moments = np.array([500, 1500, 9000])
    passed = windows.passed_ms(np.zeros(3, dtype=np.intp), moments)
    assert passed.tolist() == [[0, 500, 2000]]
