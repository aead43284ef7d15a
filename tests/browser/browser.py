"""A page in a real browser: open it, wait until it is drawn, read it, take its picture."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)

from stack.base.errors import ConfigurationError
from tests.browser.server import RESULTS

# Nothing but the pages themselves: no sandbox for root, no network of the browser's own.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCREENSHOTS = RESULTS / "screenshots"
DRAWN = '[data-testid="stApp"][data-test-script-state="notRunning"]'
DRAWING = '[data-testid="stSkeleton"], [data-stale="true"]'
EXCEPTION = '[data-testid="stException"]'
LIMIT_MS = 90_000
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
# Heights in a table.
HEADER_PX, ROW_PX = 36, 35
# A picture shows the whole page: it scrolls in a box of its own, so the window is made tall.
TALLEST = 4000


@dataclass
class Visitor:
    """One person's browser window, which notes what it should never see."""

    page: Page
    strangers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, url: str, heading: str) -> float:
        """Go to an address; seconds until the page with this heading is drawn."""
        started_at = time.monotonic()
        self.page.goto(url)
        self.heading(heading).wait_for(timeout=LIMIT_MS)
        self.wait()
        return time.monotonic() - started_at

    def wait(self) -> None:
        """Wait until nothing is being drawn any more."""
        self.page.locator(DRAWN).wait_for(timeout=LIMIT_MS)
        expect(self.page.locator(DRAWING)).to_have_count(0, timeout=LIMIT_MS)
        expect(self.page.locator(EXCEPTION)).to_have_count(0)

    def heading(self, text: str) -> Locator:
        """A heading that is exactly this text."""
        return self.page.get_by_role("heading", name=text, exact=True).first

    def text(self) -> str:
        """All that stands on the page."""
        return self.page.locator('[data-testid="stMain"]').inner_text()

    def figure(self, label: str, within: Locator | None = None) -> str:
        """The value of the figure with this label."""
        place = within or self.page.locator('[data-testid="stMain"]')
        metric = place.locator('[data-testid="stMetric"]').filter(
            has=self.page.get_by_text(label, exact=True)
        )
        return metric.first.locator('[data-testid="stMetricValue"]').inner_text()

    def choose(self, label: str, option: str) -> None:
        """Choose in a list."""
        self.page.get_by_role("combobox", name=label).first.click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.wait_for_run()

    def fill(self, label: str, text: str) -> None:
        """Write into a field and leave it."""
        box = self.page.get_by_label(label, exact=True).first
        box.fill(text)
        box.press("Enter")
        self.wait_for_run()

    def click_row(self, row: int, table: int = 0, x: float = 60) -> None:
        """Click into a row, counted from 0; tables are drawn, their cells are no elements."""
        place = self.page.locator('[data-testid="stDataFrame"]').nth(table)
        place.click(position={"x": x, "y": HEADER_PX + (row + 0.5) * ROW_PX})
        self.wait_for_run()

    def wait_for_run(self) -> None:
        """After an input: let the page begin to change, then wait until it is drawn."""
        self.page.wait_for_timeout(300)
        self.wait()

    def download(self, button: str) -> Path:
        """Press a button that gives a file."""
        with self.page.expect_download(timeout=LIMIT_MS) as waiting:
            # By its kind: a table's own toolbar has such a button too, shown on hovering only.
            buttons = self.page.locator('[data-testid="stDownloadButton"]')
            buttons.filter(has_text=button).get_by_role("button").click()
        return Path(waiting.value.path())

    def is_wider_than_its_window(self) -> bool:
        """Whether one must scroll sideways."""
        return bool(
            self.page.evaluate(
                "document.querySelector('[data-testid=stMain]').scrollWidth > window.innerWidth"
            )
        )

    def picture(self, name: str) -> Path:
        """Take a picture of the whole page, for people to look at."""
        window = self.page.viewport_size or DESKTOP
        height = self.page.evaluate(
            "document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
        )
        tall = min(max(int(height), window["height"]), TALLEST)
        self.page.set_viewport_size({"width": window["width"], "height": tall})
        self.page.wait_for_timeout(700)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, animations="disabled")
        self.page.set_viewport_size(window)
        return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's chromium: a browser of Playwright's own cannot be had everywhere.

    Raises ConfigurationError where there is none.
    """
    program = shutil.which("chromium")
    if program is None:
        raise ConfigurationError("chromium", "none", "install it with tests/browser/chromium.sh")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def context_of(
    browser: Browser, size: ViewportSize = DESKTOP, scheme: str = "light"
) -> BrowserContext:
    """A window's settings: every visitor reads British English, in UTC."""
    return browser.new_context(
        viewport=size,
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        timezone_id="UTC",
    )


def visitor_of(context: BrowserContext, home: str) -> Visitor:
    """A visitor whose browser notes requests to anybody but the server, and errors of scripts."""
    visitor = Visitor(context.new_page())

    def note(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.netloc != home:
            visitor.strangers.append(request.url)

    visitor.page.on("request", note)
    visitor.page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    return visitor
