"""Measure whether a round costs the same after a year of rounds, with maintenance in between.

Run as `python -m benchmarks.upkeep`. Each round lands small batches of a simulated day in a landing
table of its own and runs the project's models, copied to schemas of their own; after each day
maintenance runs. The rows are verified against plain sums first, then the first rounds are compared
with the last ones. `--without-maintenance` shows what neglect costs. All is deleted afterwards.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np

from lander.batch import Batch, Chunk, Stamp
from lander.offsets import Landed
from lander.parse import parser_for
from lander.table import IcebergTable, connect
from lander.topics import load_topics
from stack import lock
from stack.maintenance.policy import Policy
from stack.maintenance.tables import State, Table, state
from stack.maintenance.warehouse import Warehouse
from stack.maintenance.work import Turn, maintain, session_properties
from stack.root import PROJECT_ROOT
from stack.rounds.decision import Action, Decision
from stack.rounds.health import HealthFile
from stack.rounds.models import Models, Watched
from stack.rounds.outcome import Result
from stack.rounds.project import Project
from stack.services import trino
from stack.settings import Settings, load_settings

FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
ENERGY_KWH = Decimal("0.125")
SCHEMAS = ("staging", "quality", "intermediate", "marts")
# Time is compressed: what a stack keeps for a day is kept here for the last few rounds.
POLICY = Policy(snapshot_hours=60 / 3600, orphan_hours=0.25, file_mb=128, margin_seconds=10)


@dataclass(frozen=True)
class Plan:
    """days: simulated; rounds: a day; commits: landing batches a round; meters: one row each."""

    days: int
    rounds: int
    commits: int
    meters: int

    @property
    def rows(self) -> int:
        """Rows that must be there in the end."""
        return self.days * self.rounds * self.commits * self.meters


@dataclass(frozen=True)
class Cost:
    """What one round took, in seconds, and how the landing table was after it."""

    land_s: float
    models_s: float
    landing: State


class Bench:
    """A landing table and a copy of the models, apart from those of the stack."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.name = f"benchmark_{uuid.uuid4().hex[:8]}"
        self.settings = replace(settings, state_dir=folder / "state")
        self.user = f"dbt_{self.name}"
        self.project = Project(self._copy(folder / "project"), self.user)
        topic = replace(load_topics()["telemetry_raw"], name=self.name)
        self._parser = parser_for(topic)
        self._sort_by = topic.sort_by
        self._table = IcebergTable(topic, partial(connect, settings))
        self._landed = self._table.open(Landed(0, FIRST_DAY, {0: 0}, self.name))
        self._models = Models(self.settings, self.project, lambda text: None)
        health = self.settings.state_dir / "health" / "dbt.json"
        self._health = HealthFile(health, lambda: datetime.now(UTC), time.monotonic)
        for schema in SCHEMAS:
            trino.query(settings, f"create schema iceberg.{self.name}_{schema}")

    def _copy(self, folder: Path) -> Path:
        """The dbt project with this landing table, and schemas and a user of its own."""
        ignored = shutil.ignore_patterns("target", "logs")
        shutil.copytree(PROJECT_ROOT / "dbt-project", folder, ignore=ignored)
        changes = {
            "models/sources/landing.yml": (
                "- name: telemetry_raw\n",
                f"- name: telemetry_raw\n        identifier: {self.name}\n",
            ),
            "profiles.yml": ("user: dbt\n", f"user: {self.user}\n"),
        }
        for file, (old, new) in changes.items():
            text = (folder / file).read_text(encoding="utf-8")
            if old not in text:
                raise SystemExit(f"{file} of the dbt project no longer holds {old!r}")
            (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        (folder / "macros" / "generate_schema_name.sql").write_text(
            "{% macro generate_schema_name(custom_schema_name, node) -%}\n"
            f"    {self.name}_{{{{ custom_schema_name }}}}\n"
            "{%- endmacro %}\n"
        )
        return folder

    def land(self, moment: datetime, meters: int) -> None:
        """Commit one message of each meter, read and landed at a moment."""
        start = self._landed.offsets[0]
        batch = Batch(self._parser)
        zeros, times = np.zeros(meters, np.int64), np.full(meters, moment.timestamp() * 1000)
        offsets = np.arange(start, start + meters)
        messages = [message(10_000 + meter, moment) for meter in range(meters)]
        chunk = Chunk(zeros, offsets, times.astype(np.int64), [None] * meters, messages)
        batch.add(chunk, 0.0)
        landed = self._landed.following({0: start + meters}, moment, self.name)
        stamp = Stamp(landed.batch_id, landed.landed_at, self.name)
        rows = batch.sorted_rows(self._sort_by, stamp)
        self._table.commit(rows, self._table.open(self._landed), landed, ())
        self._landed = landed

    def run_models(self, held: lock.WriterLock) -> None:
        """Run all models once. Raises SystemExit if one fails."""
        watched = Watched(
            held, lambda: False, lambda model: None, lambda: None, self._health.beating
        )
        decision = Decision(Action.RUN, ("benchmark",))
        outcome = self._models.run(decision, self.project.fingerprint(), watched)
        if outcome.result is not Result.OK:
            raise SystemExit(outcome.text)

    def tables(self) -> list[Table]:
        """The tables of this run."""
        found = trino.query(
            self.settings,
            "select table_schema, table_name from iceberg.information_schema.tables "
            f"where table_schema like '{self.name}%' and table_type = 'BASE TABLE'",
        )
        return [Table("landing", self.name), *(Table(schema, name) for schema, name in found)]

    def maintain(self, held: lock.WriterLock) -> None:
        """Maintain every table of this run. Raises SystemExit if that fails."""
        with closing(Warehouse(self.settings, session_properties(POLICY))) as warehouse:
            for table in self.tables():
                done = maintain(warehouse, table, POLICY, Turn(lambda: False, held.check))
                if done is None or done.error:
                    raise SystemExit(f"{table}: {done.error if done else 'gone'}")

    def state(self) -> State:
        """How the landing table is."""
        with closing(Warehouse(self.settings, {})) as warehouse:
            return state(warehouse, Table("landing", self.name))

    def check(self, plan: Plan) -> None:
        """Exit with what is wrong unless every layer holds what the plan says."""
        wanted = {
            f"landing.{self.name}": f"{plan.rows}",
            f"{self.name}_staging.stg_telemetry_raw": f"{plan.rows}",
            f"{self.name}_intermediate.int_meter_readings": f"{plan.rows}",
            f"{self.name}_marts.device_daily_metrics": f"{plan.days * plan.meters}",
        }
        for table, rows in wanted.items():
            ((found,),) = trino.query(self.settings, f"select count(*) from iceberg.{table}")
            if str(found) != rows:
                raise SystemExit(f"{table}: wanted {rows} rows, found {found}")
        ((energy,),) = trino.query(
            self.settings,
            f"select sum(total_energy_kwh) from iceberg.{self.name}_marts.device_daily_metrics",
        )
        if Decimal(energy) != ENERGY_KWH * plan.rows:
            raise SystemExit(f"wanted {ENERGY_KWH * plan.rows} kWh, found {energy}")

    def delete(self) -> None:
        """Remove what the run made."""
        connect(self.settings).purge_table(("landing", self.name))
        for schema in SCHEMAS:
            trino.query(self.settings, f"drop schema iceberg.{self.name}_{schema} cascade")


def message(meter: int, moment: datetime) -> bytes:
    """A reading as the simulator sends it."""
    metrics = {"energy_kwh": float(ENERGY_KWH), "voltage": 230.0, "battery_pct": 80}
    return json.dumps(
        {
            "device_id": f"MTR-{meter}",
            "customer_id": "CUST-8000",
            "timestamp": moment.isoformat(),
            "metrics": metrics,
            "status": "OK",
        }
    ).encode()


def run(bench: Bench, plan: Plan, maintained: bool, held: lock.WriterLock) -> Iterator[Cost]:
    """Play the days; each round's cost."""
    commits = plan.rounds * plan.commits
    for day in range(plan.days):
        for number in range(plan.rounds):
            started = time.monotonic()
            for commit in range(plan.commits):
                minutes = 1440 * (number * plan.commits + commit) / commits
                bench.land(FIRST_DAY + timedelta(days=day, minutes=minutes), plan.meters)
            landed = time.monotonic()
            bench.run_models(held)
            yield Cost(landed - started, time.monotonic() - landed, bench.state())
        if maintained:
            bench.maintain(held)
        sys.stderr.write(f"\rday {day + 1} of {plan.days}")


def show(costs: Sequence[Cost], compared: int) -> None:
    """Print the first rounds, the last rounds and their ratio; the first one warms up."""
    first, last = costs[1 : compared + 1], costs[-compared:]
    print(
        f"\n{'median of ' + str(compared) + ' rounds':24} {'first':>10} {'last':>10} {'ratio':>6}"
    )
    figures = {
        "landing a round, s": lambda cost: cost.land_s,
        "models a round, s": lambda cost: cost.models_s,
        "landing files": lambda cost: cost.landing.files,
        "landing manifests": lambda cost: cost.landing.manifests,
        "landing snapshots": lambda cost: cost.landing.snapshots,
    }
    for name, figure in figures.items():
        old, new = (statistics.median(map(figure, part)) for part in (first, last))
        print(f"{name:24} {old:10.2f} {new:10.2f} {new / old:6.2f}")


def main(words: Sequence[str]) -> int:
    """Play, check, show, delete."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upkeep", description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=4, help="a day (4)")
    parser.add_argument("--commits", type=int, default=36, help="landing commits a round (36)")
    parser.add_argument("--meters", type=int, default=10, help="of the fleet, at most all (10)")
    parser.add_argument("--compared", type=int, default=20, help="rounds at each end (20)")
    parser.add_argument("--without-maintenance", action="store_true")
    options = parser.parse_args(words)
    plan = Plan(options.days, options.rounds, options.commits, options.meters)
    settings = load_settings()
    with (
        tempfile.TemporaryDirectory() as folder,
        lock.hold_lock(settings, lock.MAINTENANCE, 600, sys.stderr.write) as held,
    ):
        bench = Bench(settings, Path(folder))
        try:
            costs = list(run(bench, plan, not options.without_maintenance, held))
            bench.check(plan)
        finally:
            bench.delete()
    show(costs, min(options.compared, (len(costs) - 1) // 2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
