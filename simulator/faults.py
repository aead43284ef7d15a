"""Designed-in faults: which readings are hit, and what becomes of their messages."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulator.devices import Fleet
from simulator.fault_effects import MESSAGE_EFFECTS, HitReading, Later
from simulator.hashing import Integers, Keys, draw, text_key, uniform
from simulator.measurement import YEAR_MS
from simulator.metering_effects import METERING_EFFECTS
from simulator.register_faults import REGISTER_KINDS
from simulator.truth import Truth
from stack.base.errors import ConfigurationError

# A reading is hit by one kind at most. Some come in runs of several readings; the runs of wrong
# units and multipliers hold a whole local day of half-hours, those of zeros more than one.
RUN_LENGTHS = {
    "silent_meter": 8,
    "future_clock": 6,
    "zero_run": 56,
    "flat_run": 8,
    "wh_as_kwh": 96,
    "multiplier_missed": 96,
}
SINGLE_KINDS = (
    "late",
    "duplicate",
    "corrected",
    "out_of_order",
    "malformed_json",
    "wrong_type",
    "missing_field",
    "negative",
    "spike",
    "stale_revision",
    "overlap",
    "export_sign",
    "estimated_then_actual",
)
READING_KINDS = (*RUN_LENGTHS, *SINGLE_KINDS)
FAULT_KINDS = (*READING_KINDS, *REGISTER_KINDS)
# `all` is older than the faults of the metering itself, most of which no model handles yet.
GROUPS = {"all": tuple(MESSAGE_EFFECTS), "metering": (*METERING_EFFECTS, *REGISTER_KINDS)}
EFFECTS = {**MESSAGE_EFFECTS, **METERING_EFFECTS}


def parse_faults(text: str) -> dict[str, float]:
    """Rates by kind from a text such as late=0.01,duplicate=0.02 or all=0.01,metering=0.01.

    A rate is the share of readings hit, or of REGISTER_KINDS the share of meters. `all` sets the
    kinds that lose or spoil messages, `metering` those of energies, versions and registers; what
    follows them overrides. Raises ConfigurationError for an unknown kind, no number, or a sum
    above 1.
    """
    rates: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        kind, _, number = part.partition("=")
        try:
            rate = float(number)
        except ValueError:
            rate = -1.0
        if kind not in (*FAULT_KINDS, *GROUPS) or not 0.0 <= rate <= 1.0:
            kinds = ", ".join((*GROUPS, *FAULT_KINDS))
            raise ConfigurationError(
                f"kind=rate with a rate from 0 to 1 and one of {kinds}",
                repr(part),
                "write for example --faults late=0.01,duplicate=0.02",
            )
        rates |= dict.fromkeys(GROUPS.get(kind, (kind,)), rate)
    if sum(rates.values()) > 1.0:
        raise ConfigurationError(
            "rates that add up to 1 at most",
            f"{sum(rates.values()):g}",
            "lower the rates of --faults",
        )
    return rates


@dataclass(frozen=True)
class FaultPlan:
    """Decides which reading is hit by which kind, from seed, meter and interval alone."""

    seed: int
    interval_ms: int
    rates: Mapping[str, float]

    def codes(self, keys: Keys, end_ms: Integers) -> NDArray[np.int8]:
        """1 + index into READING_KINDS, or 0; shape (devices, moments)."""
        ticks = end_ms // self.interval_ms
        codes = self.single_codes(keys, ticks)
        for kind in reversed(RUN_LENGTHS):
            if self.rates.get(kind):
                code = 1 + READING_KINDS.index(kind)
                codes = np.where(self.in_run(kind, keys, ticks), code, codes).astype(np.int8)
        return codes

    def single_codes(self, keys: Keys, ticks: Integers) -> NDArray[np.int8]:
        """Codes of the kinds that hit single readings."""
        bounds = np.cumsum([self.rates.get(kind, 0.0) for kind in SINGLE_KINDS])
        place = uniform(draw(self.seed, "fault", keys[:, None], ticks))
        kind = np.searchsorted(bounds, place, side="right")
        return np.where(kind < len(SINGLE_KINDS), kind + 1 + len(RUN_LENGTHS), 0).astype(np.int8)

    def in_run(self, kind: str, keys: Keys, ticks: Integers) -> NDArray[np.bool_]:
        """Whether each reading lies in a run of the kind."""
        runs = (ticks + self.run_offset(kind, keys)[:, None]) // RUN_LENGTHS[kind]
        chosen: NDArray[np.bool_] = (
            uniform(draw(self.seed, kind, keys[:, None], runs)) < self.rates[kind]
        )
        return chosen

    def run_offset(self, kind: str, keys: Keys) -> Integers:
        """Readings by which a meter's runs are moved, so that meters do not fail together."""
        offsets = draw(self.seed, f"{kind} offset", keys) % np.uint64(RUN_LENGTHS[kind])
        return offsets.astype(np.int64)


@dataclass(frozen=True)
class Faulted:
    """Messages after faults: keys and values in order of sending, and what was done.

    run_starts: (kind, device index, end_ms) for the first reading of each run.
    """

    keys: list[bytes]
    values: list[bytes]
    truths: list[Truth] = field(default_factory=list)
    run_starts: list[tuple[str, int, int]] = field(default_factory=list)


