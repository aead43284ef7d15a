"""Meters whose master data Trino cannot evaluate are named, a few of them."""

from __future__ import annotations

from stack.provision.master_data import warning


def test_a_few_meters_are_named_and_the_others_counted() -> None:
    meters = [f"MTR-1000{number}: time_zone Etc/Zulu" for number in range(7)]
    text = warning(meters)
    assert meters[4] in text
    assert meters[5] not in text
    assert "and 2 more. " in text
    assert "bin/stack replay" in text


def test_one_meter_is_named_alone() -> None:
    assert ": MTR-1: service_size_kw NaN. " in warning(["MTR-1: service_size_kw NaN"])
