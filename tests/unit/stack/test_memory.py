"""Heaps that are too small, or written as only one program reads them, are refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stack.base.root import PROJECT_ROOT
from stack.base.settings import load_settings
from stack.modes import doctor
from stack.programs import memory

SETTINGS = load_settings({"RUN_MODE": "native"})


@pytest.mark.parametrize(
    ("text", "size"),
    [("512m", 536_870_912), ("3G", 3_221_225_472), ("1048576", 1_048_576), ("2k", 2048)]
    + [(text, 0) for text in ("3GB", "1.5g", "", "many", "-1g", "1 g")],
)
def test_a_size_is_read_as_java_and_docker_both_do(text: str, size: int) -> None:
    assert memory.size(text) == size


@pytest.mark.parametrize(
    ("name", "text", "least"),
    [
        ("trino_heap", "1023m", "1024m"),
        ("trino_heap", "3GB", "1024m"),
        ("kafka_heap", "100m", "256m"),
    ],
)
def test_a_heap_too_small_is_told_with_the_least(name: str, text: str, least: str) -> None:
    heaps: dict[str, Any] = {name: text}
    ((found, shown, fix),) = memory.too_small(replace(SETTINGS, **heaps))
    assert (found, shown) == (name.upper(), text)
    assert fix.startswith(f"set {found} in .env to {least} or more")


@pytest.mark.parametrize("heap", ["1g", "1500m", "3G"])
def test_a_heap_that_works_is_accepted(heap: str) -> None:
    assert list(memory.too_small(replace(SETTINGS, trino_heap=heap))) == []


def test_a_container_needs_room_around_the_heap() -> None:
    small = replace(SETTINGS, run_mode="compose", trino_memory="1400m", trino_heap="1m")
    assert [name for name, *_ in memory.too_small(small)] == ["TRINO_MEMORY"]
    share = (PROJECT_ROOT / "trino/etc/jvm.config").read_text()
    assert f"-XX:MaxRAMPercentage={memory.TRINO_SHARE * 100:.0f}\n" in share


def test_a_smaller_heap_needs_a_smaller_machine() -> None:
    """What doctor advises makes its own check pass: 3.2 and 0.5 GB of heaps, then 1.6 and 0.5."""
    assert memory.needed_gb(SETTINGS) == pytest.approx(5.96, abs=0.01)
    smaller = memory.needed_gb(replace(SETTINGS, trino_heap="1500m"))
    assert smaller == pytest.approx(4.31, abs=0.01)
    assert doctor.memory(1e9).fix.startswith("use a machine with")


def test_no_limit_of_trino_is_fixed_beside_its_heap() -> None:
    config = (PROJECT_ROOT / "trino/etc/config.properties").read_text()
    limits = [line for line in config.splitlines() if "memory" in line and not line.startswith("#")]
    assert all(line.endswith("%") or float(line.split("=")[1]) < 1 for line in limits)
