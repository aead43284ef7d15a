"""Do once at the start what the first visitor would wait for."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from explorer import charts, customer_queries, meter, overview, quality, queries
from explorer.lakehouse import Lakehouse
from explorer.queries import Query

# A Trino that is busy or away does not keep the pages from being served.
LIMIT_SECONDS = 8.0


def warm_up(lakehouse: Lakehouse, now: datetime) -> None:
    """Ask what the pages ask and draw a chart; goes on without it after LIMIT_SECONDS.

    now: by the fleet's clock. What Trino answers is forgotten with this lakehouse.
    """

    def ask_and_draw() -> None:
        draw()
        lakehouse.ask({str(place): each for place, each in enumerate(questions(now))})

    thread = threading.Thread(target=ask_and_draw, name="warm-up", daemon=True)
    thread.start()
    thread.join(LIMIT_SECONDS)


def questions(now: datetime) -> list[Query]:
    """What the pages ask where nothing is chosen, and what a meter's page asks of no meter."""
    today = now.date()
    zone = ZoneInfo(str(now.tzinfo))
    return [
        *overview.questions(today).values(),
        *quality.questions(today).values(),
        queries.meters(),
        customer_queries.customers(today - timedelta(days=6), today),
        *meter.questions("", zone, today, today, today).values(),
    ]


def draw() -> None:
    """Load the schema of charts and compile what checks against it."""
    charts.bars(pd.DataFrame({"name": ["a"], "value": [1]}), "name", "value", "a").to_dict()
