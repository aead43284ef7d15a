"""Columns of tables: numbers and times as the reader's language writes them, units in the title."""

from __future__ import annotations

from typing import Any

import streamlit as st

LOCALIZED = "localized"


def number(label: str, digits: int = 0, **options: Any) -> Any:
    """A column of numbers with so many decimals."""
    column = st.column_config.NumberColumn
    return column(label, format=LOCALIZED, step=10**-digits if digits else 1, **options)


def moment(label: str, **options: Any) -> Any:
    """A column of times in UTC, which the title says."""
    return st.column_config.DatetimeColumn(label, format=LOCALIZED, timezone="UTC", **options)


def day(label: str) -> Any:
    """A column of days."""
    return st.column_config.DateColumn(label, format=LOCALIZED)


# What names a rule of validation and what it found.
RULE = {
    "rule_code": st.column_config.TextColumn("Rule", pinned=True),
    "rule_name": "Name",
    "severity": "Severity",
    "cause": "Looks like",
}
