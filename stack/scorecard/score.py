"""Compare truth files with what the models found: DuckDB holds both, Trino never sees the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from stack.base.errors import ConfigurationError
from stack.scorecard.evidence import Evidence

HERE = Path(__file__).parent
TOLD_SQL = """
create table told as
select
    filename as file, kind, device_id, "from" as from_at, "to" as to_at, "true" as true_values
from read_json(
    $files, format = 'newline_delimited', filename = true,
    -- A simulator that is running writes the last line just now.
    ignore_errors = true,
    columns = {
        kind: 'varchar', device_id: 'varchar', "from": 'timestamptz', "to": 'timestamptz',
        "true": 'json'
    }
)
where kind is not null
"""
TABLE_SQL = """
create table {name} as
from read_csv(
    $file, delim = '\t', comment = '#', header = true, all_varchar = true, quote = ''
)
"""


@dataclass(frozen=True)
class Score:
    """What is known of one detector: a rule, or a sum that is compared.

    unit: what hits, tp, fp, fn and unseen are numbers of. fn and recall count what it must find;
    unseen is what it may find and did not. false_alarms: fp per 1,000 meter-days. wape, bias:
    of energies, as shares; difference_kwh: their absolute differences, added up. is_kept: whether
    what is promised of the detector holds; None where nothing is.
    """

    detector: str
    severity: str | None
    unit: str
    hits: int
    tp: int
    fp: int
    fn: int | None
    unseen: int | None
    precision: float | None
    recall: float | None
    false_alarms: float | None
    wape: float | None
    bias: float | None
    difference_kwh: float | None
    meter_days: float
    is_kept: bool | None


@dataclass(frozen=True)
class KindScore:
    """One kind of fault: how many were sent, how many of them some detector met, and which."""

    kind: str
    facts: int
    seen: int
    detectors: str


class Comparison:
    """Truth files in memory, to be compared with evidence. Close it, or use it with `with`."""

    def __init__(self, truth_files: Sequence[Path], now: datetime) -> None:
        """Read the files. Raises ConfigurationError where they tell of no slot."""
        self._connection = duckdb.connect()
        self._connection.execute("set TimeZone = 'UTC'")
        self._connection.execute("set variable scored_at = $now::timestamptz", {"now": now})
        if truth_files:
            files = {"files": [str(path) for path in truth_files]}
            self._connection.execute(TOLD_SQL, files)
        if not truth_files or not self._number("select count(*) from told where kind = 'slot'"):
            raise ConfigurationError(
                "truth of slots, which simulator and replay write",
                f"none in {', '.join(map(str, truth_files)) or 'any file'}",
                "run simulator/telemetry_simulator.py --days 7, or name its --truth file",
            )
        self._run("slots")

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def extent(self) -> tuple[datetime, datetime]:
        """From when until when something is true of a slot, UTC."""
        found = self._connection.execute(
            "select epoch_ms(min(from_at)), epoch_ms(max(to_at)) from true_slots"
        ).fetchall()
        first, last = (datetime.fromtimestamp(each / 1000, UTC) for each in found[0])
        return first, last

    def meters(self) -> list[str]:
        """Whose slots are true."""
        found = self._connection.execute("select distinct device_id from true_slots order by all")
        return [str(device_id) for (device_id,) in found.fetchall()]

    def score(self, evidence: Evidence) -> tuple[list[Score], list[KindScore]]:
        """A score for each detector, and what became of each kind of fault."""
        for name, table in evidence.items():
            self._connection.register(name, table)
        for name, file in (("detectors", "detectors.tsv"), ("pairs", "faults.tsv")):
            self._connection.execute(TABLE_SQL.format(name=name), {"file": str(HERE / file)})
        self._run("faults")
        self._run("matches")
        scores = [Score(*row) for row in self._run("scores").fetchall()]
        return scores, [KindScore(*row) for row in self._run("kinds").fetchall()]

    def _run(self, name: str) -> duckdb.DuckDBPyConnection:
        return self._connection.execute((HERE / "sql" / f"{name}.sql").read_text("utf-8"))

    def _number(self, sql: str) -> int:
        return int(self._connection.execute(sql).fetchall()[0][0])
