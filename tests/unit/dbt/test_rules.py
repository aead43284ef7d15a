"""PostgreSQL, the models and the documentation know the same rules of validation."""

from __future__ import annotations

import re

import pytest

from stack.base.root import PROJECT_ROOT

MODELS = PROJECT_ROOT / "dbt-project" / "models"


def text(name: str) -> str:
    return (PROJECT_ROOT / name).read_text("utf-8")


TABLE = text("postgres-init/37_vee_rules.sql")
CHECK, DEFAULTS = TABLE.split("create table")
NAMES = (MODELS / "staging" / "stg_vee_rules.sql").read_text("utf-8")
HITS = "".join(
    (MODELS / "intermediate" / f"int_{kind}_hits.sql").read_text("utf-8")
    for kind in ("rule", "slot", "day")
)
PAGE = text("docs/rules.md")
# Of the rows of the page's table: rule, severity, thresholds, slots.
ROWS = re.findall(r"^\| (R\d\d) (\w+) \|.*\| (\w+) \|([^|]*)\|([^|]*)\|$", PAGE, re.MULTILINE)
CODES = [code for code, *_ in ROWS]


@pytest.mark.parametrize(
    "known",
    [
        re.findall(r"^        \('(R\d\d)'", CHECK, re.MULTILINE),
        re.findall(r"^    \('(R\d\d)'", DEFAULTS, re.MULTILINE),
        re.findall(r"^            \('(R\d\d)'", NAMES, re.MULTILINE),
        sorted(set(re.findall(r"'(R\d\d)'", HITS))),
    ],
    ids=["check", "defaults", "names", "hits"],
)
def test_a_rule_is_known_everywhere(known: list[str]) -> None:
    assert known == CODES


def test_the_page_names_the_rules_as_the_models_do() -> None:
    names = re.findall(r"^            \('(R\d\d)', '(\w+)'\)", NAMES, re.MULTILINE)
    assert names == [(code, name) for code, name, *_ in ROWS]


def test_the_page_has_the_defaults_of_a_first_setup() -> None:
    rows = re.findall(
        r"^    \('(R\d\d)', '(\w+)', ([\d.]+|null), ([\d.]+|null\S*), (\d+|null\S*)\)",
        DEFAULTS,
        re.MULTILINE,
    )
    written = [
        [code, severity, *("" if each.startswith("null") else each for each in numbers)]
        for code, severity, *numbers in rows
    ]
    shown = [
        [code, severity, *[*thresholds.strip().split(", "), ""][:2], slots.strip()]
        for code, _, severity, thresholds, slots in ROWS
    ]
    assert written == shown


def test_classes_are_those_of_customers_and_all() -> None:
    of_customers = re.search(
        r"check \(customer_class in \(([^)]*)\)", text("postgres-init/30_master_data.sql")
    )
    assert of_customers
    of_rules = re.search(r"customer_class not in \(([^)]*)\)", CHECK)
    assert of_rules
    resolved = re.search(r"array\[(.*)\]\) as classes", NAMES)
    assert resolved
    classes = re.findall(r"'(\w+)'", of_customers[1])
    for found in (of_rules[1], resolved[1]):
        assert re.findall(r"'(\w+)'", found) == ["all", *classes]
