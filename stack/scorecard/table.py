"""Keep scores: one row a detector and run in iceberg.ops.metering_scorecard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stack.books.ledger import expression, quoted
from stack.clients.trino import Trino
from stack.scorecard.score import Score

TABLE = "ops.metering_scorecard"
# Column -> its type and what it says; but for the first two the fields of Score.
COLUMNS = {
    "run": ("varchar", "Time of the run, UTC; the rows of one run have one."),
    "scored_at": ("timestamp(6) with time zone", "The same as a time."),
    "detector": (
        "varchar",
        "A rule; of R14 with the status; CONSERVATION, of slots and register in spans that are OK; "
        "VALUE_ and a quality code, of slots and truth.",
    ),
    "severity": ("varchar", "hard, soft or info; NULL for values."),
    "unit": ("varchar", "What the numbers are numbers of."),
    "hits": ("bigint", "What the detector said, of meters and times that truth knows."),
    "tp": ("bigint", "Faults that it must find, and found; of sums and values: which are right."),
    "fp": ("bigint", "False alarms: hits without such a fault; of sums and values: wrong ones."),
    "fn": ("bigint", "Faults that it must find, and did not."),
    "unseen": ("bigint", "Faults that it finds under some circumstances, and did not."),
    "precision": ("double", "Share of the hits that are no false alarms."),
    "recall": ("double", "tp / (tp + fn); NULL where there was no such fault."),
    "false_alarms": ("double", "False alarms per 1,000 meter-days."),
    "wape": ("double", "Absolute differences of energies, as a share of the energy."),
    "bias": ("double", "Differences of energies, as a share of the energy."),
    "difference_kwh": ("double", "Absolute differences of energies, added up."),
    "meter_days": ("double", "Days of meters that truth knows and that were compared."),
    "is_kept": ("boolean", "Whether the promise holds, docs/scorecard.md; NULL where none is."),
}
CREATE_SQL = """
create table if not exists iceberg.{table} (
    {columns}
)
comment 'One row a run and detector: what rules found of the faults that the simulator knows of.'
with (partitioning = array['month(scored_at)'])
"""

Value = str | float | bool | datetime | None


def keep(trino: Trino, scores: Sequence[Score], now: datetime) -> None:
    """Write the rows of a run, in one snapshot. Raises RetriableError if Trino takes none."""
    columns = ",\n    ".join(
        f"{name} {kind} comment {quoted(comment)}" for name, (kind, comment) in COLUMNS.items()
    )
    trino.rows(CREATE_SQL.format(table=TABLE, columns=columns))
    values = ", ".join(row(score, now) for score in scores)
    trino.commit(f"insert into iceberg.{TABLE} ({', '.join(COLUMNS)}) values {values}")  # noqa: S608


def row(score: Score, now: datetime) -> str:
    """A score as a row of SQL literals, in the order of COLUMNS."""
    known: dict[str, Value] = {"run": f"{now:%Y-%m-%dT%H:%M:%SZ}", "scored_at": now}
    known |= vars(score)
    return f"({', '.join(literal(known[name], kind) for name, (kind, _) in COLUMNS.items())})"


def literal(value: Value, kind: str) -> str:
    """A value as SQL."""
    if value is None:
        return f"cast(null as {kind})"
    if isinstance(value, str | datetime):
        return expression(value, kind)
    return f"cast({str(value).lower()} as {kind})"
