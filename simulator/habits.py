"""What people do with electricity: appliances switched on, and days away from home.

Each use and each absence is a function of seed, meter and day (or block of days) alone. Energies
are shares of the meter's mean day, so that a large meter has large appliances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.hashing import Floats, Integers, Keys, draw, uniform

BLOCK_DAYS = 28
STEPS = 256  # of the energy and of the time of day of a run
BYTE_BITS, BYTE = np.uint64(8), np.uint64(STEPS - 1)
THIRD, TWO_THIRDS = np.uint64(21), np.uint64(42)  # of the bits of a number
SHORTEST_HOLIDAY = 2.0  # days
HOLIDAY_CHANCE = 0.1  # of one in a block of days
LONGEST_HOLIDAY = 12.0
DAY_AWAY_CHANCE = 0.012
LEAST_STANDBY, MOST_STANDBY = 0.06, 0.4


@dataclass(frozen=True)
class Appliance:
    """How often something is used, how long it runs and what it takes.

    owners: share of the meters that have it. chances: of each use of a day. quarters: quarter
    hours that a use lasts. least, most: energy of a use, in shares of the meter's mean day.
    """

    name: str
    owners: float
    chances: tuple[float, ...]
    quarters: int
    least: float
    most: float


KETTLE = Appliance("kettle", 1.0, (0.8, 0.6, 0.4), 1, 0.008, 0.02)
SHOWER = Appliance("shower", 0.7, (0.7, 0.25), 1, 0.04, 0.12)
OVEN = Appliance("oven", 0.8, (0.5,), 3, 0.06, 0.16)
CAR = Appliance("car", 0.35, (0.085,), 12, 1.0, 2.1)
APPLIANCES = (KETTLE, SHOWER, OVEN, CAR)


@dataclass(frozen=True)
class ApplianceRun:
    """One possible use of an appliance a meter and day, shape (devices, days).

    energy: in shares of the mean day, 0 where there is none. place: 0 to 255, how much of the
    day's energy has flowed by when it starts, so that people cook when others do.
    """

    appliance: Appliance
    energy: Floats
    place: NDArray[np.intp]


def appliance_runs(
    seed: int, keys: Keys, days: Integers, away: NDArray[np.bool_]
) -> Iterator[ApplianceRun]:
    """The runs on UTC days (since 1970); away: shape (devices, days), nobody is there."""
    column = keys[:, None]
    for appliance in APPLIANCES:
        is_owner = uniform(draw(seed, f"{appliance.name} owner", column)) < appliance.owners
        for number, chance in enumerate(appliance.chances):
            bits = draw(seed, f"{appliance.name} {number}", column, days)
            happens = is_owner & ~away & (uniform(bits) < chance)
            size = ((bits >> BYTE_BITS) & BYTE).astype(np.float64) / STEPS
            energy = appliance.least + (appliance.most - appliance.least) * size
            place = (bits & BYTE).astype(np.intp)
            yield ApplianceRun(appliance, np.where(happens, energy, 0.0), place)


def is_away(
    seed: int, keys: Keys, days: Integers, blocks: Integers, places: Integers
) -> NDArray[np.bool_]:
    """Whether nobody is there, shape (devices, days): on single days, and on holidays.

    blocks, places: of each day, its block and its place in that. A block has one holiday at most,
    which lies within it.
    """
    column = keys[:, None]
    bits = draw(seed, "holiday", column, blocks)
    length = SHORTEST_HOLIDAY * (LONGEST_HOLIDAY / SHORTEST_HOLIDAY) ** uniform(bits << THIRD)
    start = uniform(bits << TWO_THIRDS) * (BLOCK_DAYS - length)
    on_holiday = (start <= places) & (places < start + length) & (uniform(bits) < HOLIDAY_CHANCE)
    away: NDArray[np.bool_] = uniform(draw(seed, "day away", column, days)) < DAY_AWAY_CHANCE
    return away | on_holiday


def standby(seed: int, keys: Keys) -> Floats:
    """What a home takes while nobody is there, as a share of its background."""
    place = uniform(draw(seed, "standby", keys))
    result: Floats = LEAST_STANDBY * (MOST_STANDBY / LEAST_STANDBY) ** place
    return result
