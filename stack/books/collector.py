"""Answer scrapes with the metrics of that moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from stack.books.facts import Facts
from stack.books.families import families


class RunnerCollector(Collector):
    """Asks again at each scrape, one scrape at a time."""

    def __init__(self, ask: Callable[[], Facts]) -> None:
        self._ask, self._turn = ask, threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: to register must not ask anybody."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The metrics of now."""
        with self._turn:
            facts = self._ask()
        yield from families(facts)
