"""Master data of an invented fleet: each customer and meter from the seed and its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from faker import Faker

FIRST_CUSTOMER = 8000
FIRST_DEVICE = 10000
FIRST_TRANSFORMER = 1000
DEVICES_A_TRANSFORMER = 5
TRADE_SHARE = 0.2
CT_SHARE_OF_TRADE = 0.2
TARIFFS = {"household": ("H-STD", "H-TOU"), "trade": ("G-STD", "G-TOU")}
SERVICES_KW = {"household": (13.8, 18.4, 23.0), "trade": (27.6, 41.4, 69.0)}
# Invented makers and models.
MODELS = (("Nordwerk", "NW-200"), ("Nordwerk", "NW-310"), ("Calder Metering", "CM-1"))
FIRMWARES = ("2.8.1", "3.0.4", "3.1.0")
FIRST_INSTALLATION = datetime(2017, 1, 1, 6, tzinfo=UTC)
INSTALLATION_DAYS = 2800
# The area of supply: a box in degrees, and how far a meter lies from its transformer.
SOUTH_WEST = (52.30, -2.10)
BOX_DEGREES = (0.60, 1.00)
NEIGHBOUR_DEGREES = 0.004


@dataclass(frozen=True)
class Customer:
    """A row of customer_master, columns of the same names."""

    customer_id: str
    customer_name: str
    first_name: str
    last_name: str
    company_name: str | None
    customer_class: str
    tariff_code: str
    street: str
    postcode: str
    city: str
    country_code: str
    email: str
    phone: str


@dataclass(frozen=True)
class Meter:
    """A row of device_master, columns of the same names."""

    device_id: str
    customer_id: str
    model: str
    manufacturer: str
    firmware_version: str
    transformer_id: str
    time_zone: str
    meter_multiplier: int
    nominal_voltage_v: int
    service_size_kw: float
    interval_minutes: int
    register_digits: int
    latitude: float
    longitude: float
    installed_at: datetime


@dataclass(frozen=True)
class FleetPlan:
    """What defines a fleet: the same plan gives the same rows."""

    seed: int
    devices: int
    customers: int
    time_zone: str

    def customer_number(self, device_index: int) -> int:
        """Index of a device's customer: devices spread over customers in order.

        With twice as many devices as customers each has two; 7 of 3 gives 3, 2 and 2.
        """
        return device_index * self.customers // self.devices


def dice(seed: int, purpose: str, number: int) -> Random:
    """Random numbers of one row, which no other row touches."""
    return Random(f"{seed} {purpose} {number}")  # noqa: S311


def customer_class(seed: int, number: int) -> str:
    """Class of a customer: one of five is in trade."""
    is_trade = dice(seed, "class", number).random() < TRADE_SHARE
    return "trade" if is_trade else "household"


def customers(plan: FleetPlan) -> Iterator[Customer]:
    """The customers of a plan; a customer does not depend on how many there are."""
    faker = Faker("en_GB")
    for number in range(plan.customers):
        yield customer(faker, plan.seed, number)


def customer(faker: Faker, seed: int, number: int) -> Customer:
    """One customer. The phone numbers are of the range that Ofcom keeps for fiction."""
    faker.seed_instance(f"{seed} customer {number}")
    kind = customer_class(seed, number)
    first_name, last_name = faker.first_name(), faker.last_name()
    company_name = faker.company() if kind == "trade" else None
    customer_id = f"CUST-{FIRST_CUSTOMER + number}"
    return Customer(
        customer_id=customer_id,
        customer_name=company_name or f"{first_name} {last_name}",
        first_name=first_name,
        last_name=last_name,
        company_name=company_name,
        customer_class=kind,
        tariff_code=dice(seed, "tariff", number).choice(TARIFFS[kind]),
        street=f"{faker.building_number()} {faker.street_name()}",
        postcode=faker.postcode(),
        city=faker.city(),
        country_code="GB",
        email=f"{customer_id.lower()}@example.org",
        phone=f"+44 1632 960{number % 1000:03d}",
    )


def meters(plan: FleetPlan) -> Iterator[Meter]:
    """The meters of a plan; only a meter's customer depends on how many there are."""
    for index in range(plan.devices):
        yield meter(plan, index)


def meter(plan: FleetPlan, index: int) -> Meter:
    """One meter."""
    rolls = dice(plan.seed, "meter", index)
    owner = plan.customer_number(index)
    kind = customer_class(plan.seed, owner)
    manufacturer, model = rolls.choice(MODELS)
    transformer = index // DEVICES_A_TRANSFORMER
    latitude, longitude = place(plan.seed, transformer, rolls)
    installed_days = rolls.randrange(INSTALLATION_DAYS)
    has_transformers = kind == "trade" and rolls.random() < CT_SHARE_OF_TRADE
    return Meter(
        device_id=f"MTR-{FIRST_DEVICE + index}",
        customer_id=f"CUST-{FIRST_CUSTOMER + owner}",
        model=model,
        manufacturer=manufacturer,
        firmware_version=rolls.choice(FIRMWARES),
        transformer_id=f"TRF-{FIRST_TRANSFORMER + transformer}",
        time_zone=plan.time_zone,
        meter_multiplier=20 if has_transformers else 1,
        nominal_voltage_v=230,
        service_size_kw=rolls.choice(SERVICES_KW[kind]),
        interval_minutes=30,
        register_digits=5 if model == "NW-200" else 6,
        latitude=latitude,
        longitude=longitude,
        installed_at=FIRST_INSTALLATION + timedelta(days=installed_days),
    )


def place(seed: int, transformer: int, rolls: Random) -> tuple[float, float]:
    """Degrees north and east of a meter near its transformer."""
    site = dice(seed, "transformer", transformer)
    degrees = [
        corner + size * site.random() + rolls.uniform(-1, 1) * NEIGHBOUR_DEGREES
        for corner, size in zip(SOUTH_WEST, BOX_DEGREES, strict=True)
    ]
    return round(degrees[0], 5), round(degrees[1], 5)
