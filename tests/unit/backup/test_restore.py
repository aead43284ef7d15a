"""What must be said or stopped before anything is put back, and what the catalog's dump names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stack.backup import gap, restore
from stack.backup.databases import CatalogEntry, parse_entries
from stack.backup.folder import Backup
from stack.base.errors import ConfigurationError, RetriableError
from stack.base.settings import load_settings
from stack.clients.postgres import CATALOG, MASTER_DATA
from stack.maintenance.retention import Retention
from stack.modes.runtime import State

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BACKUP = Backup(Path("b"), NOON, None, "lakehouse", {}, 0, 0, {})
# As pg_restore 18 prints it.
SCRIPT = """\
SET standard_conforming_strings = on;
COPY public.iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, \
previous_metadata_location, iceberg_type) FROM stdin;
lakehouse\tlanding\tt\ts3://lakehouse/t/1.json\t\\N\tTABLE
lakehouse\tmarts\tv\ts3://lakehouse/v/1.json\t\\N\tVIEW
lakehouse\tmarts\told\ts3://lakehouse/o/1.json\t\\N\t\\N
other\tmarts\tx\ts3://lakehouse/x/1.json\t\\N\tTABLE
\\.
lakehouse\tno\trow\tof it\t\\N\tTABLE
"""


def test_the_dump_names_tables_and_views_of_this_catalog() -> None:
    assert parse_entries(SCRIPT) == [
        CatalogEntry("landing.t", "s3://lakehouse/t/1.json", is_view=False),
        CatalogEntry("marts.v", "s3://lakehouse/v/1.json", is_view=True),
        CatalogEntry("marts.old", "s3://lakehouse/o/1.json", is_view=False),
    ]


def test_a_dump_without_the_catalogs_table_is_told() -> None:
    with pytest.raises(RetriableError, match="iceberg_tables"):
        parse_entries("SET x = y;")


@pytest.mark.parametrize(
    ("name", "status"),
    [("lander", "RUNNING"), ("dbt", "BACKOFF"), ("telemetry-lander", "restarting")],
)
def test_a_writer_that_runs_is_refused(name: str, status: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{name} running.*initial-setup.sh stop"):
        restore.refuse_writers([State("postgres", "RUNNING", True), State(name, status, True)])


def test_writers_at_rest_and_other_services_are_no_hindrance() -> None:
    restore.refuse_writers(
        [
            State("trino", "RUNNING", True),
            State("lander", "STOPPED", False),
            State("dbt", "EXITED", False),
            State("dbt-transformations", "exited (0)", False),
        ]
    )


def test_what_is_there_is_given_up_only_when_said() -> None:
    with pytest.raises(ConfigurationError, match=r"14 tables and views and 10 meters.*--replace"):
        restore.refuse_contents(["14 tables and views", "10 meters"], BACKUP)
    restore.refuse_contents(["", ""], BACKUP)


def test_another_bucket_is_refused() -> None:
    settings = replace(load_settings({}), s3_bucket="other")
    with pytest.raises(ConfigurationError, match="S3_BUCKET=lakehouse"):
        restore.check_bucket(settings.s3_bucket, BACKUP)


def test_parts_are_the_databases_that_were_chosen() -> None:
    assert restore.Parts().databases == [CATALOG, MASTER_DATA]
    assert restore.Parts(master_data=False).databases == [CATALOG]
    assert restore.Parts(catalog=False).databases == [MASTER_DATA]


def test_the_gap_is_filled_while_retention_outlasts_age_and_repair() -> None:
    topics = [Retention("a", 168.0, ()), Retention("b", 100.0, ()), Retention("c", None, ())]
    # 100 h are kept, 24 h are for the restore: 76 h of age at most.
    assert gap.fills_until(topics, 24.0, NOON) == NOON + timedelta(hours=76)
    assert gap.fills_until([Retention("c", None, ())], 24.0, NOON) is None
