"""Topic files: what a good one says and how a bad one is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lander.topics import choose_topics, load_topic, load_topics
from stack.base.errors import ConfigurationError
from stack.base.root import PROJECT_ROOT

GOOD = """
topic: pings
format: json
sort_by: [sender]
fields:
  - {path: from.name, column: sender, type: string, required: true}
  - {path: value, type: double}
"""


def write(folder: Path, text: str, name: str = "pings.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_topic_file_names_columns_after_the_last_part_of_the_path(tmp_path: Path) -> None:
    topic = load_topic(write(tmp_path, GOOD))

    assert [(f.path, f.column, f.type, f.required) for f in topic.fields] == [
        (("from", "name"), "sender", "string", True),
        (("value",), "value", "double", False),
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param("topic: pings", "topic: pongs", "topic: pings", id="other-name-than-file"),
        pytest.param("format: json", "format: avro", "one of json, text", id="unknown-format"),
        pytest.param("type: double", "type: float", "type of value", id="unknown-type"),
        pytest.param("path: value,", "path: value, colour: red,", "colour", id="unknown-field-key"),
        pytest.param("sort_by:", "order_by:", "order_by", id="unknown-topic-key"),
        pytest.param("[sender]", "[receiver]", "receiver", id="sort-by-unknown-column"),
        pytest.param("path: value", "path: other.sender", "sender", id="column-twice"),
        pytest.param("path: value", "path: batch_id", "batch_id", id="column-of-our-own"),
        pytest.param("path: value", "path: from", "from", id="field-around-a-field"),
        pytest.param("path: value", "path: a..b", "a..b", id="empty-part-of-path"),
        pytest.param("format: json", "format: text", "no fields", id="fields-in-text"),
        pytest.param("fields:", "fields: [", "YAML", id="no-yaml"),
        pytest.param("  - {path: value", "  - {column: value", "path", id="no-path"),
    ],
)
def test_a_wrong_topic_file_is_refused_by_name(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    assert before in GOOD
    path = write(tmp_path, GOOD.replace(before, after))

    with pytest.raises(ConfigurationError) as caught:
        load_topic(path)

    assert told in str(caught.value)
    assert "pings.yml" in str(caught.value)


def test_a_topic_file_that_is_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="keys and values"):
        load_topic(write(tmp_path, "- topic: pings"))


def test_another_file_is_another_topic(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    write(tmp_path, "topic: lines\nformat: text\n", "lines.yml")

    assert set(load_topics(tmp_path)) == {"pings", "lines"}


def test_choosing_an_unknown_topic_lists_the_known_ones(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    with pytest.raises(ConfigurationError, match="wanted topics of pings; found pongs"):
        choose_topics(load_topics(tmp_path), ["pongs"])


def test_choosing_no_topic_means_all(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    assert [topic.name for topic in choose_topics(load_topics(tmp_path), [])] == ["pings"]


def test_telemetry_declares_the_columns_of_the_outside_contract() -> None:
    topic = load_topics()["telemetry_raw"]

    assert {
        "device_id": "device_id",
        "customer_id": "customer_id",
        "timestamp": "reading_at",
        "status": "status",
        "metrics.energy_kwh": "energy_kwh",
        "metrics.voltage": "voltage",
        "metrics.battery_pct": "battery_pct",
    }.items() <= {f.name: f.column for f in topic.fields}.items()


def test_only_meter_time_and_energy_decide_about_a_telemetry_message() -> None:
    topic = load_topics()["telemetry_raw"]

    required = {field.name for field in topic.fields if field.required}
    assert required == {"device_id", "timestamp", "metrics.energy_kwh"}


def test_the_topic_is_shown_in_trino_with_every_declared_field() -> None:
    shown = json.loads((PROJECT_ROOT / "trino/etc/kafka/telemetry_raw.json").read_text("utf-8"))
    (topic,) = choose_topics(load_topics(), ["telemetry_raw"])
    paths = {field["mapping"] for field in shown["message"]["fields"]}
    assert paths == {"/".join(field.path) for field in topic.fields}
    assert {field["type"] for field in shown["message"]["fields"]} == {"VARCHAR"}
