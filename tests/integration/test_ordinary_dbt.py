"""Run what dbt's own tutorials teach in the project, and refuse what it cannot do."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from stack.base.root import PROJECT_ROOT
from stack.rounds.by_hand import run_dbt
from stack.rounds.project import Project
from tests.integration.lakehouse import Lakehouse

pytestmark = pytest.mark.same_in_both_modes

NEW_ROWS = "{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}"
FILES = {
    "seeds/properties.yml": "seeds: [{name: raw_orders, config: {schema: NAME}}]",
    "models/tutorial/stg_orders.sql": (
        "{{ config(schema='NAME', materialized='view') }} "
        "select id, customer, status, amount from {{ ref('raw_orders') }}"
    ),
    "models/tutorial/orders.sql": (
        "{{ config(schema='NAME', materialized='table') }} select * from {{ ref('stg_orders') }}"
    ),
    "models/tutorial/orders_appended.sql": (
        "{{ config(schema='NAME', materialized='incremental') }} "
        "select * from {{ ref('stg_orders') }} " + NEW_ROWS
    ),
    "models/tutorial/orders_merged.sql": (
        "{{ config(schema='NAME', materialized='incremental', unique_key='id', "
        "incremental_strategy='merge') }} select * from {{ ref('stg_orders') }}"
    ),
    "models/tutorial/orders_replaced.sql": (
        "{{ config(schema='NAME', materialized='incremental', unique_key='customer', "
        "incremental_strategy='delete+insert') }} select * from {{ ref('stg_orders') }} "
        "{% if is_incremental() %} where customer = 'Ada' {% endif %}"
    ),
    "snapshots/orders_history.yml": """
snapshots:
  - name: orders_history
    relation: ref('stg_orders')
    config: {schema: NAME, unique_key: id, strategy: check, check_cols: [status]}
""",
}
FIRST = "id,customer,status,amount\n1,Ada,placed,10\n2,Bob,placed,20\n"
SECOND = "id,customer,status,amount\n1,Ada,returned,10\n2,Bob,shipped,20\n3,Cem,placed,30\n"
SELECT = ["--select", "path:seeds", "path:models/tutorial", "path:snapshots"]


@dataclass(frozen=True)
class Copy:
    """The dbt project with models of a test's own. schema: of those models."""

    lakehouse: Lakehouse
    folder: Path
    schema: str

    def write(self, file: str, text: str) -> None:
        """Put a file into the project."""
        path = self.folder / "project" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("NAME", self.schema), encoding="utf-8")

    def dbt(self, *words: str) -> int:
        """One dbt command by hand; its exit code."""
        settings = replace(self.lakehouse.settings, state_dir=self.folder / "state")
        return run_dbt(words, settings, Project(self.folder / "project"))

    def rows(self, table: str) -> list[list[Any]]:
        """Rows of a tutorial model in the order of their ids."""
        return self.lakehouse.sql(
            f"select id, customer, status, amount from iceberg.{self.schema}.{table} order by id"
        )


@pytest.fixture(scope="module")
def copy(lakehouse: Lakehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    made = Copy(lakehouse, tmp_path_factory.mktemp("dbt"), f"dbt_tutorial_{uuid.uuid4().hex[:12]}")
    generated = shutil.ignore_patterns("target", "logs")
    shutil.copytree(PROJECT_ROOT / "dbt-project", made.folder / "project", ignore=generated)
    yield made
    lakehouse.sql(f"drop schema if exists iceberg.{made.schema} cascade")


@pytest.fixture(scope="module")
def tutorial(copy: Copy) -> Copy:
    for file, text in FILES.items():
        copy.write(file, text)
    for orders in (FIRST, SECOND):
        copy.write("seeds/raw_orders.csv", orders)
        assert copy.dbt("build", *SELECT) == 0
    return copy


ADA, BOB = [1, "Ada", "placed", 10], [2, "Bob", "placed", 20]
ADA_NOW, BOB_NOW = [1, "Ada", "returned", 10], [2, "Bob", "shipped", 20]
CEM = [3, "Cem", "placed", 30]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("raw_orders", [ADA_NOW, BOB_NOW, CEM]),
        ("stg_orders", [ADA_NOW, BOB_NOW, CEM]),
        ("orders", [ADA_NOW, BOB_NOW, CEM]),
        ("orders_appended", [ADA, BOB, CEM]),
        ("orders_merged", [ADA_NOW, BOB_NOW, CEM]),
        ("orders_replaced", [ADA_NOW, BOB]),
    ],
)
def test_a_model_of_the_tutorial_runs_twice(
    tutorial: Copy, model: str, expected: list[list[Any]]
) -> None:
    assert tutorial.rows(model) == expected


def test_a_snapshot_keeps_what_was(tutorial: Copy) -> None:
    history = tutorial.lakehouse.sql(
        "select id, status, dbt_valid_to is null "
        f"from iceberg.{tutorial.schema}.orders_history order by id, 3"
    )
    assert history == [
        [1, "placed", False],
        [1, "returned", True],
        [2, "placed", False],
        [2, "shipped", True],
        [3, "placed", True],
    ]


@pytest.mark.parametrize(
    ("strategy", "found"),
    [
        ("delete+insert", "found delete+insert; set one of the two"),
        ("append", "found none; copy the first lines"),
    ],
    ids=["unknown strategy", "no run note"],
)
def test_a_model_by_batch_that_lacks_something_is_refused(
    copy: Copy, capfd: pytest.CaptureFixture[str], strategy: str, found: str
) -> None:
    config = f"schema='NAME', materialized='by_batch', incremental_strategy='{strategy}'"
    copy.write("models/mine/mine.sql", f"{{{{ config({config}) }}}} select 1 as id")
    assert copy.dbt("run", "--select", "mine") == 1
    assert found in capfd.readouterr().out
