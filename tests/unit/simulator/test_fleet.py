"""The invented fleet: numbers, spread, and rows that do not depend on its size."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from simulator.fleet import FleetPlan, customers, meters

PLAN = FleetPlan(seed=8831, devices=10, customers=5, time_zone="UTC")


def test_the_default_fleet_has_the_promised_numbers() -> None:
    owners = {meter.device_id: meter.customer_id for meter in meters(PLAN)}
    assert owners == {
        "MTR-10000": "CUST-8000",
        "MTR-10001": "CUST-8000",
        "MTR-10002": "CUST-8001",
        "MTR-10003": "CUST-8001",
        "MTR-10004": "CUST-8002",
        "MTR-10005": "CUST-8002",
        "MTR-10006": "CUST-8003",
        "MTR-10007": "CUST-8003",
        "MTR-10008": "CUST-8004",
        "MTR-10009": "CUST-8004",
    }
    assert [customer.customer_id for customer in customers(PLAN)] == [
        f"CUST-{number}" for number in range(8000, 8005)
    ]


@pytest.mark.parametrize(
    ("devices", "owners", "spread"),
    [
        (7, 3, [3, 2, 2]),
        (10_000, 5_000, [2] * 5_000),
        (3, 5, [1, 1, 0, 1, 0]),
        (1, 1, [1]),
        (11, 4, [3, 3, 3, 2]),
    ],
)
def test_devices_spread_over_customers_in_order(
    devices: int, owners: int, spread: list[int]
) -> None:
    plan = replace(PLAN, devices=devices, customers=owners)
    numbers = [plan.customer_number(index) for index in range(devices)]
    counts = Counter(numbers)
    assert numbers == sorted(numbers)
    assert [counts[number] for number in range(owners)] == spread


def test_rows_do_not_depend_on_the_size_of_the_fleet() -> None:
    large = replace(PLAN, devices=40, customers=20)
    assert list(meters(large))[:10] == list(meters(PLAN))
    assert list(customers(large))[:5] == list(customers(PLAN))


def test_another_seed_gives_other_people() -> None:
    names = {customer.customer_name for customer in customers(PLAN)}
    others = {customer.customer_name for customer in customers(replace(PLAN, seed=1))}
    assert not names & others


def test_rows_keep_the_rules_of_the_tables() -> None:
    plan = replace(PLAN, devices=200, customers=100)
    for customer in customers(plan):
        assert (customer.company_name is not None) == (customer.customer_class == "trade")
        assert re.fullmatch(r"\+44 1632 960\d{3}", customer.phone)
        assert customer.email.endswith("@example.org")
        assert re.fullmatch(r"[A-Z0-9-]+", customer.tariff_code)
    for meter in meters(plan):
        assert re.fullmatch(r"TRF-1\d{3}", meter.transformer_id)
        assert 52 < meter.latitude < 53.1
        assert -2.2 < meter.longitude < -1
        assert meter.time_zone == "UTC"
        assert meter.service_size_kw >= 13.8


def test_both_customer_classes_come() -> None:
    classes = Counter(c.customer_class for c in customers(replace(PLAN, customers=400)))
    # One in five: 80 expected, standard deviation 8.
    assert abs(classes["trade"] - 80) < 40
    assert classes["trade"] + classes["household"] == 400


def test_five_meters_share_a_transformer() -> None:
    counts = Counter(meter.transformer_id for meter in meters(PLAN))
    assert counts == {"TRF-1000": 5, "TRF-1001": 5}