class FaultInjector:
    """Applies a plan to messages and holds back those that are to come later.

    exporting: indices of the meters that have an export channel.
    """

    def __init__(
        self,
        plan: FaultPlan,
        fleet: Fleet,
        reference_ms: int = 0,
        exporting: NDArray[np.intp] | None = None,
    ) -> None:
        self.plan = plan
        self.keys = fleet.keys
        self.multipliers = fleet.multiplier.tolist()
        self.mean_kwh = (fleet.annual_kwh * plan.interval_ms / YEAR_MS).tolist()
        self.reference_ms = reference_ms
        # Whom a kind can hit, where that is not everybody.
        exports = np.zeros(len(fleet), dtype=np.bool_)
        exports[[] if exporting is None else exporting] = True
        self.eligible = {"multiplier_missed": fleet.multiplier > 1, "export_sign": exports}
        self.held: list[tuple[int, int, bytes, bytes]] = []
        self.held_count = 0
        self.run_offsets = {
            kind: plan.run_offset(kind, fleet.keys).tolist() for kind in RUN_LENGTHS
        }

    def codes(self, end_ms: Integers) -> NDArray[np.int8]:
        """The plan's codes, without those of kinds that cannot hit a meter."""
        codes = self.plan.codes(self.keys, end_ms)
        for kind, can_be_hit in self.eligible.items():
            codes[(codes == 1 + READING_KINDS.index(kind)) & ~can_be_hit[:, None]] = 0
        return codes

    def apply(
        self,
        ends_ms: Integers,
        devices: NDArray[np.intp],
        codes: NDArray[np.int8],
        keys: Sequence[bytes],
        values: Sequence[bytes],
    ) -> Faulted:
        """Faulted messages of a chunk; all arguments one element a message, in time order.

        Held messages that fall due by the end of the chunk are put in their places.
        """
        now: list[bytes | None] = list(values)
        faulted = Faulted([], [])
        for index in np.flatnonzero(codes).tolist():
            kind = READING_KINDS[int(codes[index]) - 1]
            hit = self.hit(kind, int(devices[index]), int(ends_ms[index]), values[index])
            now[index], later, truth = EFFECTS[kind](hit)
            faulted.truths.append(truth)
            self.hold(later, keys[index])
            if kind in RUN_LENGTHS and hit.run_place == 0:
                faulted.run_starts.append((kind, int(devices[index]), hit.end_ms))
        self.merge(ends_ms, keys, now, faulted)
        return faulted

    def hit(self, kind: str, device: int, end_ms: int, value: bytes) -> HitReading:
        """One reading to be hit, with random bits of its own."""
        interval_ms, seed = self.plan.interval_ms, self.plan.seed
        place = self.run_place(kind, device, end_ms)
        run_start_ms = end_ms - place * interval_ms
        name = f"{seed} {kind} {self.keys[device]}"
        return HitReading(
            value=value,
            end_ms=end_ms,
            interval_ms=interval_ms,
            bits=text_key(f"{name} reading {end_ms}"),
            run_bits=text_key(f"{name} run {run_start_ms}"),
            run_place=place,
            behind_ms=max(0, self.reference_ms - run_start_ms),
            mean_kwh=self.mean_kwh[device],
            multiplier=self.multipliers[device],
        )

    def run_place(self, kind: str, device: int, end_ms: int) -> int:
        """Place of a reading in its run, from 0; 0 for kinds without runs."""
        if kind not in RUN_LENGTHS:
            return 0
        tick = end_ms // self.plan.interval_ms
        return int((tick + self.run_offsets[kind][device]) % RUN_LENGTHS[kind])

    def hold(self, later: Sequence[Later], key: bytes) -> None:
        """Keep messages until they fall due."""
        for due_ms, value in later:
            heapq.heappush(self.held, (due_ms, self.held_count, key, value))
            self.held_count += 1

    def merge(
        self,
        ends_ms: Integers,
        keys: Sequence[bytes],
        now: Sequence[bytes | None],
        faulted: Faulted,
    ) -> None:
        """Fill `faulted` with what is sent now and what fell due, in order."""
        start = 0
        while self.held and self.held[0][0] <= int(ends_ms[-1]):
            due_ms, _, key, value = heapq.heappop(self.held)
            stop = int(np.searchsorted(ends_ms, due_ms, side="right"))
            append_present(faulted, keys[start:stop], now[start:stop])
            append_present(faulted, [key], [value])
            start = stop
        append_present(faulted, keys[start:], now[start:])

    def release(self) -> Faulted:
        """Everything still held, in the order it would have fallen due."""
        held = [heapq.heappop(self.held) for _ in range(len(self.held))]
        return Faulted([entry[2] for entry in held], [entry[3] for entry in held])


def append_present(faulted: Faulted, keys: Sequence[bytes], values: Sequence[bytes | None]) -> None:
    """Append the messages that have a value."""
    for key, value in zip(keys, values, strict=True):
        if value is not None:
            faulted.keys.append(key)
            faulted.values.append(value)
