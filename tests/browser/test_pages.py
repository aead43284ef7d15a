"""The explorer in a real browser: every page opens and shows the figures that SQL gives."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from explorer.format import NOTHING
from tests.browser.browser import DESKTOP, LIMIT_MS, PHONE, Visitor
from tests.browser.conftest import Visit
from tests.integration.lakehouse import Lakehouse

PAGES = {
    "": "Overview",
    "meters": "Meters",
    "customers": "Customers",
    "quality": "Data quality",
    "sql": "SQL",
    "kafka": "Kafka",
}
# The goal is 2 s; a machine that runs the whole suite on two cores is given more.
SECONDS = 8.0
WORST_METER = (
    "select device_id, reasons, week_warning_count, customer_id "
    "from iceberg.marts.device_health_status "
    "order by health_score_pct, device_id limit 1"
)
pages = pytest.mark.parametrize("path", PAGES, ids=lambda path: path or "overview")
looks = pytest.mark.parametrize(
    ("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"]
)


def opened(visit: Visit, explorer: str, path: str = "", **words: object) -> Visitor:
    """A page as somebody sees who was sent the link."""
    visitor = visit(explorer)
    heading = str(words.get("meter") or words.get("customer") or PAGES[path])
    visitor.open(f"{explorer}/{path}?{urlencode(words)}", heading)
    return visitor


def number(text: str) -> float:
    """A figure as the page writes it in British English, in kWh where it is energy."""
    digits = float(re.sub(r"[^\d.-]", "", text))
    return digits * 1000 if "MWh" in text else digits


@pages
def test_a_page_opens_soon(
    visit: Visit, explorer: str, load_times: dict[str, float], path: str
) -> None:
    visitor = visit(explorer)
    name = PAGES[path]
    load_times[f"{name}, first"] = visitor.open(f"{explorer}/{path}", name)
    load_times[name] = visitor.open(f"{explorer}/{path}", name)

    assert load_times[name] < SECONDS


@pytest.mark.same_in_both_modes
def test_overview_counts_meters_and_customers(
    visit: Visit, explorer: str, lakehouse: Lakehouse
) -> None:
    visitor = opened(visit, explorer)

    assert number(visitor.figure("Meters")) == lakehouse.value(
        "select count(*) from iceberg.marts.device_health_status"
    )
    assert number(visitor.figure("Customers")) == lakehouse.value(
        "select count(distinct customer_id) from iceberg.marts.customer_usage_summary "
        "where reading_date >= current_date - interval '7' day"
    )


@pytest.mark.same_in_both_modes
def test_overview_shows_todays_energy(visit: Visit, explorer: str, lakehouse: Lakehouse) -> None:
    used = lakehouse.value(
        "select sum(total_energy_kwh) from iceberg.marts.device_daily_metrics "
        "where reading_date = current_date"
    )
    shown = opened(visit, explorer).figure("Energy today")

    if used is None:
        assert shown == NOTHING
    else:
        assert number(shown) == pytest.approx(float(used), abs=0.051)


@pytest.mark.same_in_both_modes
def test_overview_shows_the_balance(visit: Visit, explorer: str, lakehouse: Lakehouse) -> None:
    accepted = lakehouse.value("select count(*) from iceberg.staging.stg_telemetry_raw")
    rejected = lakehouse.value("select count(*) from iceberg.quality.quarantine_telemetry_raw")
    shown = opened(visit, explorer).text()

    assert f"= accepted {accepted:,} + quarantined {rejected:,}" in shown
    assert "The balance holds" in shown


@pytest.mark.same_in_both_modes
def test_meters_are_found_by_status_and_text(
    visit: Visit, explorer: str, lakehouse: Lakehouse
) -> None:
    count = "select count(*) from iceberg.marts.device_health_status"
    visitor = opened(visit, explorer, "meters")
    assert f"{lakehouse.value(count):,} meters" in visitor.text()

    visitor.choose("Status", "Healthy")
    healthy = lakehouse.value(f"{count} where device_health_status = 'HEALTHY'")
    assert f"{healthy:,} meters" in visitor.text()
    assert "status=" in visitor.page.url

    visitor = opened(visit, explorer, "meters")
    visitor.fill("Search", lakehouse.sql(WORST_METER)[0][0])
    assert "1 meters" in visitor.text()


@pytest.mark.same_in_both_modes
def test_a_meters_page_tells_its_state(visit: Visit, explorer: str, lakehouse: Lakehouse) -> None:
    device_id, reasons, warnings, customer_id = lakehouse.sql(WORST_METER)[0]
    visitor = opened(visit, explorer, "meters", meter=device_id)
    shown = visitor.text()

    assert (reasons or "no reason for concern") in shown
    assert customer_id in shown
    if warnings is not None:
        assert number(visitor.figure("Warnings, 7 days")) == warnings


@pytest.mark.same_in_both_modes
def test_the_overview_leads_to_an_unhealthy_meter(
    visit: Visit, explorer: str, lakehouse: Lakehouse
) -> None:
    device_id, reasons = lakehouse.sql(
        "select device_id, reasons from iceberg.marts.device_health_status "
        "where device_health_status = 'UNHEALTHY' order by device_id limit 1"
    )[0]
    visitor = opened(visit, explorer)
    visitor.page.get_by_role("link", name=device_id).first.click()
    visitor.heading(device_id).wait_for()
    visitor.wait()

    assert reasons in visitor.text()
    assert parse_qs(urlsplit(visitor.page.url).query)["meter"] == [device_id]


@pytest.mark.same_in_both_modes
def test_a_customers_page_shows_its_energy(
    visit: Visit, explorer: str, lakehouse: Lakehouse
) -> None:
    customer_id, used = lakehouse.sql(
        "select customer_id, sum(total_energy_kwh) from iceberg.marts.customer_usage_summary "
        "where reading_date > current_date - interval '7' day and reading_date <= current_date "
        "group by customer_id order by customer_id limit 1"
    )[0]
    visitor = opened(visit, explorer, "customers", customer=customer_id)

    assert number(visitor.figure("Energy")) == pytest.approx(float(used), abs=0.051)


@pytest.mark.same_in_both_modes
def test_a_quarantined_message_is_shown_whole(
    visit: Visit, explorer: str, lakehouse: Lakehouse
) -> None:
    partition, offset, reason, message = lakehouse.sql(
        "select kafka_partition, kafka_offset, reason, message "
        "from iceberg.quality.quarantine_telemetry_raw "
        "where message_encoding = 'utf8' and message != '' "
        "order by kafka_partition, kafka_offset limit 1"
    )[0]
    visitor = opened(visit, explorer, "quality", message=f"{partition}-{offset}", days="365")
    shown = visitor.text()

    assert reason in shown
    assert " ".join(message.split()) in " ".join(shown.split())


def test_a_quarantined_message_leads_to_kafka(
    visit: Visit, explorer: str, lakehouse: Lakehouse
) -> None:
    # The newest: Kafka keeps messages for a while only.
    partition, offset, message = lakehouse.sql(
        "select kafka_partition, kafka_offset, message "
        "from iceberg.quality.quarantine_telemetry_raw "
        "where message_encoding = 'utf8' and regexp_like(message, '^[!-~ ]{1,500}$') "
        "order by kafka_at desc, kafka_partition, kafka_offset limit 1"
    )[0]
    visitor = opened(visit, explorer, "quality", message=f"{partition}-{offset}", days="365")
    visitor.page.get_by_role("link", name="See it in Kafka").click()
    shown = visitor.page.locator(".st-key-message")
    expect(shown).to_contain_text(f"Partition {partition} · offset {offset:,}", timeout=LIMIT_MS)
    visitor.wait()

    if shown.get_by_text("As it was sent").count():
        shown.get_by_text("As it was sent").click()
    expect(shown.locator("code", has_text=message).first).to_be_visible()


@pytest.mark.same_in_both_modes
def test_a_meters_address_keeps_the_tab(visit: Visit, explorer: str, lakehouse: Lakehouse) -> None:
    device_id = lakehouse.value(
        "select max(device_id) from iceberg.marts.device_daily_metrics "
        "where reading_date > current_date - interval '7' day"
    )
    visitor = opened(visit, explorer, "meters", meter=device_id)
    visitor.page.get_by_role("tab", name="Days and half-hours").click()
    expect(visitor.page).to_have_url(re.compile("load="), timeout=LIMIT_MS)

    other = visit(explorer)
    other.open(visitor.page.url, device_id)
    tab = other.page.get_by_role("tab", name="Days and half-hours")
    expect(tab).to_have_attribute("aria-selected", "true")
    chart = other.page.get_by_label("Energy by day and half-hour")
    expect(chart.first).to_be_visible(timeout=LIMIT_MS)


@pytest.mark.same_in_both_modes
def test_the_address_of_sql_keeps_the_chart(visit: Visit, explorer: str) -> None:
    statement = "select * from (values (1, 2, 3), (2, 4, 9)) as t(a, b, c)"
    visitor = opened(visit, explorer, "sql", sql=statement)
    visitor.page.get_by_role("button", name="Run").click()
    visitor.page.get_by_role("tab", name="Chart").click()
    visitor.choose("Up", "c")
    visitor.page.get_by_role("radio", name="line").click()
    for word in ("show=Chart", "y=c", "kind=line"):
        expect(visitor.page).to_have_url(re.compile(word), timeout=LIMIT_MS)

    other = visit(explorer)
    other.open(visitor.page.url, "SQL")
    other.page.get_by_role("button", name="Run").click()
    expect(other.page.get_by_label("c by a").first).to_be_visible(timeout=LIMIT_MS)


@pytest.mark.same_in_both_modes
def test_data_quality_counts_what_was_quarantined(
    visit: Visit, explorer: str, lakehouse: Lakehouse
) -> None:
    count = lakehouse.value("select count(*) from iceberg.quality.quarantine_telemetry_raw")
    shown = opened(visit, explorer, "quality", days="365").text()

    assert f"quarantined {count:,}" in shown


def test_sql_gives_rows_and_files(
    visit: Visit, explorer: str, lakehouse: Lakehouse, tmp_path: Path
) -> None:
    statement = (
        "select device_id, reading_count from marts.device_daily_metrics "
        "order by reading_date, device_id limit 50"
    )
    wanted = lakehouse.sql(statement)
    visitor = opened(visit, explorer, "sql", sql=statement)
    visitor.page.get_by_role("button", name="Run").click()
    visitor.page.get_by_text(f"{len(wanted)} rows.").wait_for()

    with visitor.download("CSV").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["device_id", "reading_count"]
    assert rows[1:] == [[device_id, str(count)] for device_id, count in wanted]

    table = pq.read_table(visitor.download("Parquet"))
    assert [list(row.values()) for row in table.to_pylist()] == wanted


@pytest.mark.same_in_both_modes
def test_sql_says_what_is_wrong(visit: Visit, explorer: str) -> None:
    visitor = opened(visit, explorer, "sql", sql="select nothing from marts.nowhere")
    visitor.page.get_by_role("button", name="Run").click()
    visitor.page.get_by_role("alert").first.wait_for()

    assert "nowhere" in visitor.page.get_by_role("alert").first.inner_text()


def test_sql_is_cancelled_in_trino(visit: Visit, explorer: str, lakehouse: Lakehouse) -> None:
    mark = "cancelled_by_a_test"
    statement = (
        f"select count(*) as {mark} from unnest(sequence(1, 9000)) as a(x) "
        "cross join unnest(sequence(1, 9000)) as b(y) cross join unnest(sequence(1, 9000)) as c(z) "
        "where x * y + z = 7"
    )
    visitor = opened(visit, explorer, "sql", sql=statement)
    visitor.page.get_by_role("button", name="Run").click()
    visitor.page.get_by_text(re.compile("Running for")).wait_for()
    visitor.page.get_by_role("button", name="Cancel").click()

    def is_cancelled() -> bool:
        states = lakehouse.sql(
            "select state from system.runtime.queries where \"user\" = 'explorer' "
            f"and query like '%{mark}%' order by created desc limit 1"
        )
        return states == [["FAILED"]]

    lakehouse.wait_until(is_cancelled, 30)


# For people to look at.
@pytest.mark.thorough
@pytest.mark.same_in_both_modes
@looks
@pages
def test_pictures(
    visit: Visit, explorer: str, path: str, size: dict[str, int], scheme: str
) -> None:
    visitor = visit(explorer, size, scheme)
    visitor.open(f"{explorer}/{path}", PAGES[path])
    window = "desktop" if size == DESKTOP else "phone"
    visitor.picture(f"{path or 'overview'}-{window}-{scheme}")

    assert not visitor.is_wider_than_its_window()


@pytest.mark.thorough
@pytest.mark.same_in_both_modes
@looks
def test_pictures_of_a_meter_and_a_customer(
    visit: Visit, explorer: str, lakehouse: Lakehouse, size: dict[str, int], scheme: str
) -> None:
    device_id, _, _, customer_id = lakehouse.sql(WORST_METER)[0]
    window = "desktop" if size == DESKTOP else "phone"
    for path, word, name in (
        ("meters", "meter", device_id),
        ("customers", "customer", customer_id),
    ):
        visitor = visit(explorer, size, scheme)
        visitor.open(f"{explorer}/{path}?{word}={name}", name)
        visitor.picture(f"{word}-{window}-{scheme}")

        assert not visitor.is_wider_than_its_window()
