"""Fixtures of the browser tests: the stack METERHOUSE_ENV names, its web pages and a browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ViewportSize

from stack.base.errors import ConfigurationError, MeterhouseError
from stack.base.settings import Settings, load_settings
from stack.books.by_hand import reconcile_by_hand
from stack.provision import ready
from stack.rounds.books import plan_of
from stack.rounds.project import Project
from tests.browser.browser import DESKTOP, Visitor, chromium, context_of, visitor_of
from tests.browser.server import RESULTS, answers, running
from tests.integration.lakehouse import Lakehouse

LOAD_TIMES = RESULTS / "load-times.json"

Visit = Callable[..., Visitor]
BrowserOf = Callable[[ViewportSize, str], BrowserContext]


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings()


@pytest.fixture(scope="session")
def lakehouse(settings: Settings) -> Lakehouse:
    """A stack that answers; the tests fail, and say how to start it, where none does."""
    try:
        ready.wait(settings, 20, lambda text: None)
    except MeterhouseError as error:
        pytest.fail(f"{error}\nstart it with ./initial-setup.sh", pytrace=False)
    return Lakehouse(settings)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as found:
            yield found
    except ConfigurationError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def explorer(settings: Settings, lakehouse: Lakehouse) -> Iterator[str]:
    """The address of the stack's explorer; where it runs none, of one of our own.

    Its balance is the books', which rounds of tests do not write.
    """
    reconcile_by_hand(settings, plan_of(Project()), lambda text: None, is_full=False)
    url = f"http://127.0.0.1:{settings.explorer_port}"
    if answers(url):
        yield url
        return
    with running(["explorer"]) as own:
        yield own


@pytest.fixture(scope="session")
def kafka_page(lakehouse: Lakehouse) -> Iterator[str]:
    """The address of Kafka's page, running alone."""
    with running(["explorer.kafka_alone"]) as url:
        yield url


@pytest.fixture(scope="session")
def browser_of(browser: Browser) -> BrowserOf:
    """One for each look: its windows load and compile the pages' scripts once, as people's do."""
    contexts: dict[tuple[int, int, str], BrowserContext] = {}

    def find(size: ViewportSize, scheme: str) -> BrowserContext:
        look = size["width"], size["height"], scheme
        if look not in contexts:
            contexts[look] = context_of(browser, size, scheme)
        return contexts[look]

    return find


@pytest.fixture
def visit(browser_of: BrowserOf) -> Iterator[Visit]:
    """A way to open windows at an address; none may see an error or ask a stranger."""
    visitors: list[Visitor] = []
    with ExitStack() as windows:

        def open_window(url: str, size: ViewportSize = DESKTOP, scheme: str = "light") -> Visitor:
            visitors.append(visitor_of(browser_of(size, scheme), urlsplit(url).netloc))
            windows.callback(visitors[-1].page.close)
            return visitors[-1]

        yield open_window
        for visitor in visitors:
            assert visitor.strangers == []
            assert visitor.errors == []


@pytest.fixture(scope="session")
def load_times() -> Iterator[dict[str, float]]:
    """Seconds each page took, by its name; printed and kept at the end."""
    times: dict[str, float] = {}
    yield times
    LOAD_TIMES.parent.mkdir(parents=True, exist_ok=True)
    LOAD_TIMES.write_text(json.dumps(times, indent=1) + "\n", encoding="utf-8")
    print("\npage load times: " + ", ".join(f"{name} {s:.2f} s" for name, s in times.items()))
