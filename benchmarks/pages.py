"""Measure the explorer: seconds until each page shows its figures, in a real browser.

Run as `python -m benchmarks.pages` on a stack with data. For 100 meters and a year: NUM_DEVICES=100
before setup, then `simulator/telemetry_simulator.py --days 365` and `bin/dbt run`. Each page is
loaded three times: by a browser that knows nothing, from an explorer that has just started; by the
same window later, when the explorer keeps no answer any more and asks Trino again; and at once
again, from the answers kept. A load ends when the page holds the figures that plain SQL gives, its
charts and tables are drawn and nothing is pending.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, TimeoutError

from explorer.lakehouse import KEPT_SECONDS
from stack.base.settings import load_settings
from tests.browser.browser import LIMIT_MS, chromium, context_of, visitor_of
from tests.browser.server import running
from tests.integration.lakehouse import TOPIC, Lakehouse

# Milliseconds since the address was asked for, once the page is whole; nothing before.
WHOLE = """({texts, charts, tables}) => {
  const app = document.querySelector('[data-testid="stApp"]')
  if (app?.dataset.testScriptState !== 'notRunning') return null
  if (document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')) return null
  const shown = document.querySelector('[data-testid="stMain"]').innerText
  if (!texts.every(text => shown.includes(text))) return null
  const drawn = kind => document.querySelectorAll(`[data-testid="${kind}"] :is(canvas, svg)`).length
  const isDrawn = drawn('stVegaLiteChart') >= charts && drawn('stDataFrame') >= tables
  return isDrawn ? performance.now() : null
}"""


@dataclass(frozen=True)
class Shown:
    """What to open and what must stand on it: texts, and how many charts and tables."""

    name: str
    address: str
    texts: tuple[str, ...]
    charts: int = 0
    tables: int = 0


def pages(lakehouse: Lakehouse) -> list[Shown]:
    """Every page with the figures that plain SQL gives for it."""
    value = lakehouse.value
    accepted = value("select count(*) from iceberg.staging.stg_telemetry_raw")
    rejected = value("select count(*) from iceberg.quality.quarantine_telemetry_raw")
    balance = f"= accepted {accepted:,} + quarantined {rejected:,}"
    meters = value("select count(*) from iceberg.marts.device_health_status")
    customers = value("select count(*) from iceberg.staging.stg_customers")
    ((meter, reasons, customer),) = lakehouse.sql(
        "select device_id, reasons, customer_id from iceberg.marts.device_health_status "
        "order by health_score_pct, device_id limit 1"
    )
    used = value(
        "select sum(total_energy_kwh) from iceberg.marts.customer_usage_summary "
        f"where customer_id = '{customer}' and reading_date > current_date - interval '7' day"
    )
    held = sum(lakehouse.end_offsets(TOPIC).values())
    return [
        Shown("Overview", "", (balance,), charts=1),
        Shown("Meters", "meters", (f"{meters:,} meters",), tables=1),
        Shown("one meter", f"meters?meter={meter}", (reasons,), charts=3, tables=1),
        Shown("Customers", "customers", (f"{customers:,} customers",), tables=1),
        Shown("one customer", f"customers?customer={customer}", (f"{used:,.1f}",), charts=2),
        Shown("Data quality", "quality", (balance,), charts=5, tables=1),
        Shown("SQL", "sql", ("User explorer, read only",), tables=1),
        Shown("Kafka", "kafka", (f"{held:,}",)),
    ]


def load(window: Page, home: str, page: Shown) -> float:
    """Seconds until the page is whole; the window is left blank."""
    wanted = {"texts": list(page.texts), "charts": page.charts, "tables": page.tables}
    try:
        window.goto(f"{home}/{page.address}", wait_until="commit")
        whole = window.wait_for_function(WHOLE, arg=wanted, timeout=LIMIT_MS)
        seconds = float(whole.json_value()) / 1000
    except TimeoutError as error:
        found = window.locator('[data-testid="stMain"]').inner_text()
        raise SystemExit(f"{page.name}: wanted {wanted}, the page holds:\n{found}") from error
    window.goto("about:blank")
    return seconds


def loads(browser: Browser, shown: Sequence[Shown]) -> list[tuple[float, float, float]]:
    """Seconds of the three loads of each page, with an explorer of its own."""
    with running(["explorer"]) as home, ExitStack() as opened:
        contexts = [opened.enter_context(closing(context_of(browser))) for _ in shown]
        windows = [visitor_of(context, urlsplit(home).netloc).page for context in contexts]
        pairs = list(zip(windows, shown, strict=True))
        new = [load(window, home, page) for window, page in pairs]
        time.sleep(KEPT_SECONDS)
        again = [(load(window, home, page), load(window, home, page)) for window, page in pairs]
    return [(first, *later) for first, later in zip(new, again, strict=True)]


def main(words: Sequence[str]) -> int:
    """Load every page in every run; print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of all pages (3)")
    parser.add_argument("--page", help="only the page of this name")
    given = parser.parse_args(words)
    shown = [p for p in pages(Lakehouse(load_settings())) if given.page in {None, p.name}]
    with chromium() as browser:
        runs = [loads(browser, shown) for _ in range(given.runs)]
    print(f"seconds, median of {given.runs}{'new browser':>18}{'asked again':>14}{'kept':>8}")
    for page, taken in zip(shown, zip(*runs, strict=True), strict=True):
        new, asked_again, kept = map(statistics.median, zip(*taken, strict=True))
        print(f"{page.name:<20}{new:>18.2f}{asked_again:>14.2f}{kept:>8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
