"""The end of a test run: every failure counts, and the longest steps and tests are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.report import main

GOOD = '<testcase classname="tests.unit.test_a" name="test_{name}" time="{seconds}"/>'
BAD = '<testcase classname="tests.unit.test_a" name="test_bad" time="0.5"><{kind}/></testcase>'


def write(folder: Path, name: str, *cases: str) -> None:
    text = f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"
    (folder / f"{name}.xml").write_text(text, encoding="utf-8")


def good(name: str, seconds: float = 0.1) -> str:
    return GOOD.format(name=name, seconds=seconds)


def test_all_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "unit", good("one"), good("two"))
    (tmp_path / "steps.tsv").write_text("82\tChecks, and more\n7\tA native stack\n")

    code = main([str(tmp_path)])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    # Two tests, and the checks as one.
    assert lines[-1] == "3 passed, 0 failed"
    assert "      82 s  Checks, and more" in lines


@pytest.mark.parametrize("kind", ["failure", "error", "skipped"])
def test_one_that_did_not_pass_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    write(tmp_path, "unit", good("one"), BAD.format(kind=kind))

    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 1 failed"


def test_a_step_that_failed_counts_though_all_tests_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "unit", good("one"))
    (tmp_path / "failed").write_text("checks\nsetup, native\n")

    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "failed: checks, setup, native",
        "1 passed, 1 failed",
    ]


def test_a_run_without_tests_has_failed(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 1


def test_the_ten_longest_of_all_suites_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "native", *(good(f"n{number}", number) for number in range(9)))
    write(tmp_path, "compose", good("slow", 100), good("quick", 0.01), good("middle", 4.5))

    main([str(tmp_path)])

    told = [
        line.split(".test_")[-1] for line in capsys.readouterr().out.splitlines() if " s  " in line
    ]
    assert told == ["slow", "n8", "n7", "n6", "n5", "middle", "n4", "n3", "n2", "n1"]
