"""The dbt project as dbt runs it: its own tests hold, and dbt's cache does not mislead it."""

from __future__ import annotations

import pytest

from tests.integration.lakehouse import Lakehouse, reading

pytestmark = pytest.mark.same_in_both_modes

# Two models that start at once look into one source's schema: the second may find of it what the
# first has entered so far. Here that is another table.
HALF_FILLED_CACHE = """
{% if execute %}
{% do adapter.cache_added(api.Relation.create('iceberg', 'landing', 'another', type='table')) %}
{% do require_relation(api.Relation.create('iceberg', 'landing', 'telemetry_raw'), 'wait') %}
{% endif %}
select 1
"""

# What a run of an older project recorded says nothing about the columns that models have now.
COLUMNS_OF_AN_OLDER_PROJECT = """
{% if execute %}
{% set mart = api.Relation.create('iceberg', 'marts', 'device_health_status', type='table') %}
{% set recorded = {'code': 'of an older project', 'names': ['device_id', 'mood']} %}
{% do known_columns(mart, "select 'MTR-1' as device_id, 'fine' as mood", recorded) %}
{% endif %}
select 1
"""


def test_models_and_their_tests_all_pass(lakehouse: Lakehouse) -> None:
    lakehouse.send(reading("MTR-10000", "2026-01-01T00:00:00Z"))
    lakehouse.land()
    lakehouse.dbt("build")


def test_a_table_is_found_beside_a_half_filled_cache(lakehouse: Lakehouse) -> None:
    lakehouse.dbt("compile", "--inline", HALF_FILLED_CACHE)


def test_a_model_with_other_columns_than_its_table_is_refused(
    lakehouse: Lakehouse, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError) as failure:
        lakehouse.dbt("compile", "--inline", COLUMNS_OF_AN_OLDER_PROJECT)
    # Natively dbt prints; in a container what it printed comes with the failure.
    assert "not in the table: mood" in f"{failure.value}{capfd.readouterr().out}"
