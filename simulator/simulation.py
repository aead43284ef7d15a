"""One simulation: chunks of messages for rising times, from fleet, seed, interval and faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from simulator.devices import Fleet
from simulator.faults import FaultInjector, FaultPlan
from simulator.hashing import Integers
from simulator.load_profiles import DAY_MS
from simulator.measurement import Conditions, MeasurementModel, Readings
from simulator.meter_events import Event, day_events, episode_truths, low_battery_truths
from simulator.meter_logs import LogLine, LogWriter
from simulator.register_faults import REGISTER_KINDS, RegisterFaults
from simulator.serialiser import Serialiser
from simulator.slots import Slots, true_slots
from simulator.solar import solar_of
from simulator.truth import Truth

RUN_EVENTS = {"silent_meter": "COMMUNICATION_LOST", "future_clock": "CLOCK_INVALID"}
CELLS_A_CHUNK = 400_000


@dataclass(frozen=True)
class Outgoing:
    """What is to be sent for some moments.

    keys, values: telemetry in order of sending. logs: lines for the log topic, by time.
    truths: what really happened. until_ms: end of the last interval. slots: true values of those
    that end with it, None where none does.
    """

    keys: list[bytes]
    values: list[bytes]
    logs: list[LogLine] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    until_ms: int = 0
    slots: Slots | None = None


class Simulation:
    """Produces chunks; each call goes on where the last one ended.

    reference_ms: the time at which the stream counts as sent; clocks that run ahead are ahead
    of it. For a live stream leave it at 0: each reading is sent at its own time. solar_share: of
    the meters, how many export what their panels make.
    """

    def __init__(
        self,
        fleet: Fleet,
        seed: int,
        interval_ms: int,
        rates: Mapping[str, float] | None = None,
        reference_ms: int = 0,
        *,
        solar_share: float = 0.0,
    ) -> None:
        self.fleet = fleet
        self.seed = seed
        self.interval_ms = interval_ms
        self.model = MeasurementModel(fleet, seed, interval_ms)
        self.solar = solar_of(fleet, seed, solar_share, self.model.units_a_kwh)
        self.serialiser = Serialiser(fleet.devices)
        self.log_writer = LogWriter(fleet, seed)
        self.plan = FaultPlan(seed, interval_ms, rates or {})
        owners = self.solar.owners if self.solar else None
        self.injector = FaultInjector(self.plan, fleet, reference_ms, owners)
        self.register_faults: RegisterFaults | None = None
        self.conditions: Conditions | None = None
        self.last_end_ms = 0
        self.last_counted = np.empty((len(fleet), 1), dtype=np.int64)
        self.noticed_day = -1
        self.events: deque[tuple[Event, LogLine]] = deque()
        self.episodes: deque[Truth] = deque()

    def days_a_chunk(self) -> int:
        """Days whose readings fit well into memory at once."""
        return max(1, min(28, CELLS_A_CHUNK // (96 * len(self.fleet))))

    def chunk(self, end_ms: Integers) -> Outgoing:
        """Messages of the intervals that end at these moments.

        end_ms: rising, one interval apart, the first one interval after the last chunk's end
        (or anywhere, in the first chunk).
        """
        from_ms = int(end_ms[0]) - self.interval_ms
        is_first = self.last_end_ms != from_ms
        conditions = self.conditions_for(end_ms, from_ms if is_first else None)
        if self.register_faults is None and any(map(self.plan.rates.get, REGISTER_KINDS)):
            self.register_faults = RegisterFaults(self.model, self.plan.rates, from_ms)
        readings = self.measure(conditions, end_ms, from_ms if is_first else None)
        columns, devices = np.nonzero(readings.is_powered.T)
        keys = self.serialiser.keys[devices].tolist()
        values = self.serialiser.values(readings, devices, columns)
        until_ms = int(end_ms[-1])
        slots = true_slots(self.model, from_ms, readings, self.solar)
        chunk = Outgoing(keys, values, until_ms=until_ms, slots=slots)
        if self.plan.rates:
            chunk = self.faulted(chunk, readings, end_ms[columns], devices, columns)
        chunk.logs.extend(self.due_logs(from_ms, until_ms))
        chunk.logs.sort(key=lambda line: line.truth.from_ms)
        chunk.truths.extend(self.due_episodes(from_ms, until_ms, is_first))
        if self.register_faults:
            chunk.truths.extend(self.register_faults.truths(from_ms, until_ms))
        return chunk

    def finish(self) -> Outgoing:
        """Messages that faults held back beyond the last chunk."""
        released = self.injector.release()
        return Outgoing(released.keys, released.values, until_ms=self.last_end_ms)

    def conditions_for(self, end_ms: Integers, before_ms: int | None) -> Conditions:
        """Conditions of the days of the moments, kept while the days stay the same."""
        moments = end_ms if before_ms is None else np.append(before_ms, end_ms)
        days = np.unique(moments // DAY_MS)
        kept = self.conditions
        if kept is None or not np.isin(days, kept.load.days).all():
            kept = self.model.conditions(days)
            self.conditions = kept
            self.notice(kept)
        return kept

    def notice(self, conditions: Conditions) -> None:
        """Queue events and episodes of days not seen before."""
        from_ms = (self.noticed_day + 1) * DAY_MS
        for event in day_events(self.fleet, conditions, self.seed):
            if event.at_ms >= from_ms:
                self.events.append((event, self.log_writer.line(event, conditions)))
        new = [
            truth for truth in episode_truths(self.fleet, conditions) if truth.from_ms >= from_ms
        ]
        self.episodes.extend(new)
        self.noticed_day = int(conditions.load.days[-1])

    def measure(self, conditions: Conditions, end_ms: Integers, before_ms: int | None) -> Readings:
        """Readings of the moments; the register one interval earlier is kept or computed."""
        if before_ms is not None:
            self.last_counted = self.model.counted_units(conditions, np.array([before_ms]))
        counted = self.model.counted_units(conditions, end_ms)
        before = np.concatenate([self.last_counted, counted[:, :-1]], axis=1)
        self.last_counted = counted[:, -1:]
        self.last_end_ms = int(end_ms[-1])
        readings = self.model.readings(conditions, end_ms, counted, before)
        if self.solar:
            bounds_ms = np.append(end_ms[0] - self.interval_ms, end_ms)
            readings = replace(readings, exports=self.solar.exports(bounds_ms))
        return self.register_faults.apply(readings, counted) if self.register_faults else readings

    def faulted(
        self,
        chunk: Outgoing,
        readings: Readings,
        ends_ms: Integers,
        devices: np.ndarray[tuple[int], np.dtype[np.intp]],
        columns: np.ndarray[tuple[int], np.dtype[np.intp]],
    ) -> Outgoing:
        """The chunk after faults, with the log lines of runs that start in it."""
        codes = self.injector.codes(readings.end_ms)[devices, columns]
        result = self.injector.apply(ends_ms, devices, codes, chunk.keys, chunk.values)
        logs = [
            self.run_line(kind, device, end_ms)
            for kind, device, end_ms in result.run_starts
            if kind in RUN_EVENTS
        ]
        return replace(
            chunk, keys=result.keys, values=result.values, logs=logs, truths=result.truths
        )

    def run_line(self, kind: str, device: int, end_ms: int) -> LogLine:
        """The log line at the start of a run of silence or of a clock ahead."""
        if self.conditions is None:
            raise ValueError("a run can only start inside a chunk")
        event = Event(end_ms // 1000 * 1000, device, RUN_EVENTS[kind])
        return self.log_writer.line(event, self.conditions)

    def due_logs(self, from_ms: int, until_ms: int) -> list[LogLine]:
        """Lines of events after from_ms up to until_ms; earlier ones are dropped."""
        due = []
        while self.events and self.events[0][0].at_ms <= until_ms:
            event, line = self.events.popleft()
            if event.at_ms > from_ms:
                due.append(line)
        return due

    def due_episodes(self, from_ms: int, until_ms: int, is_first: bool) -> list[Truth]:
        """Episodes that start in the span, and in the first chunk those that already run."""
        due = []
        while self.episodes and self.episodes[0].from_ms <= until_ms:
            truth = self.episodes.popleft()
            if truth.from_ms > from_ms or (is_first and truth.to_ms > from_ms):
                due.append(truth)
        if is_first:
            due.extend(low_battery_truths(self.fleet, from_ms, until_ms))
        return due
