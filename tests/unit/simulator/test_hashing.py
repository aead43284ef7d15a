"""Randomness: the published generator, and independence of what is drawn together."""

from __future__ import annotations

import numpy as np

from simulator.hashing import bell, draw, scramble, uniform


def test_scramble_gives_the_published_outputs_of_splitmix64() -> None:
    # First outputs of SplitMix64 for seed 0, as Java's SplittableRandom and Vigna publish them.
    golden = 0x9E3779B97F4A7C15
    states = np.array([0, golden, 2 * golden % 2**64], dtype=np.uint64)
    assert [hex(int(value)) for value in scramble(states)] == [
        "0xe220a8397b1dcdaf",
        "0x6e789e6aa1b965f4",
        "0x6c45d188009454f",
    ]


def test_draw_does_not_depend_on_what_is_drawn_together() -> None:
    devices, times = np.arange(5)[:, None], np.arange(100, 120)
    together = draw(1, "test", devices, times)
    alone = draw(1, "test", np.array([[3]]), np.array([107]))
    assert alone[0, 0] == together[3, 7]


def test_draw_differs_by_seed_and_purpose() -> None:
    keys = np.arange(1000)
    first = draw(1, "a", keys)
    assert not (first == draw(2, "a", keys)).any()
    assert not (first == draw(1, "b", keys)).any()


def test_uniform_fills_its_range_evenly() -> None:
    numbers = uniform(draw(7, "test", np.arange(100_000)))
    counts, _ = np.histogram(numbers, bins=10, range=(0, 1))
    # Each bin holds 10,000 on average, with a standard deviation of 95.
    assert counts.sum() == 100_000
    assert (abs(counts - 10_000) < 480).all()


def test_bell_has_the_moments_of_a_triangle() -> None:
    numbers = bell(draw(7, "test", np.arange(100_000)))
    assert abs(numbers.mean()) < 0.007
    assert abs(numbers.std() - 6**-0.5) < 0.005
    assert -1 < numbers.min() < -0.95
    assert 0.95 < numbers.max() < 1
