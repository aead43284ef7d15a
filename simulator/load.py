"""The energy a meter has measured up to any moment, as a function of that moment alone.

Noise moves energy between the days of a block of four weeks and between the quarter hours of
a day; it neither adds nor takes any. So the sum up to the start of a block is known from the
load profile, and no run needs to add up what came before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from simulator.devices import Fleet
from simulator.episodes import OUTAGE, Windows, draw_windows
from simulator.hashing import Floats, Integers, bell, draw, uniform
from simulator.load_profiles import (
    DAY_MS,
    QUARTERS_A_DAY,
    LoadProfile,
    energy_of_quarters,
    read_profile,
)
from stack.base.errors import ConfigurationError

ANCHOR_DAY = 14610  # 2010-01-01, days since 1970: the registers start here
BLOCK_DAYS = 28
QUARTER_MS = 900_000
DAY_SPREAD = 0.35
QUARTER_SPREAD = 0.9
TABLE_MARGIN_DAYS = 140


@dataclass(frozen=True)
class DayLoad:
    """What the meters use on some UTC days.

    days: shape (n,), days since 1970, rising. start_kwh: shape (devices, n), energy from the
    anchor to the start of the day. until_kwh: shape (devices, n, 97), energy of the day up to
    each quarter hour. outages: the windows without power.
    """

    days: Integers
    start_kwh: Floats
    until_kwh: Floats
    outages: Windows


class GroupTable:
    """Shares of a year's energy by UTC quarter hour since the anchor, for one load group."""

    def __init__(self, profile: LoadProfile, zone: ZoneInfo) -> None:
        self.profile = profile
        self.zone = zone
        self.shares = np.empty((0, QUARTERS_A_DAY))
        self.day_sums = np.empty(0)
        self.block_starts = np.zeros(1)

    def reach(self, last_day: int) -> None:
        """Extend the table so that it holds the whole block of a day."""
        wanted = (last_day - ANCHOR_DAY) // BLOCK_DAYS * BLOCK_DAYS + BLOCK_DAYS
        have = len(self.shares)
        if wanted <= have:
            return
        days = wanted - have + TABLE_MARGIN_DAYS
        added = energy_of_quarters(self.profile, self.zone, ANCHOR_DAY + have, days)
        self.shares = np.concatenate([self.shares, added])
        self.day_sums = self.shares.sum(axis=1)
        blocks = self.day_sums.reshape(-1, BLOCK_DAYS).sum(axis=1)
        self.block_starts = np.concatenate([[0.0], np.cumsum(blocks)])


