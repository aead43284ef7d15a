"""A table's next metadata file says one thing more and forgets nothing but its oldest files."""

from __future__ import annotations

from typing import Any

import pytest

from stack.base.errors import RetriableError
from stack.clients.metadata import next_location, with_descriptions, with_properties

FOLDER = "s3://lakehouse/warehouse/marts/a-1/metadata"
# An entry of a later format version has to come out as it went in.
TABLE: dict[str, Any] = {
    "format-version": 2,
    "last-updated-ms": 1000,
    "properties": {"a": "1", "write.metadata.previous-versions-max": "2"},
    "metadata-log": [
        {"timestamp-ms": 10, "metadata-file": f"{FOLDER}/1"},
        {"timestamp-ms": 20, "metadata-file": f"{FOLDER}/2"},
    ],
    "next-row-id": 7,
}
DELETING = {"write.metadata.delete-after-commit.enabled": "true"}


def test_a_property_is_added_and_the_file_before_is_logged() -> None:
    changed, dropped = with_properties(TABLE, f"{FOLDER}/3", {"b": "2"}, 2000)
    assert changed == {
        "format-version": 2,
        "last-updated-ms": 2000,
        "properties": {"a": "1", "b": "2", "write.metadata.previous-versions-max": "2"},
        "metadata-log": [
            {"timestamp-ms": 20, "metadata-file": f"{FOLDER}/2"},
            {"timestamp-ms": 1000, "metadata-file": f"{FOLDER}/3"},
        ],
        "next-row-id": 7,
    }
    assert dropped == ()


def test_the_oldest_file_goes_where_the_table_says_so() -> None:
    _, dropped = with_properties(TABLE, f"{FOLDER}/3", DELETING, 2000)
    assert dropped == (f"{FOLDER}/1",)


def test_time_never_runs_backwards() -> None:
    changed, _ = with_properties(TABLE, f"{FOLDER}/3", {}, 999)
    assert changed["last-updated-ms"] == 1000


def test_descriptions_are_those_of_the_current_columns_and_of_the_table() -> None:
    old, new = ({"schema-id": number, "fields": fields()} for number in (0, 1))
    table = {"current-schema-id": 1, "schemas": [old, new], "next-row-id": 7}
    changed, properties = with_descriptions(table, "Days.", {"kwh": "Energy.", "gone": "Not here."})
    assert changed == {
        "current-schema-id": 1,
        "schemas": [
            {"schema-id": 0, "fields": fields()},
            {"schema-id": 1, "fields": [fields()[0], {"id": 2, "name": "kwh", "doc": "Energy."}]},
        ],
        "next-row-id": 7,
    }
    assert properties == {"comment": "Days."}
    assert with_descriptions(table, "", {}) == (table, {})


def fields() -> list[dict[str, Any]]:
    return [{"id": 1, "name": "day", "doc": "Local day."}, {"id": 2, "name": "kwh"}]


def test_the_next_file_lies_beside_the_last_with_the_next_number() -> None:
    location = next_location(f"{FOLDER}/00041-6f1f-b5.metadata.json")
    assert location.startswith(f"{FOLDER}/00042-")
    assert location.endswith(".metadata.json")


@pytest.mark.parametrize("name", ["v3.metadata.json", "00001-a.gz", "00001-a/b.metadata.json"])
def test_a_file_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(RetriableError, match="NUMBER-UUID"):
        next_location(f"{FOLDER}/{name}")
