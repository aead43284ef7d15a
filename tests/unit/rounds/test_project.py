"""What the runner knows of the dbt project comes from its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.base.errors import ConfigurationError
from stack.rounds.project import Project

SOURCES = """
sources:
  - name: landing
    tables: [{name: telemetry_raw}, {name: meter_logs}]
  - name: master_data
    schema: public
    tables: [{name: device_master}]
"""
RENAMED = """
sources:
  - name: arrivals
    schema: landing
    tables: [{name: smart_breaker}]
"""


def project(folder: Path, **files: str) -> Project:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yml", ".yml").replace("_sql", ".sql")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Project(folder)


def test_sources_are_the_tables_of_schema_landing(tmp_path: Path) -> None:
    found = project(tmp_path, models__a_yml=SOURCES, models__deep__b_yml=RENAMED).sources()
    assert found == {
        "telemetry_raw": "landing.telemetry_raw",
        "meter_logs": "landing.meter_logs",
        "smart_breaker": "arrivals.smart_breaker",
    }


def test_sources_may_stand_beside_yaml_without_any(tmp_path: Path) -> None:
    found = project(tmp_path, models__a_yml=RENAMED, models__b_yml="", models__c_yml="models: []")
    assert found.sources() == {"smart_breaker": "arrivals.smart_breaker"}


def test_project_without_landing_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="schema landing"):
        project(tmp_path, models__a_yml="models: []").sources()


def test_fingerprint_changes_with_content_and_name(tmp_path: Path) -> None:
    model = tmp_path / "models" / "a.sql"
    first = project(tmp_path, models__a_sql="select 1").fingerprint()
    model.write_text("select 2")
    second = Project(tmp_path).fingerprint()
    model.rename(tmp_path / "models" / "b.sql")
    third = Project(tmp_path).fingerprint()
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("folder", ["target", "logs", "dbt_packages", ".git", "__pycache__"])
def test_fingerprint_ignores_what_programs_write(tmp_path: Path, folder: str) -> None:
    before = project(tmp_path, models__a_sql="select 1").fingerprint()
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "manifest.json").write_text("{}")
    assert Project(tmp_path).fingerprint() == before
