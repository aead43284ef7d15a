"""What the meters measure at the end of each interval: energy, register, voltage, battery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.devices import Fleet, first_register_units
from simulator.episodes import (
    OVER_VOLTAGE,
    TAMPER,
    UNDER_VOLTAGE,
    Windows,
    draw_windows,
)
from simulator.hashing import Floats, Integers, bell, draw, uniform
from simulator.load import QUARTER_MS, DayLoad, LoadModel
from simulator.load_profiles import DAY_MS
from simulator.solar import Exports

YEAR_MS = 365.25 * DAY_MS
HOUR_MS = 3_600_000
FINE_BELOW_MS = 60_000

# Rising urgency: where several hold, the last one is shown.
STATUSES = ("OK", "WARN_LOW_BATTERY", "WARN_UNDER_VOLTAGE", "WARN_OVER_VOLTAGE", "WARN_TAMPER")
LOW_BATTERY_PCT = 20
REPLACED_AFTER_DAYS = 150
UNDER_VOLTAGE_LIMIT = 0.90  # of nominal; EN 50160
OVER_VOLTAGE_LIMIT = 1.10


@dataclass(frozen=True)
class Readings:
    """Readings of a fleet, all arrays of shape (devices, moments) unless said otherwise.

    end_ms: shape (moments,), end of the measured intervals. units_a_kwh: 1,000 or 1,000,000.
    energy_units, register_units: in 1/units_a_kwh kWh. voltage_tenths: tenths of a volt.
    status: index into STATUSES. is_powered: False where the meter is without power and silent.
    exports: of meters with panels, None where none has.
    """

    end_ms: Integers
    interval_ms: int
    units_a_kwh: int
    energy_units: Integers
    register_units: Integers
    voltage_tenths: Integers
    battery_pct: Integers
    status: Integers
    is_powered: NDArray[np.bool_]
    exports: Exports | None = None


@dataclass(frozen=True)
class Conditions:
    """Load and episodes of some UTC days."""

    load: DayLoad
    under_voltage: Windows
    over_voltage: Windows
    tamper: Windows


def units_a_kwh(interval_ms: int) -> int:
    """Resolution of energy: watt hours, or thousandths of one for intervals below a minute."""
    return 1_000_000 if interval_ms < FINE_BELOW_MS else 1_000


class MeasurementModel:
    """Readings of a fleet under a seed, at any moments of any day since 2010."""

    def __init__(self, fleet: Fleet, seed: int, interval_ms: int) -> None:
        self.fleet = fleet
        self.seed = seed
        self.interval_ms = interval_ms
        self.units_a_kwh = units_a_kwh(interval_ms)
        self.load_model = LoadModel(fleet, seed)
        self.first_register = first_register_units(fleet, self.units_a_kwh, seed)
        # Volts lost at full service, as a share of nominal: 5 to 12 percent.
        self.sag = 0.05 + 0.07 * uniform(draw(seed, "sag", fleet.keys))

    def conditions(self, days: Integers) -> Conditions:
        """What holds on UTC days (days since 1970, rising)."""
        return Conditions(
            self.load_model.day_load(days),
            draw_windows(UNDER_VOLTAGE, self.fleet, days, self.seed),
            draw_windows(OVER_VOLTAGE, self.fleet, days, self.seed),
            draw_windows(TAMPER, self.fleet, days, self.seed),
        )

    def counted_units(self, conditions: Conditions, at_ms: Integers) -> Integers:
        """Register units counted since the anchor, without roll-over; (devices, moments)."""
        kwh = self.load_model.cumulative_kwh(conditions.load, at_ms)
        kwh *= (self.units_a_kwh / self.fleet.multiplier)[:, None]
        return np.floor(kwh).astype(np.int64)

    def readings(
        self, conditions: Conditions, end_ms: Integers, counted: Integers, before: Integers
    ) -> Readings:
        """Readings of the intervals that end at `end_ms`.

        counted: counted_units at end_ms; before: the same one interval earlier.
        """
        positions = np.searchsorted(conditions.load.days, end_ms // DAY_MS)
        multiplier = self.fleet.multiplier[:, None]
        energy_units = (counted - before) * multiplier
        power_kw = energy_units.astype(np.float64) * (HOUR_MS / self.interval_ms / self.units_a_kwh)
        voltage_v = self.voltage_v(conditions, positions, end_ms, power_kw)
        battery_pct = self.battery_pct(end_ms)
        tampered = conditions.tamper.active_at(positions, end_ms)
        span = (10**self.fleet.register_digits * self.units_a_kwh)[:, None]
        return Readings(
            end_ms=end_ms,
            interval_ms=self.interval_ms,
            units_a_kwh=self.units_a_kwh,
            energy_units=energy_units,
            register_units=(self.first_register[:, None] + counted) % span,
            voltage_tenths=np.rint(voltage_v * 10).astype(np.int64),
            battery_pct=battery_pct,
            status=self.status(voltage_v, battery_pct, tampered),
            is_powered=~conditions.load.outages.active_at(positions, end_ms),
        )

    def voltage_v(
        self,
        conditions: Conditions,
        positions: NDArray[np.intp],
        at_ms: Integers,
        power_kw: Floats,
    ) -> Floats:
        """Volts at each moment: swings of the transformer, sag with load, odd episodes."""
        quarters = at_ms // QUARTER_MS
        swing = bell(draw(self.seed, "swing", self.fleet.transformer_keys[:, None], quarters))
        jitter = bell(draw(self.seed, "jitter", self.fleet.keys[:, None], at_ms))
        ratio = 1.01 + 0.012 * swing + 0.004 * jitter
        ratio -= (self.sag / self.fleet.service_size_kw)[:, None] * power_kw
        under = conditions.under_voltage.active_at(positions, at_ms)
        over = conditions.over_voltage.active_at(positions, at_ms)
        # An episode starts and ends with its voltage: its depth stays within the limit.
        ratio = np.where(under, np.minimum(ratio - 0.13, UNDER_VOLTAGE_LIMIT - 0.01), ratio)
        ratio = np.where(over, np.maximum(ratio + 0.11, OVER_VOLTAGE_LIMIT + 0.01), ratio)
        result: Floats = ratio * self.fleet.nominal_voltage_v[:, None]
        return result

    def battery_pct(self, at_ms: Integers) -> Integers:
        """Charge in whole percent; shape (devices, moments)."""
        rate = self.fleet.battery_pct_a_year[:, None]
        return battery_charge(rate, at_ms - self.fleet.installed_ms[:, None])

    def status(
        self, voltage_v: Floats, battery_pct: Integers, tampered: NDArray[np.bool_]
    ) -> Integers:
        """Index into STATUSES of each reading."""
        ratio = voltage_v / self.fleet.nominal_voltage_v[:, None]
        status = np.where(battery_pct < LOW_BATTERY_PCT, 1, 0)
        status = np.where(ratio < UNDER_VOLTAGE_LIMIT, 2, status)
        status = np.where(ratio > OVER_VOLTAGE_LIMIT, 3, status)
        return np.where(tampered, 4, status)


def battery_life_years(pct_a_year: Floats) -> Floats:
    """Years until someone replaces a battery: 150 days after it fell below 20 %."""
    result: Floats = (100 - LOW_BATTERY_PCT) / pct_a_year + REPLACED_AFTER_DAYS / 365.25
    return result


def battery_charge(pct_a_year: Floats, age_ms: Integers) -> Integers:
    """Charge in whole percent of a battery that ages evenly and is replaced when empty.

    age_ms: since the meter was installed.
    """
    age_years = np.maximum(age_ms, 0) / YEAR_MS % battery_life_years(pct_a_year)
    return np.floor(100.0 - age_years * pct_a_year).astype(np.int64)
