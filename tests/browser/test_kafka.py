"""Kafka's page in a real browser, alone and in the explorer, against the broker's own figures."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.programs.ports import free_ports
from tests.browser.browser import PHONE, Visitor
from tests.browser.conftest import Visit
from tests.browser.server import running
from tests.browser.topic import HTML, MESSAGES, filled_topic, group_names
from tests.integration.lakehouse import TOPIC, Lakehouse

CARD = '[class*="st-key-topic-{name}"]'
MESSAGE = ".st-key-message"


@pytest.fixture(scope="module")
def topic(lakehouse: Lakehouse) -> Iterator[str]:
    with filled_topic(lakehouse) as name:
        yield name


def address(page: str, **words: object) -> str:
    return f"{page}/?{urlencode(words)}"


def messages(visit: Visit, page: str, topic: str, **words: object) -> Visitor:
    """The messages of a topic, as somebody sees who was sent the link."""
    visitor = visit(page)
    visitor.open(address(page, view="Messages", topic=topic, **words), "Kafka")
    return visitor


def downloaded(visitor: Visitor) -> list[dict[str, object]]:
    text = visitor.download("Download as JSON lines").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def keys(visitor: Visitor) -> set[object]:
    return {line["key"] for line in downloaded(visitor)}


def test_topics_show_the_brokers_figures(
    visit: Visit, kafka_page: str, topic: str, lakehouse: Lakehouse, load_times: dict[str, float]
) -> None:
    visitor = visit(kafka_page)
    load_times["kafka topics, cold"] = visitor.open(kafka_page, "Kafka")
    load_times["kafka topics"] = visitor.open(kafka_page, "Kafka")
    card = visitor.page.locator(CARD.format(name=topic))

    assert visitor.figure("Messages held", card) == str(len(MESSAGES))
    assert visitor.figure("Partitions", card) == "2"
    expect(card.get_by_text(re.compile(r"^\d[\d,.]*\s/s$"))).to_be_visible(timeout=20_000)
    held = visitor.figure("Messages held", visitor.page.locator(CARD.format(name=TOPIC)))
    assert int(held.replace(",", "")) <= sum(lakehouse.end_offsets().values())


def test_internal_topics_are_shown_on_demand(visit: Visit, kafka_page: str) -> None:
    visitor = visit(kafka_page)
    visitor.open(kafka_page, "Kafka")
    for name in ("__consumer_offsets", "_ready"):
        expect(visitor.heading(name)).to_have_count(0)

    visitor.page.get_by_text("Internal ones").click()

    for name in ("__consumer_offsets", "_ready"):
        expect(visitor.heading(name)).to_be_visible(timeout=20_000)
    assert "internal=true" in visitor.page.url


def test_groups_show_what_kafkas_own_tool_says(visit: Visit, kafka_page: str) -> None:
    told = subprocess.run(
        ["bin/kafka-consumer-groups", "--describe", "--group", "lakehouse-landing"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split() for line in told.splitlines() if line.startswith("lakehouse-landing")]
    visitor = visit(kafka_page)
    visitor.open(address(kafka_page, view="Groups"), "Kafka")
    card = visitor.page.locator('[class*="st-key-group-lakehouse-landing"]')

    assert visitor.figure("Partitions", card) == str(len(rows))
    assert visitor.figure("Members", card) == str(len({row[6] for row in rows}))
    assert visitor.figure("Lag", card) == "0"


def test_json_is_unfolded(visit: Visit, kafka_page: str, topic: str) -> None:
    visitor = messages(visit, kafka_page, topic, key_part="json")
    shown = visitor.page.locator(MESSAGE).inner_text()

    assert 'MTR-"1"' in shown.replace('\\"', '"')
    assert "231.5" in shown
    assert "wärmer" in shown


def test_a_click_on_a_row_shows_that_message(visit: Visit, kafka_page: str, topic: str) -> None:
    visitor = messages(visit, kafka_page, topic, partition="0", start="oldest")
    shown = visitor.page.locator(MESSAGE)
    expect(shown).to_contain_text("offset 0")

    visitor.click_row(2)

    expect(shown).to_contain_text("offset 2")


def test_html_in_a_message_is_only_text(visit: Visit, kafka_page: str, topic: str) -> None:
    visitor = messages(visit, kafka_page, topic, key_part="html")

    assert HTML in visitor.page.locator(MESSAGE).inner_text()
    assert visitor.page.evaluate("window.harmed") is None
    expect(visitor.page.locator(f"{MESSAGE} img, {MESSAGE} script, {MESSAGE} b")).to_have_count(0)


def test_bytes_that_are_no_text_are_shown_as_hex_and_base64(
    visit: Visit, kafka_page: str, topic: str
) -> None:
    visitor = messages(visit, kafka_page, topic, key_part="binary")
    visitor.page.get_by_text("As base64").click()
    shown = visitor.page.locator(MESSAGE).inner_text()

    assert "ff fe 00 6d 65 74 65 72" in shown
    assert "//4AbWV0ZXI=" in shown
    assert "No text: shown as hex" in shown


def test_a_message_without_value_is_told(visit: Visit, kafka_page: str, topic: str) -> None:
    visitor = messages(visit, kafka_page, topic, key_part="empty")

    assert "none (null)" in visitor.page.locator(MESSAGE).inner_text()


def test_the_newest_are_shown_unless_more_are_wanted(
    visit: Visit, kafka_page: str, topic: str
) -> None:
    visitor = messages(visit, kafka_page, topic)
    assert len(downloaded(visitor)) == 20

    visitor.choose("Show", "50")

    assert keys(visitor) == {key.decode() for key, _ in MESSAGES if key}
    assert "count=50" in visitor.page.url


def test_filters_by_key_and_text(visit: Visit, kafka_page: str, topic: str) -> None:
    visitor = messages(visit, kafka_page, topic)
    visitor.fill("Text contains", "LOST POWER")
    assert keys(visitor) == {"plain"}
    assert "text_part=" in visitor.page.url

    visitor.fill("Text contains", "")
    visitor.fill("Key contains", "many-2")
    assert keys(visitor) == {"many-2", *(f"many-{number}" for number in range(20, 30))}


def test_one_partition_from_an_offset(visit: Visit, kafka_page: str, topic: str) -> None:
    visitor = messages(
        visit, kafka_page, topic, partition="1", start="offset", offset="3", count="50"
    )
    lines = downloaded(visitor)

    assert {line["partition"] for line in lines} == {1}
    assert lines[0]["offset"] == 3


def test_from_a_time(visit: Visit, kafka_page: str, topic: str) -> None:
    visitor = messages(visit, kafka_page, topic, start="time", since="2020-01-01T00:00")
    assert len(downloaded(visitor)) == 20

    ahead = datetime.now(UTC) + timedelta(days=1)
    visitor = messages(visit, kafka_page, topic, start="time", since=f"{ahead:%Y-%m-%dT%H:%M}")
    assert "There is no message here." in visitor.text()


def test_a_link_leads_to_one_message(visit: Visit, kafka_page: str, topic: str) -> None:
    visitor = messages(visit, kafka_page, topic, key_part="plain")
    link = visitor.page.locator(MESSAGE).get_by_role("link", name="Link").get_attribute("href")
    other = visit(kafka_page)
    other.open(f"{kafka_page}/{link}", "Kafka")

    assert "meter MTR-1 lost power" in other.page.locator(MESSAGE).inner_text()


def test_a_topic_leads_to_its_messages(visit: Visit, kafka_page: str, topic: str) -> None:
    visitor = visit(kafka_page)
    visitor.open(address(kafka_page, find=topic), "Kafka")
    visitor.page.get_by_role("button", name="Messages").last.click()
    visitor.wait_for_run()

    assert "20 messages shown" in visitor.text()
    assert f"topic={topic}" in visitor.page.url


def test_looking_leaves_no_group_behind(
    visit: Visit, kafka_page: str, topic: str, settings: Settings
) -> None:
    before = group_names(settings)
    for start in ("newest", "oldest"):
        messages(visit, kafka_page, topic, start=start, text_part="e")

    assert group_names(settings) == before


def test_a_broker_that_is_away_is_told_with_the_command(visit: Visit) -> None:
    (closed,) = free_ports(1)
    away = {"KAFKA_BOOTSTRAP_SERVERS": f"localhost:{closed}"}
    with running(["explorer.kafka_alone"], away) as url:
        for view in ("Topics", "Groups", "Messages"):
            visitor = visit(url)
            visitor.open(address(url, view=view), "Kafka")
            alert = visitor.page.get_by_role("alert")
            expect(alert).to_contain_text("./initial-setup.sh", timeout=20_000)


# For people to look at.
@pytest.mark.thorough
@pytest.mark.parametrize("view", ["Topics", "Groups", "Messages"])
def test_pictures(visit: Visit, kafka_page: str, view: str) -> None:
    for size, scheme, name in ((None, "light", "desktop"), (PHONE, "dark", "phone")):
        visitor = visit(kafka_page, *([size] if size else []), scheme=scheme)
        visitor.open(address(kafka_page, view=view, topic=TOPIC, key_part="MTR-1000"), "Kafka")
        visitor.picture(f"kafka-{view.lower()}-{name}-{scheme}")

        assert not visitor.is_wider_than_its_window()
