"""docs/models.md names every file that a field and a topic need, and its templates are models."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from stack.base.root import PROJECT_ROOT

PAGE = (PROJECT_ROOT / "docs/models.md").read_text("utf-8")
# Folders whose files say what lands and what models make of it.
FOLDERS = ("lander", "dbt-project", "trino/etc", "kafka")


def section(title: str) -> str:
    """The text of a section of the page."""
    return PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def listed(title: str, after: str = "") -> set[str]:
    """Files in the first table of a section, or in the first after some words of it."""
    table = section(title).split(after, 1)[-1] if after else section(title)
    table = table.split("| --- |", 1)[1].split("\n\n", 1)[0]
    return set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE))


def files_with(word: str, folders: tuple[str, ...] = FOLDERS) -> set[str]:
    """Files of the project that hold a word, as git finds them."""
    command = ["git", "grep", "--files-with-matches", "--word-regexp", word, "--", *folders]
    found = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_the_page_lists_every_file_of_a_field() -> None:
    assert listed("A field of telemetry") == files_with("frequency_hz")


def test_the_page_lists_every_file_of_a_field_that_readings_have() -> None:
    title = "A field of telemetry"
    word = r"interval_s\(_before\)\?"
    found = files_with(word, (*FOLDERS, "simulator", "tests/fuzz/*.py"))
    # Reports the interval that a run of the simulator was asked for.
    run_report = "simulator/simulate.py"
    assert listed(title, "On to readings") == found - listed(title) - {run_report}


def test_the_page_lists_every_file_of_a_column_of_the_mart() -> None:
    found = files_with("max_voltage", ("dbt-project",))
    assert listed("A field of telemetry", "A column of the mart") == found


def test_the_page_lists_every_file_of_a_topic() -> None:
    # Its tests of sums stand in a file of their own; a new topic has them when it has sums.
    sums = "dbt-project/data-tests/parsed_and_unparsed_are_landed.sql"
    assert listed("A topic") == files_with("meter_logs") - {sums}


def test_the_page_lists_every_file_of_a_rule() -> None:
    folders = ("postgres-init", "dbt-project", "docs/rules.md", "tests/integration", "tests/seeded")
    # Tests that a new rule need not change, and one that holds no rule by its name.
    others = {
        "tests/integration/test_rules.py",
        "tests/integration/test_scorecard.py",
        "tests/seeded/test_seeded_rules.py",
    }
    by_pattern = {"tests/unit/dbt/test_rules.py"}
    assert listed("A rule of validation") - by_pattern == files_with("R06", folders) - others


def test_the_sql_of_the_page_passes_the_linter(tmp_path: Path) -> None:
    blocks = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for number, block in enumerate(blocks):
        (tmp_path / f"block_{number}.sql").write_text(block)
    command = [sys.executable, "-m", "sqlfluff", "lint", "--config", ".sqlfluff", str(tmp_path)]
    found = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("macro", ["processing_window", "touched_ranges", "run_note", "in_window"])
def test_the_page_uses_macros_that_exist(macro: str) -> None:
    assert f"{macro}(" in section("A model")
    assert list((PROJECT_ROOT / "dbt-project/macros").rglob(f"{macro}.sql"))
