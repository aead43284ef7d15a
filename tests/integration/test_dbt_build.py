"""Every dbt unit test and data test holds on the running stack, after all kinds of messages."""

from __future__ import annotations

from tests.integration.lakehouse import Lakehouse, reading


def test_models_and_their_tests_all_pass(lakehouse: Lakehouse) -> None:
    lakehouse.send(reading("MTR-10000", "2026-01-01T00:00:00Z"))
    lakehouse.land()
    lakehouse.dbt("build")
