"""A dbt project of one model over one landing table, apart from the stack's own models."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from lander.catalog import open_catalog
from stack.base.settings import Settings
from stack.rounds.project import Project
from stack.writing import statements
from tests.integration.lakehouse import Lakehouse

COUNTING_MODEL = """
{{ config(materialized='table', on_table_exists='replace') }}
select count(*) as message_count from {{ source('landing', 'NAME') }}
"""
# Days of counting on any machine; it stores nothing before its end.
ENDLESS_MODEL = """
{{ config(materialized='table', on_table_exists='replace') }}
select sum(a.n * b.n + c.n) as total
from unnest(sequence(1, 10000)) as a (n)
cross join unnest(sequence(1, 10000)) as b (n)
cross join unnest(sequence(1, 10000)) as c (n)
"""
PROJECT_FILES = {
    "dbt_project.yml": """
name: rounds
version: 1.0.0
profile: rounds
model-paths: [models]
flags: {send_anonymous_usage_stats: false, require_certificate_validation: true}
""",
    "profiles.yml": """
rounds:
  target: lakehouse
  outputs:
    lakehouse:
      type: trino
      method: none
      http_scheme: http
      host: "{{ env_var('TRINO_HOST') }}"
      port: "{{ env_var('TRINO_PORT') | as_number }}"
      user: NAME
      database: iceberg
      schema: NAME
      threads: 2
""",
    "models/landing.yml": """
sources:
  - name: landing
    database: iceberg
    schema: landing
    tables: [{name: NAME}]
""",
    "models/counted.sql": COUNTING_MODEL,
}


@dataclass(frozen=True)
class Small:
    """A dbt project of one model over one landing table.

    folder: holds the project and, beside it, a state folder. name: of the landing table, of the
    models' schema and of the project's user in Trino.
    """

    folder: Path
    name: str
    lakehouse: Lakehouse

    @property
    def settings(self) -> Settings:
        """The stack's settings with a state folder of the test's own."""
        return replace(self.lakehouse.settings, state_dir=self.folder / "state")

    @property
    def project(self) -> Project:
        """The project as the runner knows it."""
        return Project(self.folder / "project", self.name)

    def write(self, file: str, text: str) -> None:
        """Put a file into the project."""
        path = self.project.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", self.name), encoding="utf-8")

    def land(self) -> None:
        """Add a row to the landing table, as the lander does: Trino lets nobody write there."""
        table = open_catalog(self.lakehouse.settings).load_table(("landing", self.name))
        table.append(pa.table({"n": pa.array([1], pa.int32())}))

    def counted(self) -> int:
        """What the model says."""
        return int(self.lakehouse.value(f"select message_count from iceberg.{self.name}.counted"))

    def running(self) -> list[statements.Statement]:
        """Writing statements of this project that have not ended."""
        return statements.running_writes(statements.writers(self.settings, self.name))

    def health(self) -> dict[str, Any]:
        """What the runner says of itself."""
        path = self.folder / "state" / "health" / "dbt.json"
        health: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return health
