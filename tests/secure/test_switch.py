"""From secure to plain and back, by setup alone: the data stays, and each way works."""

from __future__ import annotations

import os
import subprocess
import time

import requests

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings, load_settings
from stack.clients import trino

SETUP_SECONDS = 300
LAND_SECONDS = 60


def setup(word: str) -> str:
    """Run setup with one word; what it printed."""
    result = subprocess.run(
        [str(PROJECT_ROOT / "initial-setup.sh"), word],
        env={name: text for name, text in os.environ.items() if name != "SECURE"},
        capture_output=True,
        text=True,
        timeout=SETUP_SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def landed(settings: Settings) -> int:
    """Rows of landing."""
    return int(
        trino.client(settings).rows("select count(*) from iceberg.landing.telemetry_raw")[0][0]
    )


def days(settings: Settings) -> list[list[object]]:
    """What the marts hold."""
    return trino.client(settings).rows(
        "select device_id, reading_date, total_energy_kwh from iceberg.marts.device_daily_metrics "
        "order by 1, 2",
    )


def send_and_land(settings: Settings) -> None:
    """Send live readings with the simulator and wait until they have landed."""
    before = landed(settings)
    subprocess.run(
        ["python3", "simulator/telemetry_simulator.py", "--duration", "1", "--quiet"],
        cwd=PROJECT_ROOT,
        timeout=60,
        check=True,
        capture_output=True,
    )
    end = time.monotonic() + LAND_SECONDS
    while landed(settings) == before:
        assert time.monotonic() < end, "nothing landed"
        time.sleep(0.5)


def test_a_stack_becomes_plain_and_secure_again_with_its_data(settings: Settings) -> None:
    rows, marts = landed(settings), days(settings)
    assert marts

    said = setup("--plain")
    plain = load_settings()
    assert "Open: Trino and Kafka use no TLS and ask for no password" in said
    assert not plain.secure
    assert requests.get(f"{trino.address(plain)}/v1/info", timeout=10).ok
    assert (landed(plain), days(plain)) == (rows, marts)
    send_and_land(plain)

    rows = landed(plain)
    said = setup("--secure")
    secure = load_settings()
    assert "Secure: Trino and Kafka use TLS and ask for passwords" in said
    assert secure == settings
    assert (landed(secure), days(secure)) == (rows, marts)
    send_and_land(secure)
