"""docs/models.md names every file that a field and a topic need, and its templates are models."""

from __future__ import annotations

import re
import subprocess

import pytest

from stack.base.root import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs/models.md").read_text("utf-8")
# Folders whose files say what lands and what models make of it.
FOLDERS = ("lander", "dbt-project", "trino/etc", "kafka")


def section(title: str) -> str:
    """The text of a section of the page."""
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def listed(title: str) -> set[str]:
    """Files in the table of a section."""
    return set(re.findall(r"^\| `([^`]+)` \|", section(title), re.MULTILINE))


def files_with(word: str) -> set[str]:
    """Files of the project that hold a word, as git finds them."""
    command = ["git", "grep", "--files-with-matches", "--word-regexp", word, "--", *FOLDERS]
    found = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_the_page_lists_every_file_of_a_field() -> None:
    assert listed("A field of telemetry") == files_with("frequency_hz")


def test_the_page_lists_every_file_of_a_topic() -> None:
    # Its tests of sums stand in a file of their own; a new topic has them when it has sums.
    sums = "dbt-project/data-tests/parsed_and_unparsed_are_landed.sql"
    assert listed("A topic") == files_with("meter_logs") - {sums}


@pytest.mark.parametrize("macro", ["processing_window", "touched_ranges", "run_note", "in_window"])
def test_the_page_uses_macros_that_exist(macro: str) -> None:
    assert f"{macro}(" in section("A model")
    assert list((PROJECT_ROOT / "dbt-project/macros").rglob(f"{macro}.sql"))
