"""Meters of a test's own and what they said: the ledger from which the marts can be made again."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from stack.base.settings import Settings
from stack.clients.kafka import client_options
from tests.browser.master_data import insertion, run
from tests.integration.lakehouse import TOPIC, reading
from tests.postgres import admin_connection

LOGS_TOPIC = "meter_logs"
ACKNOWLEDGE_SECONDS = 120
ZONES = ("UTC", "Europe/London", "Australia/Sydney", "America/New_York", "Asia/Kolkata")
DAYS = 12
# Seconds that a reading says it measured: half an hour, more, three days, and none.
LENGTHS = (1800, 1800, 10_800, 86_400, 259_200.5, 0, -900)
# How a value came about; an estimate that comes after the actual value must not replace it.
QUALITIES = ("A", "E", "E", "estimated", "S", "F", "Final substitute", "EDITED", "N", "odd", None)
# Eight readings a day: the mean of a week's shares is then exact to the digits that marts keep.
HOURS = range(0, 24, 3)
# A register of four digits that goes on from zero after a few days, at 0.5 an hour.
REGISTER_DIGITS, REGISTER_MODULUS_KWH, FIRST_REGISTER_KWH = 4, 10_000, 9950.0
MULTIPLIERS = (1, 1, 20)
FAULTS = (
    "POWER_FAILURE",
    "POWER_RETURNED",
    "TERMINAL_COVER_REMOVED",
    "COMMUNICATION_LOST",
    "BATTERY_VOLTAGE_LOW",
    "FIRMWARE_UPDATED",
)
# Each table of the rebuild that holds master data, and how it is asked for, of some meters.
PLACES = "select service_point_id from meter_installation where device_id = any(%(devices)s)"
MASTER_DATA = {
    "meter": "select device_id, customer_id, nominal_voltage_v, service_size_kw, interval_minutes, "
    "meter_multiplier, register_digits, time_zone, installed_at from device_master "
    "where device_id = any(%(devices)s)",
    "stay": "select device_id, service_point_id, interval_minutes, installed_at, removed_at "
    "from meter_installation where device_id = any(%(devices)s)",
    "place": "select service_point_id, time_zone, valid_from from service_point "
    f"where service_point_id in ({PLACES})",
    "contract": "select service_point_id, customer_id, start_date, end_date from agreement "
    f"where service_point_id in ({PLACES})",
}

Key = tuple[bytes | None, bytes | None]
Rows = dict[str, list[tuple[Any, ...]]]
Statement = tuple[str, list[Any]]


@dataclass(frozen=True)
class Event:
    """What a meter's log line says. at: None for a line without a time."""

    device_id: str
    event_type: str
    at: datetime | None

    def line(self) -> bytes:
        """The line as a meter writes it."""
        stamp = f"{self.at:%Y-%m-%dT%H:%M:%SZ} " if self.at else ""
        return f"{stamp}ERROR {self.device_id} {self.event_type} reported".encode()


@dataclass
class Ledger:
    """What the broker acknowledged.

    readings: partition, offset, Kafka's time in ms and text of each message; events: each event
    and Kafka's time in ms.
    """

    readings: list[tuple[int, int, int, str | None]] = field(default_factory=list)
    events: list[tuple[Event, int]] = field(default_factory=list)
    failed: list[KafkaError] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note_reading(self, error: KafkaError | None, message: Message) -> None:
        """A delivery report of a telemetry message."""
        value = message.value()
        place = int(message.partition() or 0), int(message.offset() or 0)
        entry = (*place, message.timestamp()[1], value.decode() if value is not None else None)
        self._note(error, lambda: self.readings.append(entry))

    def note_event(self, event: Event) -> Callable[[KafkaError | None, Message], None]:
        """What hears the delivery report of an event's line."""
        return lambda error, message: self._note(
            error, lambda: self.events.append((event, message.timestamp()[1]))
        )

    def _note(self, error: KafkaError | None, keep: Callable[[], None]) -> None:
        with self.lock:
            if error:
                self.failed.append(error)
            else:
                keep()


