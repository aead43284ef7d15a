"""What is asked of Trino."""

from __future__ import annotations

from stack.scorecard.evidence import listed


def test_meters_are_listed_as_text_unless_they_are_too_many() -> None:
    assert listed(["MTR-1", "O'Hara 2"]) == "'MTR-1', 'O''Hara 2'"
    assert listed([f"MTR-{number}" for number in range(1001)]).startswith("select device_id")
