"""Outages, odd voltages and tampering: episodes with a start and an end, never coin flips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.devices import Fleet
from simulator.hashing import Floats, Integers, Keys, draw, uniform
from simulator.load_profiles import DAY_MS

MINUTE_MS = 60_000


@dataclass(frozen=True)
class EpisodeKind:
    """How often and how long something happens.

    daily_chance: of one episode on a day; at a weak spot: weak_chance (share of weak spots).
    shortest_minutes, longest_minutes: length, spread evenly over its logarithm.
    by_transformer: whether all meters of a transformer are hit together.
    """

    name: str
    daily_chance: float
    weak_chance: float
    weak_share: float
    shortest_minutes: float
    longest_minutes: float
    by_transformer: bool


OUTAGE = EpisodeKind("outage", 0.02, 0.08, 0.15, 0.7, 240.0, by_transformer=True)
UNDER_VOLTAGE = EpisodeKind("under_voltage", 0.02, 0.4, 0.15, 45.0, 360.0, by_transformer=False)
OVER_VOLTAGE = EpisodeKind("over_voltage", 0.004, 0.02, 0.1, 30.0, 150.0, by_transformer=True)
TAMPER = EpisodeKind("tamper", 0.003, 0.03, 0.05, 20.0, 240.0, by_transformer=False)


@dataclass(frozen=True)
class Windows:
    """At most one episode a device and UTC day, inside that day.

    start_ms, end_ms: shape (devices, days), milliseconds since 1970; both 0 where none is.
    """

    start_ms: Integers
    end_ms: Integers

    def active_at(self, day_positions: NDArray[np.intp], at_ms: Integers) -> NDArray[np.bool_]:
        """Whether an episode runs, shape (devices, moments); its end is no longer part of it.

        day_positions: for each moment, the column of its day.
        """
        starts, ends = self.start_ms[:, day_positions], self.end_ms[:, day_positions]
        active: NDArray[np.bool_] = (starts <= at_ms) & (at_ms < ends)
        return active

    def passed_ms(self, day_positions: NDArray[np.intp], at_ms: Integers) -> Integers:
        """Milliseconds of the day's episode that lie before each moment."""
        starts, ends = self.start_ms[:, day_positions], self.end_ms[:, day_positions]
        return np.clip(at_ms, starts, ends) - starts


def draw_windows(kind: EpisodeKind, fleet: Fleet, days: Integers, seed: int) -> Windows:
    """Episodes of one kind on the given UTC days (days since 1970)."""
    keys = (fleet.transformer_keys if kind.by_transformer else fleet.keys)[:, None]
    chance = chances(kind, keys, seed)
    happens = uniform(draw(seed, f"{kind.name} happens", keys, days)) < chance
    length_ms = lengths_ms(kind, uniform(draw(seed, f"{kind.name} length", keys, days)))
    place = uniform(draw(seed, f"{kind.name} place", keys, days))
    # Whole seconds, as meters stamp events.
    offset_ms = (place * (DAY_MS - length_ms)).astype(np.int64) // 1000 * 1000
    start_ms = np.where(happens, days * DAY_MS + offset_ms, 0)
    return Windows(start_ms, np.where(happens, start_ms + length_ms, 0))


def chances(kind: EpisodeKind, keys: Keys, seed: int) -> Floats:
    """Daily chance of each key, higher at weak spots."""
    is_weak = uniform(draw(seed, f"{kind.name} weak spot", keys)) < kind.weak_share
    return np.where(is_weak, kind.weak_chance, kind.daily_chance)


def lengths_ms(kind: EpisodeKind, share: Floats) -> Integers:
    """Lengths in whole seconds, for shares in [0, 1) of the logarithmic range."""
    ratio = kind.longest_minutes / kind.shortest_minutes
    minutes = kind.shortest_minutes * ratio**share
    return (minutes * MINUTE_MS).astype(np.int64) // 1000 * 1000
