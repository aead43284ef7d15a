"""How wild a load is: spiky days, days unlike their like days, gaps that no line bridges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.hashing import Floats

SLOTS_A_DAY = 48
LIKE_DAYS = (7, 14, 21, 28)  # days before, of the same weekday
GAP_SLOTS = 4  # two hours


@dataclass(frozen=True)
class Wildness:
    """Figures of half-hourly load, of all meters together.

    spiky_days: share of days whose highest slot exceeds 2.8 times the third highest. day_ratios:
    percentiles 1, 5, 95 and 99 of a day's energy over the mean of its four like days. line_error:
    absolute error of a straight line over two hours, as a share of the energy in them.
    """

    spiky_days: float
    day_ratios: tuple[float, float, float, float]
    line_error: float


def wildness(meters: list[Floats]) -> Wildness:
    """Figures of meters, each of shape (days, 48), NaN where a slot is missing."""
    ratios = np.concatenate([day_ratios(slots) for slots in meters])
    first, fifth, ninety_fifth, last = np.percentile(ratios, [1, 5, 95, 99]).tolist()
    errors = np.sum([line_errors(slots) for slots in meters], axis=0)
    return Wildness(
        float(np.concatenate([spiky(slots) for slots in meters]).mean()),
        (first, fifth, ninety_fifth, last),
        float(errors[0] / errors[1]),
    )


def spiky(slots: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each complete day has a slot above 2.8 times its third highest."""
    ordered = np.sort(slots[~np.isnan(slots).any(axis=1)], axis=1)
    result: np.ndarray[tuple[int], np.dtype[np.bool_]] = ordered[:, -1] > 2.8 * ordered[:, -3]
    return result


def day_ratios(slots: Floats) -> Floats:
    """Each day over the mean of its like days, where all five are complete."""
    totals, longest = slots.sum(axis=1), max(LIKE_DAYS)
    like = np.mean([totals[longest - back : len(totals) - back] for back in LIKE_DAYS], axis=0)
    ratios: Floats = totals[longest:] / like
    return ratios[~np.isnan(ratios)]


def line_errors(slots: Floats) -> tuple[float, float]:
    """Sum of the absolute errors of a line over every two hours, and of the energy in them."""
    series = slots.ravel()
    last = len(series) - GAP_SLOTS - 1
    start, step = series[:last], (series[GAP_SLOTS + 1 :] - series[:last]) / (GAP_SLOTS + 1)
    true = np.array([series[place : last + place] for place in range(1, GAP_SLOTS + 1)])
    error = np.abs(start + step * np.arange(1, GAP_SLOTS + 1)[:, None] - true)
    known = ~np.isnan(error)
    return float(error[known].sum()), float(true[known].sum())
