"""The energy a meter has measured up to any moment, as a function of that moment alone.

Noise, appliances and absences move energy between the days of a block of four weeks and between
the quarter hours of a day; they neither add nor take any. So the sum up to the start of a block is
known from the load profile, and no run needs to add up what came before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from simulator.devices import Fleet
from simulator.episodes import OUTAGE, Windows, draw_windows
from simulator.habits import BLOCK_DAYS, STEPS, ApplianceRun, appliance_runs, is_away, standby
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
QUARTER_MS = 900_000
DAY_SPREAD = 0.57
QUARTER_SPREAD = 1.35
NOISE_MEAN = 2 * (np.cosh(QUARTER_SPREAD) - 1) / QUARTER_SPREAD**2  # of exp(spread x bell)
STANDBY_OFF = np.exp(-0.3 * QUARTER_SPREAD)  # below it nothing runs in an empty home: a quarter
MEAN_DAY = 1 / 365.25  # of a year
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


@dataclass(frozen=True)
class Use:
    """What meters use on some days, in shares of a year, before a block's sum is met.

    away, background: shape (devices, days), whether nobody is there, and all energy but that of
    the appliances. runs: those of the appliances.
    """

    away: NDArray[np.bool_]
    background: Floats
    runs: tuple[ApplianceRun, ...]

    @property
    def total(self) -> Floats:
        """All energy of each day, shape (devices, days)."""
        total: Floats = self.background + MEAN_DAY * sum(run.energy for run in self.runs)
        return total


class GroupTable:
    """Shares of a year's energy by UTC quarter hour since the anchor, for one load group.

    kept_ends: the day ends of the block that was asked for last.
    """

    def __init__(self, profile: LoadProfile, zone: ZoneInfo) -> None:
        self.profile = profile
        self.zone = zone
        self.shares = np.empty((0, QUARTERS_A_DAY))
        self.day_sums = np.empty(0)
        self.block_starts = np.zeros(1)
        self.kept_block = -1
        self.kept_ends = np.empty((0, BLOCK_DAYS + 1))

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

    def quarters_by_share(self, days: Integers) -> NDArray[np.intp]:
        """The quarter hour by which each 256th of a day's energy has flowed, shape (days, 256)."""
        flowed = np.cumsum(self.shares[days - ANCHOR_DAY], axis=1)
        steps = (np.arange(STEPS) + 0.5) / STEPS
        return np.array([np.searchsorted(day, steps * day[-1]) for day in flowed])


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
        weights = self.quarter_noise(days)
        for indices, table in self.groups:
            table.reach(int(days[-1]))
            start_kwh[indices], day_kwh[indices] = self.day_energy(indices, table, days)
            self.weigh(weights, indices, table, days)
        weights *= powered_share(outages, days)
        until_kwh = spread_over_day(weights, day_kwh)
        return DayLoad(days, start_kwh, until_kwh, outages)

    def weigh(
        self, weights: Floats, indices: NDArray[np.intp], table: GroupTable, days: Integers
    ) -> None:
        """Turn the noise of a group's quarter hours into shares of a year's energy, in place.

        weights: of all devices, shape (devices, days, 96), in C order.
        """
        use = self.use(indices, table, days)
        rows, columns = np.nonzero(use.away)
        alone = weights[indices[rows], columns]
        weights[indices[rows], columns] = np.where(alone < STANDBY_OFF, 0.0, alone)
        places = days - ANCHOR_DAY
        background = use.background / (table.day_sums[places] * NOISE_MEAN)
        weights[indices] *= table.shares[places] * background[:, :, None]
        quarters = table.quarters_by_share(days)
        for run in use.runs:
            add_run(weights.reshape(-1), run, indices, quarters)

    def use(self, indices: NDArray[np.intp], table: GroupTable, days: Integers) -> Use:
        """What a group of meters uses on UTC days, before a block's sum is met."""
        keys = self.fleet.keys[indices]
        blocks, places = np.divmod(days - ANCHOR_DAY, BLOCK_DAYS)
        away = is_away(self.seed, keys, days, blocks, places)
        noise = np.exp(DAY_SPREAD * bell(draw(self.seed, "day noise", keys[:, None], days)))
        noise = np.where(away, standby(self.seed, keys)[:, None], noise)
        background = noise * table.day_sums[days - ANCHOR_DAY]
        return Use(away, background, tuple(appliance_runs(self.seed, keys, days, away)))

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
        if table.kept_block != block:
            days = ANCHOR_DAY + np.arange(block * BLOCK_DAYS, (block + 1) * BLOCK_DAYS)
            used = np.cumsum(self.use(indices, table, days).total, axis=1)
            block_sum = table.block_starts[block + 1] - table.block_starts[block]
            ends: Floats = used * (block_sum / used[:, -1:])
            table.kept_ends = np.concatenate([np.zeros((len(indices), 1)), ends], axis=1)
            table.kept_block = block
        return table.kept_ends

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


def add_run(
    weights: Floats, run: ApplianceRun, indices: NDArray[np.intp], quarters: NDArray[np.intp]
) -> None:
    """Add the energy of an appliance to the quarter hours that it runs in, within its day.

    weights: of all devices, days and quarter hours, one dimension, in shares of a year. indices:
    the devices of `run`. quarters: GroupTable.quarters_by_share of the days.
    """
    length = run.appliance.quarters
    rows, columns = np.nonzero(run.energy)
    starts = np.minimum(quarters[columns, run.place[rows, columns]], QUARTERS_A_DAY - length)
    cells = (indices[rows] * len(quarters) + columns) * QUARTERS_A_DAY + starts
    share = run.energy[rows, columns] * (MEAN_DAY / length)
    for quarter in range(length):
        weights[cells + quarter] += share


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