def zone_of(name: str) -> ZoneInfo:
    """A time zone of master data. Raises ConfigurationError where Python does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            "time zones in device_master that Python knows",
            name,
            "set another for the meters that have it, or install a newer tzdata",
        ) from error


class LoadModel:
    """Cumulative energy of a fleet under a seed."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self.seed = seed
        self.groups = [
            (indices, GroupTable(read_profile(customer_class), zone_of(zone)))
            for (customer_class, zone), indices in fleet.load_groups.items()
        ]

    def day_load(self, days: Integers) -> DayLoad:
        """Load of UTC days. Raises ConfigurationError for a day before 2010."""
        check_after_anchor(int(days[0]))
        outages = draw_windows(OUTAGE, self.fleet, days, self.seed)
        shape = (len(self.fleet), len(days))
        start_kwh, day_kwh = np.empty(shape), np.empty(shape)
        weights = np.empty((*shape, QUARTERS_A_DAY))
        for indices, table in self.groups:
            table.reach(int(days[-1]))
            start_kwh[indices], day_kwh[indices] = self.day_energy(indices, table, days)
            weights[indices] = table.shares[days - ANCHOR_DAY]
        weights *= self.quarter_noise(days)
        weights *= powered_share(outages, days)
        until_kwh = spread_over_day(weights, day_kwh)
        return DayLoad(days, start_kwh, until_kwh, outages)

    def day_energy(
        self, indices: NDArray[np.intp], table: GroupTable, days: Integers
    ) -> tuple[Floats, Floats]:
        """Energy from the anchor to each day's start, and of each day; (group devices, days)."""
        annual_kwh = self.fleet.annual_kwh[indices][:, None]
        blocks, day_places = np.divmod(days - ANCHOR_DAY, BLOCK_DAYS)
        start_kwh = np.empty((len(indices), len(days)))
        day_kwh = np.empty_like(start_kwh)
        for block in np.unique(blocks):
            columns = blocks == block
            ends = self.block_day_ends(indices, table, int(block))
            places = day_places[columns]
            start_kwh[:, columns] = table.block_starts[block] + ends[:, places]
            day_kwh[:, columns] = ends[:, places + 1] - ends[:, places]
        return start_kwh * annual_kwh, day_kwh * annual_kwh

    def block_day_ends(self, indices: NDArray[np.intp], table: GroupTable, block: int) -> Floats:
        """Share of a year used from a block's start to each day's end, shape (devices, 29)."""
        places = np.arange(block * BLOCK_DAYS, (block + 1) * BLOCK_DAYS)
        bits = draw(self.seed, "day noise", self.fleet.keys[indices][:, None], places)
        used = np.cumsum(np.exp(DAY_SPREAD * bell(bits)) * table.day_sums[places], axis=1)
        block_sum = table.block_starts[block + 1] - table.block_starts[block]
        ends: Floats = used * (block_sum / used[:, -1:])
        return np.concatenate([np.zeros((len(indices), 1)), ends], axis=1)

    def quarter_noise(self, days: Integers) -> Floats:
        """Factors on the quarter hours of the days, shape (devices, days, 96)."""
        quarters = (days[:, None] * QUARTERS_A_DAY + np.arange(QUARTERS_A_DAY)).ravel()
        bits = draw(self.seed, "quarter noise", self.fleet.keys[:, None], quarters)
        noise: Floats = np.exp(QUARTER_SPREAD * bell(bits))
        return noise.reshape(len(self.fleet), len(days), QUARTERS_A_DAY)

    def cumulative_kwh(self, load: DayLoad, at_ms: Integers) -> Floats:
        """Energy from the anchor to each moment, shape (devices, moments).

        at_ms: milliseconds since 1970, each within a day of `load`.
        """
        positions = np.searchsorted(load.days, at_ms // DAY_MS)
        quarters = at_ms % DAY_MS // QUARTER_MS
        base: Floats = load.start_kwh[:, positions] + load.until_kwh[:, positions, quarters]
        if not (at_ms % QUARTER_MS).any():
            return base
        of_quarter = load.until_kwh[:, positions, quarters + 1]
        of_quarter = of_quarter - load.until_kwh[:, positions, quarters]
        return base + of_quarter * self.share_of_quarter(load, at_ms, positions)

    def share_of_quarter(
        self, load: DayLoad, at_ms: Integers, positions: NDArray[np.intp]
    ) -> Floats:
        """How much of its quarter hour's energy is used at each moment, between 0 and 1.

        Appliances switch on and off once to four times in a quarter hour; time without power
        does not count.
        """
        starts_ms = at_ms // QUARTER_MS * QUARTER_MS
        passed = powered_ms(load.outages, positions, starts_ms, at_ms)
        whole = powered_ms(load.outages, positions, starts_ms, starts_ms + QUARTER_MS)
        share = passed / np.maximum(whole, 1)
        bits = draw(self.seed, "cycles", self.fleet.keys[:, None], starts_ms // QUARTER_MS)
        turns = 2 * np.pi * (1 + (bits & np.uint64(3)).astype(np.float64))
        phase = 2 * np.pi * uniform(bits)
        swing = 0.8 * (np.sin(turns * share + phase) - np.sin(phase)) / turns
        result: Floats = share + swing
        return result


def powered_ms(
    outages: Windows, positions: NDArray[np.intp], from_ms: Integers, to_ms: Integers
) -> Integers:
    """Milliseconds with power between two moments of one day, shape (devices, moments)."""
    without = outages.passed_ms(positions, to_ms) - outages.passed_ms(positions, from_ms)
    return to_ms - from_ms - without


def powered_share(outages: Windows, days: Integers) -> Floats:
    """Share of each quarter hour with power, shape (devices, days, 96)."""
    bounds = days[:, None] * DAY_MS + np.arange(QUARTERS_A_DAY + 1) * QUARTER_MS
    starts, ends = outages.start_ms[:, :, None], outages.end_ms[:, :, None]
    without = np.diff(np.clip(bounds, starts, ends), axis=2)
    share: Floats = 1.0 - without / QUARTER_MS
    return share


def spread_over_day(weights: Floats, day_kwh: Floats) -> Floats:
    """Energy of the day up to each quarter hour: (d, n, 96) weights -> (d, n, 97) kWh."""
    used = np.cumsum(weights, axis=2)
    used *= (day_kwh / used[:, :, -1])[:, :, None]
    until_kwh: Floats = np.concatenate([np.zeros((*day_kwh.shape, 1)), used], axis=2)
    return until_kwh


def check_after_anchor(day: int) -> None:
    """Raise ConfigurationError for a day before the registers start."""
    if day < ANCHOR_DAY:
        raise ConfigurationError(
            "a time from 2010-01-01 on",
            f"a time {ANCHOR_DAY - day} days before that",
            "choose a later --from",
        )
