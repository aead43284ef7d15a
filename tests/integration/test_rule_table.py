"""The table of rules: defaults of a first setup, changes that later ones keep, rows refused."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg2
import pytest

from stack.base.root import PROJECT_ROOT
from tests.integration.lakehouse import Lakehouse
from tests.integration.test_name_rules import scratch_database

pytestmark = pytest.mark.same_in_both_modes

INIT_FILE = PROJECT_ROOT / "postgres-init" / "37_vee_rules.sql"
SCRIPT = INIT_FILE.read_text("utf-8").replace("\\connect meterhouse\n", "")
# As the specification of the rules has them; R05 and R16 in per cent, R17 in minutes.
DEFAULTS = {
    ("R01", "info", "0", None, None),
    ("R02", "info", "0", None, None),
    ("R05", "soft", "1", None, None),
    ("R06", "hard", "0", None, None),
    ("R07", "soft", "1.1", "3", None),
    ("R15", "hard", "400", "2500", 20),
    ("R16", "hard", "3", None, 20),
    ("R17", "hard", "5", None, None),
    ("R20", "soft", None, None, None),
}
RULE = {
    "rule_code": "R07",
    "customer_class": "trade",
    "valid_from": "2026-01-01",
    "severity": "soft",
    "threshold_1": 1.5,
    "threshold_2": 4,
    "min_slots": None,
}
TOO_MANY_DAYS = {"rule_code": "R15", "threshold_1": 400, "threshold_2": 2500, "min_slots": 0}
REFUSED = {
    "unknown rule": ({"rule_code": "R99"}, "a rule_code that the models know; found 'R99'"),
    "unknown severity": ({"severity": "stop"}, "severity info, soft or hard; found 'stop'"),
    "unknown class": ({"customer_class": "gold"}, "all, household or trade; found 'gold'"),
    "endless date": ({"valid_from": "infinity"}, "between 1900-01-01 and 9999-12-31; found"),
    "no limit": (
        {"threshold_1": None},
        "of R07 between 0.01 and 100000; found nothing",
    ),
    "no number": (
        {"threshold_1": "NaN"},
        "of R07 between 0.01 and 100000; found 'NaN'",
    ),
    "too low": ({"threshold_2": 1.5}, "above its threshold_1 of 1.5 and up to 100000; found '1.5'"),
    "of no use": (
        {"rule_code": "R06", "threshold_1": -0.5, "threshold_2": 1},
        "no threshold_2 of R06, which has none; found '1'",
    ),
    "no limit at all": (
        {"rule_code": "R20", "threshold_1": 1, "threshold_2": None},
        "no threshold_1 of R20, which has none; found '1'",
    ),
    "missing second": (
        {"rule_code": "R15", "threshold_1": 400, "threshold_2": None, "min_slots": 20},
        "threshold_2 of R15 above its threshold_1; found nothing",
    ),
    "no slots": (TOO_MANY_DAYS, "min_slots of R15 between 1 and 1500; found '0'"),
    "slots of no use": ({"min_slots": 3}, "no min_slots of R07, which has none; found '3'"),
}


@pytest.fixture
def cursor(lakehouse: Lakehouse) -> Iterator[Any]:
    """A database with the table as a first setup makes it."""
    with scratch_database(lakehouse) as session:
        session.execute(SCRIPT)
        yield session


def rows(cursor: Any) -> set[tuple[Any, ...]]:
    """The rules for all from the beginning, thresholds as short as they can be written."""
    cursor.execute(
        "select rule_code, severity, trim_scale(threshold_1)::text, "
        "trim_scale(threshold_2)::text, min_slots from vee_rule "
        "where customer_class = 'all' and valid_from = '1900-01-01' and is_active"
    )
    return set(cursor.fetchall())


def insert(cursor: Any, row: dict[str, Any]) -> None:
    """Write one row."""
    places = ", ".join(["%s"] * len(row))
    cursor.execute(f"insert into vee_rule ({', '.join(row)}) values ({places})", [*row.values()])


def test_a_first_setup_fills_in_the_defaults(cursor: Any) -> None:
    assert rows(cursor) == DEFAULTS


def test_a_later_setup_keeps_what_a_utility_changed(cursor: Any) -> None:
    cursor.execute("update vee_rule set threshold_1 = 1.3 where rule_code = 'R07'")
    cursor.execute("update vee_rule set valid_from = '2026-01-01' where rule_code = 'R05'")
    cursor.execute("update vee_rule set is_active = false where rule_code = 'R16'")
    insert(cursor, RULE)
    cursor.execute("select * from vee_rule")
    changed = set(cursor.fetchall())

    cursor.execute(SCRIPT)

    cursor.execute("select * from vee_rule")
    assert set(cursor.fetchall()) == changed
    assert len(changed) == len(DEFAULTS) + 1


def test_a_rule_without_a_row_gets_its_default_back(cursor: Any) -> None:
    cursor.execute("delete from vee_rule where rule_code = 'R05'")
    cursor.execute(SCRIPT)
    assert rows(cursor) == DEFAULTS


@pytest.mark.parametrize(("changes", "said"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_cannot_be_evaluated_is_refused_with_what_is_wanted(
    cursor: Any, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(psycopg2.errors.CheckViolation) as refusal:
        insert(cursor, RULE | changes)
    (first, *_) = str(refusal.value).splitlines()
    assert first.startswith("wanted ")
    assert said in first
    assert first.endswith("docs/rules.md says what each rule takes")


def test_a_good_row_is_taken_and_a_change_to_a_bad_one_is_not(cursor: Any) -> None:
    insert(cursor, RULE)
    with pytest.raises(psycopg2.errors.CheckViolation):
        cursor.execute("update vee_rule set severity = 'stop' where customer_class = 'trade'")
    cursor.execute("select threshold_1 from vee_rule where customer_class = 'trade'")
    assert cursor.fetchall() == [(Decimal("1.5"),)]
