"""The explorer where something is missing or hostile: no tables, no rows, no Trino, odd names."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from stack.base.settings import Settings
from stack.programs.ports import free_ports
from tests.browser.browser import Visitor
from tests.browser.conftest import Visit
from tests.browser.master_data import EVIL, odd_names
from tests.browser.server import running, running_without
from tests.browser.test_pages import PAGES
from tests.integration.lakehouse import Lakehouse

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


def test_odd_names_are_only_text(visit: Visit, explorer: str, settings: Settings) -> None:
    with odd_names(settings) as odd:
        for path, word, name in (
            ("meters", "meter", odd.device_id),
            ("customers", "customer", odd.customer_id),
        ):
            visitor = visit(explorer)
            visitor.open(f"{explorer}/{path}?{word}={name}", name)

            assert not is_harmed(visitor)
        # The meter's model stands in a table, which is drawn; the customer's town is text.
        assert EVIL in visitor.text()


@pytest.mark.parametrize(("path", "word"), [("meters", "meter"), ("customers", "customer")])
def test_an_odd_address_is_only_text(visit: Visit, explorer: str, path: str, word: str) -> None:
    visitor = visit(explorer)
    visitor.page.goto(f"{explorer}/{path}?{urlencode({word: EVIL})}")
    visitor.page.get_by_text("Master data knows no").wait_for()
    visitor.wait()

    assert not is_harmed(visitor)
    assert EVIL in visitor.text()
