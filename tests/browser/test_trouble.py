"""The explorer where something is missing or hostile: no tables, no rows, no Trino, odd names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from stack.base.settings import Settings
from stack.programs.ports import free_ports
from tests.browser.browser import LIMIT_MS, Visitor
from tests.browser.conftest import Visit
from tests.browser.master_data import EVIL, Oddity, registered
from tests.browser.server import running, running_without
from tests.browser.test_pages import PAGES
from tests.integration.lakehouse import Lakehouse
from tests.names import each_of, odd_names

ASKING = [path for path in PAGES if path not in {"sql", "kafka"}]
asking = pytest.mark.parametrize("path", ASKING, ids=lambda path: path or "overview")


@pytest.fixture(scope="module")
def without_models(lakehouse: Lakehouse) -> Iterator[str]:
    with running_without("models") as url:
        yield url


@pytest.fixture(scope="module")
def without_rows(lakehouse: Lakehouse) -> Iterator[str]:
    with running_without("rows") as url:
        yield url


@pytest.fixture(scope="module")
def without_trino() -> Iterator[str]:
    (closed,) = free_ports(1)
    with running(["explorer"], {"TRINO_PORT": str(closed)}) as url:
        yield url


def is_harmed(visitor: Visitor) -> bool:
    """Whether something from the data became part of the page."""
    main = visitor.page.locator('[data-testid="stMain"]')
    return bool(visitor.page.evaluate("window.harmed")) or bool(
        main.locator('img[src="x"]').count()
    )


@asking
def test_without_models_a_page_says_what_to_run(
    visit: Visit, without_models: str, path: str
) -> None:
    visitor = visit(without_models)
    visitor.open(f"{without_models}/{path}", PAGES[path])

    assert "not there yet" in visitor.text()
    assert "bin/dbt run" in visitor.text()


@asking
def test_with_empty_tables_a_page_says_what_fills_them(
    visit: Visit, without_rows: str, path: str
) -> None:
    visitor = visit(without_rows)
    visitor.open(f"{without_rows}/{path}", PAGES[path])

    assert "./initial-setup.sh" in visitor.text()


@pytest.mark.parametrize("word", ["meters?meter=MTR-10000", "customers?customer=CUST-8000"])
def test_with_empty_tables_a_single_page_says_so(
    visit: Visit, without_rows: str, word: str
) -> None:
    visitor = visit(without_rows)
    visitor.open(f"{without_rows}/{word}", word.split("=")[1])

    assert "Master data knows no" in visitor.text()


@asking
def test_without_trino_a_page_says_so_and_how_to_look(
    visit: Visit, without_trino: str, path: str
) -> None:
    visitor = visit(without_trino)
    visitor.open(f"{without_trino}/{path}", PAGES[path])

    assert "Trino does not answer" in visitor.text()
    assert "./initial-setup.sh status" in visitor.text()


def test_without_trino_sql_says_so(visit: Visit, without_trino: str) -> None:
    visitor = visit(without_trino)
    visitor.open(f"{without_trino}/sql", "SQL")
    visitor.page.get_by_role("button", name="Run").click()

    expect(visitor.page.get_by_role("alert").last).to_contain_text("Trino", timeout=30_000)


NAMES = odd_names()


@pytest.fixture(scope="module")
def assessed(lakehouse: Lakehouse, settings: Settings) -> Iterator[None]:
    """Meters of odd names, each of a customer of the same name, known to health."""
    with registered(settings, [Oddity(name, name) for name in NAMES.values()]):
        lakehouse.round()
        yield


def drawn(name: str) -> re.Pattern[str]:
    """How a page draws a name: blanks beside each other as one, with joiners that are not seen."""
    # A slash would end the expression in Playwright's selector.
    signs = {"/": r"\x2f"}
    words = ("\u2060?".join(signs.get(c, re.escape(c)) for c in word) for word in name.split())
    return re.compile(r"\s+".join(words) + "$")


def at_heading(visitor: Visitor, name: str) -> None:
    """Wait for the page of a meter or customer; nothing of the name may be more than text."""
    visitor.page.get_by_role("heading", name=drawn(name)).first.wait_for(timeout=LIMIT_MS)
    visitor.wait()
    assert not is_harmed(visitor)
    assert "Master data knows no" not in visitor.text()


@pytest.mark.usefixtures("assessed")
@each_of(NAMES)
def test_an_odd_name_is_only_text_and_its_pages_have_addresses(
    visit: Visit, explorer: str, odd: str
) -> None:
    name = NAMES[odd]
    visitor = visit(explorer)
    visitor.page.goto(f"{explorer}/customers?{urlencode({'customer': name})}")
    at_heading(visitor, name)
    # The meter's model stands in a table, which is drawn; the customer's town is text.
    assert EVIL in visitor.text()

    visitor.page.get_by_role("link", name=drawn(name)).click()
    visitor.page.get_by_text("All meters").wait_for()
    at_heading(visitor, name)
    assert parse_qs(urlsplit(visitor.page.url).query)["meter"] == [name]

    visitor.page.goto(visitor.page.url)
    at_heading(visitor, name)


@pytest.mark.usefixtures("assessed")
@pytest.mark.parametrize("odd", ["quotes", "lower", "upper", "path", "address"])
def test_a_meter_of_an_odd_name_is_found_in_the_list(visit: Visit, explorer: str, odd: str) -> None:
    name = NAMES[odd]
    visitor = visit(explorer)
    visitor.open(f"{explorer}/meters?{urlencode({'customer': name})}", "Meters")
    assert "1 meters" in visitor.text()
    visitor.click_row(0)
    at_heading(visitor, name)


@pytest.mark.parametrize(("path", "word"), [("meters", "meter"), ("customers", "customer")])
def test_an_odd_address_is_only_text(visit: Visit, explorer: str, path: str, word: str) -> None:
    visitor = visit(explorer)
    visitor.page.goto(f"{explorer}/{path}?{urlencode({word: EVIL})}")
    visitor.page.get_by_text("Master data knows no").wait_for()
    visitor.wait()

    assert not is_harmed(visitor)
    assert EVIL in visitor.text()