def dated(
    table: str,
    names: tuple[str, str, str],
    key: str,
    moment: datetime,
    pause: timedelta = timedelta(),
    **changes: Any,
) -> list[Statement]:
    """End the row of a dated table that holds at a moment; go on with other values after a pause.

    names: of its key, first and last moment. Rows that begin later are gone.
    """
    name, begin, end = names
    changed = f"jsonb_populate_record({table}, %s::jsonb)"
    return [
        (
            f"delete from {table} where {name} = %s and {begin} >= %s and {begin} > (select "
            f"min({begin}) from {table} where {name} = %s)",
            [key, moment, key],
        ),
        (
            f"update {table} set {end} = %s where {name} = %s and {begin} < %s "
            f"and coalesce({end}, 'infinity') > %s",
            [moment, key, moment, moment],
        ),
        (
            f"insert into {table} select ({changed}).* from {table} "
            f"where {name} = %s and {end} = %s",
            [json.dumps({begin: f"{moment + pause}", end: None} | changes), key, moment],
        ),
    ]


class Meters:
    """Some meters of two customers, registered for good; they say what a seed makes them say."""

    def __init__(self, settings: Settings, seed: int, count: int = 5) -> None:
        self.numbers = random.Random(seed)
        self.ledger = Ledger()
        number = 900_000_000 + uuid.uuid4().int % 80_000_000
        self.customers = [f"CUST-{number + each}" for each in range(2)]
        self.devices = [f"MTR-{number + each}" for each in range(count)]
        self._settings = settings
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._producer = Producer(client_options(settings) | {"enable.idempotence": True})
        self._sent: list[dict[str, Any]] = []
        for customer in self.customers:
            run(settings, *insertion("customer_master", customer_id=customer))
        for each, device in enumerate(self.devices):
            run(
                settings,
                *insertion(
                    "device_master",
                    device_id=device,
                    customer_id=self.customers[each % len(self.customers)],
                    time_zone=ZONES[each % len(ZONES)],
                    register_digits=str(REGISTER_DIGITS),
                    meter_multiplier=str(MULTIPLIERS[each % len(MULTIPLIERS)]),
                ),
            )

    def master_data(self) -> Rows:
        """The master data of the meters, by table of the rebuild."""
        found = {}
        with (
            closing(admin_connection(self._settings, "meterhouse")) as connection,
            connection.cursor() as cursor,
        ):
            for table, statement in MASTER_DATA.items():
                cursor.execute(statement, {"devices": self.devices})
                found[table] = list(cursor.fetchall())
        return found

    def move(self) -> str:
        """Change the dated master data of a meter, some days back; what was changed."""
        dice = self.numbers
        device = dice.choice(self.devices)
        kind = dice.choice(["customers", "zone", "stay"])
        moment = self._now - timedelta(minutes=dice.randrange(DAYS * 24 * 60))
        statements = {
            "customers": lambda: self._other_customers(device),
            "zone": lambda: dated(
                "service_point",
                ("service_point_id", "valid_from", "valid_to"),
                device,
                moment,
                time_zone=dice.choice(ZONES),
            ),
            "stay": lambda: dated(
                "meter_installation",
                ("device_id", "installed_at", "removed_at"),
                device,
                moment,
                pause=timedelta(hours=dice.choice([0, 0, 30])),
                interval_minutes=dice.choice([15, 30, 60]),
                service_point_id=dice.choice([device, device, *self.devices]),
            ),
        }[kind]()
        with (
            closing(admin_connection(self._settings, "meterhouse")) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            for statement, values in statements:
                cursor.execute(statement, values)
        return f"{kind} of {device}"

    def _other_customers(self, place: str) -> list[Statement]:
        """Other agreements at a place: some of its days with one customer, with another, nobody."""
        dice = self.numbers
        today = self._now.date()
        days = sorted(dice.sample(range(DAYS), 3), reverse=True)
        borders = [today - timedelta(days=day) for day in days]
        spans = [(date(2020, 1, 1), borders[0]), *pairwise(borders), (borders[-1], None)]
        statements: list[Statement] = [
            ("delete from agreement where service_point_id = %s", [place])
        ]
        for first, after in spans:
            customer = dice.choice([*self.customers, None])
            if customer:
                statements.append(
                    (
                        "insert into agreement (service_point_id, customer_id, tariff_code, "
                        "start_date, end_date) values (%s, %s, 'T', %s, %s)",
                        [place, customer, first, after],
                    )
                )
        return statements

    def speak(self, count: int) -> None:
        """Send so many messages and a few log lines; all are acknowledged when this returns."""
        for _ in range(count):
            key, value = self._message()
            self._producer.produce(TOPIC, value, key, on_delivery=self.ledger.note_reading)
            self._producer.poll(0)
        for _ in range(max(1, count // 20)):
            event = self._event()
            self._producer.produce(
                LOGS_TOPIC,
                event.line(),
                event.device_id.encode(),
                on_delivery=self.ledger.note_event(event),
            )
        left = self._producer.flush(ACKNOWLEDGE_SECONDS)
        assert not left, f"{left} messages were not acknowledged in {ACKNOWLEDGE_SECONDS} s"
        assert not self.ledger.failed, self.ledger.failed

    def _event(self) -> Event:
        """Something happened, by a clock that is mostly right; some lines have no time."""
        dice = self.numbers
        hours = dice.choice([1, 30, 24 * 20, 24 * 35, 24 * 50, -48])
        at = self._now - timedelta(hours=hours, seconds=dice.randrange(3600))
        is_timed = dice.random() < 0.8
        return Event(dice.choice(self.devices), dice.choice(FAULTS), at if is_timed else None)

    def _message(self) -> Key:
        """A new reading, an old one again or corrected, or something that must not count."""
        dice = self.numbers
        kind = dice.random()
        if kind < 0.15 and self._sent:
            message = dice.choice(self._sent)
            if kind < 0.08:
                metrics = message["metrics"] | {"energy_kwh": dice.randrange(2000) / 1000}
                if kind < 0.03:
                    metrics["interval_s"] = dice.choice(LENGTHS)
                message = message | {"metrics": metrics} | self._version()
        else:
            message = self._reading()
        self._sent.append(message)
        key, text = message["device_id"].encode(), json.dumps(message).encode()
        if kind > 0.97:
            return key, dice.choice([None, text[: dice.randrange(1, len(text))], b"[1, 2]"])
        return key, text

    def _version(self) -> dict[str, Any]:
        """A quality or a revision, both or none."""
        dice = self.numbers
        fields: dict[str, Any] = {}
        if dice.random() < 0.5:
            fields["quality"] = dice.choice(QUALITIES)
        if dice.random() < 0.5:
            fields["revision"] = dice.randrange(4)
        return fields

    def _register_kwh(self, at: datetime) -> float:
        """What the dial shows at a time; now and then less."""
        hours = (at - self._now) / timedelta(hours=1) + 24 * DAYS
        counted = FIRST_REGISTER_KWH + hours / 2 - self.numbers.choice([0] * 19 + [7])
        return round(counted % REGISTER_MODULUS_KWH, 3)

    def _reading(self) -> dict[str, Any]:
        """A reading of the last days; one in ten has a wrong field, mostly a side field."""
        dice = self.numbers
        device = dice.choice(self.devices)
        at = self._now - timedelta(days=dice.randrange(DAYS))
        at = at.replace(hour=dice.choice(HOURS), minute=0, second=0)
        changes: dict[str, Any] = {
            "energy_kwh": dice.randrange(2000) / 1000,
            "voltage": dice.randrange(2200, 2400) / 10,
            "battery_pct": dice.randrange(10, 100),
            "status": dice.choice(["OK"] * 9 + ["WARN_LOW_BATTERY", " warn_tamper "]),
            "customer_id": dice.choice([*self.customers, self.customers[0]]),
        }
        if dice.random() < 0.8:
            changes["register_kwh"] = self._register_kwh(at)
        if dice.random() < 0.3:
            changes["interval_s"] = dice.choice(LENGTHS)
        if dice.random() < 0.3:
            changes |= self._version()
        odd: Sequence[dict[str, Any]] = [
            {"voltage": 3.0},
            {"voltage": "230"},
            {"voltage": None},
            {"battery_pct": 101},
            {"battery_pct": "full"},
            {"energy_kwh": 1e9},
            {"energy_kwh": "0.5"},
            {"energy_kwh": -0.5},
            {"status": None},
            {"status": True},
            {"customer_id": None},
            {"interval_s": "1800"},
            {"revision": "two"},
        ]
        if dice.random() < 0.1:
            changes |= dice.choice(odd)
        elif dice.random() < 0.05:
            # A month ahead, a quarter late, a quarter of a century late.
            at += timedelta(days=dice.choice([30, -90, -9000]))
        return reading(device, f"{at:%Y-%m-%dT%H:%M:%SZ}", **changes)
