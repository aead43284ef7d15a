"""Measure the explorer: seconds until each page shows its figures, in a real browser.

Run as `python -m benchmarks.pages` on a stack with data. For 100 meters and a year: NUM_DEVICES=100
before setup, then `simulator/telemetry_simulator.py --days 365` and `bin/dbt run`. Each page gets
an explorer that has just started and a browser that knows nothing: its first load, no answer is
kept. The second load is the same address again in the same window. A load ends when the page holds
the figures that plain SQL gives, its charts and tables are drawn and nothing is pending.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import Browser, TimeoutError

from stack.settings import load_settings
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
class Page:
    """What to open and what must stand on it: texts, and how many charts and tables."""

    name: str
    address: str
    texts: tuple[str, ...]
    charts: int = 0
    tables: int = 0


def pages(lakehouse: Lakehouse) -> list[Page]:
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
        Page("Overview", "", (balance,), charts=1),
        Page("Meters", "meters", (f"{meters:,} meters",), tables=1),
        Page("one meter", f"meters?meter={meter}", (reasons,), charts=3, tables=1),
        Page("Customers", "customers", (f"{customers:,} customers",), tables=1),
        Page("one customer", f"customers?customer={customer}", (f"{used:,.1f}",), charts=2),
        Page("Data quality", "quality", (balance,), charts=5, tables=1),
        Page("SQL", "sql", ("User explorer, read only",), tables=1),
        Page("Kafka", "kafka", (f"{held:,}",)),
    ]


def loads(browser: Browser, home: str, page: Page) -> tuple[float, float]:
    """Seconds of the first load and of the second, in a window of its own."""
    context = context_of(browser)
    window = visitor_of(context, urlsplit(home).netloc).page
    try:
        wanted = {"texts": list(page.texts), "charts": page.charts, "tables": page.tables}
        seconds = []
        for _ in range(2):
            window.goto(f"{home}/{page.address}", wait_until="commit")
            whole = window.wait_for_function(WHOLE, arg=wanted, timeout=LIMIT_MS)
            seconds.append(float(whole.json_value()) / 1000)
        return seconds[0], seconds[1]
    except TimeoutError as error:
        found = window.locator('[data-testid="stMain"]').inner_text()
        raise SystemExit(f"{page.name}: wanted {wanted}, the page holds:\n{found}") from error
    finally:
        context.close()


def main(words: Sequence[str]) -> int:
    """Load every page in every run; print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="loads of each page (3)")
    parser.add_argument("--page", help="only the page of this name")
    given = parser.parse_args(words)
    lakehouse = Lakehouse(load_settings())
    print(f"{'page':<16}{'first load, s':>16}{'second load, s':>16}", flush=True)
    with chromium() as browser:
        for page in pages(lakehouse):
            if given.page not in {None, page.name}:
                continue
            taken = []
            for _ in range(given.runs):
                with running(["explorer"]) as home:
                    taken.append(loads(browser, home, page))
            first, second = (statistics.median(each) for each in zip(*taken, strict=True))
            print(f"{page.name:<16}{first:>16.2f}{second:>16.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
