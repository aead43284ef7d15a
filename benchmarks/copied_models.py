"""A landing table and a copy of the project's models, apart from those of the stack."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lander.batch import Batch, Chunk, Stamp
from lander.catalog import open_catalog
from lander.parse import parser_for
from lander.table import NAMESPACE, IcebergTable
from lander.topics import load_topics
from stack.base.errors import FatalError
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.clients import trino
from stack.maintenance.policy import Policy
from stack.maintenance.tables import Table, TableState, state
from stack.maintenance.work import client_of, maintain
from stack.rounds.decision import Action, Decision
from stack.rounds.models import Models
from stack.rounds.outcome import Result
from stack.rounds.project import Project
from stack.rounds.worker_client import Watch
from stack.watermarks.landed import Watermark
from stack.writing.lock import WriterLock

FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
SCHEMAS = ("staging", "quality", "intermediate", "marts")
# Time is compressed: what a stack keeps for a day is kept here for the last few rounds.
POLICY = Policy(snapshot_hours=60 / 3600, orphan_hours=0.25, file_mb=128, margin_seconds=10)


class CopiedModels:
    """The models on a landing table of this name, in schemas of their own.

    folder: for the copied project and the state of its rounds.
    """

    def __init__(self, name: str, settings: Settings, folder: Path) -> None:
        self.name = name
        self.settings = replace(settings, state_dir=folder / "state")
        self.user = f"dbt_{name}"
        self.project = Project(self._copy(folder / "project"), self.user)
        self._models = Models(self.settings, self.project, lambda text: None)
        for schema in SCHEMAS:
            self.sql(f"create schema iceberg.{self.name}_{schema}")

    def _copy(self, folder: Path) -> Path:
        """The dbt project with this landing table, and schemas and a user of its own."""
        ignored = shutil.ignore_patterns("target", "logs")
        shutil.copytree(PROJECT_ROOT / "dbt-project", folder, ignore=ignored)
        changes = {
            "models/sources/landing.yml": (
                "- name: telemetry_raw\n",
                f"- name: telemetry_raw\n        identifier: {self.name}\n",
            ),
            "models/sources/replays.yml": (
                "schema: quality\n",
                f"schema: {self.name}_quality\n",
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

    def run(self, held: WriterLock, is_full_refresh: bool = False) -> float:
        """Run all models once; its seconds. Raises SystemExit if one fails."""
        started = time.monotonic()
        watch = Watch(held, lambda: False, lambda: None)
        decision = Decision(Action.RUN, ("benchmark",), is_full_refresh=is_full_refresh)
        outcome = self._models.run(decision, self.project.fingerprint(), watch)
        if outcome.result is not Result.OK:
            raise SystemExit(outcome.text)
        return time.monotonic() - started

    def sql(self, statement: str) -> list[list[Any]]:
        """Rows of one Trino statement."""
        return trino.client(self.settings).rows(statement)

    def check(self, statement: str, wanted: object) -> None:
        """Raise FatalError unless the statement's one value is the wanted one."""
        ((found,),) = self.sql(statement)
        if found != wanted:
            raise FatalError(f"{wanted} from {statement}", f"{found}", "look at the models")

    def tables(self) -> list[Table]:
        """The tables of this run."""
        found = self.sql(
            "select table_schema, table_name from iceberg.information_schema.tables "
            f"where table_schema like '{self.name}%' and table_type = 'BASE TABLE'",
        )
        return [Table(NAMESPACE, self.name), *(Table(schema, name) for schema, name in found)]

    def maintain(self, held: WriterLock) -> None:
        """Maintain every table of this run. Raises SystemExit if that fails."""
        client = client_of(self.settings, POLICY)
        for table in self.tables():
            held.check()
            done = maintain(client, table, POLICY, lambda: False)
            if done is None or done.error:
                raise SystemExit(f"{table}: {done.error if done else 'gone'}")

    def state(self) -> TableState:
        """How the landing table is."""
        return state(trino.client(self.settings), Table(NAMESPACE, self.name))

    def delete(self) -> None:
        """End dbt and remove the models' tables."""
        self._models.close()
        for schema in SCHEMAS:
            self.sql(f"drop schema iceberg.{self.name}_{schema} cascade")


class DirectLanding:
    """A landing table that is filled by the lander's own code, but without Kafka.

    offset: where its one partition ends.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self._settings = settings
        topic = replace(load_topics()["telemetry_raw"], name=name)
        self._parser = parser_for(topic)
        self._sort_by = topic.sort_by
        self._table = IcebergTable(topic, partial(open_catalog, settings))
        self._watermark = self._table.open(Watermark(0, FIRST_DAY, {0: 0}, name))
        self.name = name

    @property
    def offset(self) -> int:
        """How many messages have landed."""
        return self._watermark.offsets[0]

    @property
    def batch_id(self) -> int:
        """The number of the last batch; the first one is 1."""
        return self._watermark.batch_id

    def land(self, moment: datetime, messages: Sequence[bytes | None]) -> float:
        """Commit messages as read and landed at a moment; the seconds of the commit alone."""
        count = len(messages)
        batch = Batch(self._parser)
        times = np.full(count, moment.timestamp() * 1000).astype(np.int64)
        offsets = np.arange(self.offset, self.offset + count)
        keys: list[bytes | None] = [None] * count
        batch.add(Chunk(np.zeros(count, np.int32), offsets, times, keys, list(messages)), 0.0)
        following = self._watermark.following({0: self.offset + count}, moment, self.name, {})
        ends = self._watermark.ends_of(self.name)
        stamp = Stamp(following.batch_id, following.landed_at, self.name, ends)
        rows = list(batch.sorted_rows(self._sort_by, stamp))
        watermark = self._table.open(self._watermark)
        started = time.monotonic()
        self._table.commit(rows, watermark, following)
        self._watermark = following
        return time.monotonic() - started

    def delete(self) -> None:
        """Remove the table."""
        open_catalog(self._settings).purge_table((NAMESPACE, self.name))


@contextmanager
def apart(settings: Settings) -> Iterator[tuple[CopiedModels, DirectLanding]]:
    """A copy of the models and the landing table it reads, both deleted after the block."""
    name = f"benchmark_{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        copy, landing = CopiedModels(name, settings, Path(folder)), DirectLanding(name, settings)
        try:
            yield copy, landing
        finally:
            landing.delete()
            copy.delete()


def message(meter: int, moment: datetime, energy_kwh: float) -> bytes:
    """A reading as the simulator sends it."""
    metrics = {"energy_kwh": energy_kwh, "voltage": 230.0, "battery_pct": 80}
    return json.dumps(
        {
            "device_id": f"MTR-{meter}",
            "customer_id": "CUST-8000",
            "timestamp": moment.isoformat(),
            "metrics": metrics,
            "status": "OK",
        }
    ).encode()
