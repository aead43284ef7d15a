"""What is reconciled: the ways of messages that the dbt project declares; where books are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stack.writing.statements import WRITER_USER

LEDGER = "ops.reconciliation"


@dataclass(frozen=True)
class Flow:
    """A topic's way through the lakehouse; its landing table has its name.

    outcomes: schema.table -> SQL of the reason why a row was rejected, null where it was
    accepted, 'flagged: ' and its flags where it was accepted with some; every landed message is
    one row in one of them. readings: schema.table of one row a
    distinct reading; registers: schema.view of how registers agree with them; empty where there is
    none.
    """

    topic: str
    outcomes: Mapping[str, str]
    readings: str = ""
    registers: str = ""

    @property
    def landing(self) -> str:
        """The landing table."""
        return f"landing.{self.topic}"

    @property
    def tables(self) -> tuple[str, ...]:
        """Every table of the way, as schema.table."""
        return (self.landing, *self.outcomes, *((self.readings,) if self.readings else ()))


@dataclass(frozen=True)
class Plan:
    """Which ways are reconciled, and how.

    ledger: schema.table of the books. trino_user: who reads and writes. layers: schemas whose
    tables are counted too.
    """

    flows: tuple[Flow, ...]
    ledger: str = LEDGER
    trino_user: str = WRITER_USER
    layers: tuple[str, ...] = ("staging", "quality", "intermediate", "marts")

    def is_watched(self, table: str) -> bool:
        """Whether a table's change is a reason to look again."""
        own = {self.ledger, *(name for flow in self.flows for name in flow.tables)}
        schema, _, name = table.partition(".")
        # What dbt makes in passing is gone at the end of a run.
        return table in own or (schema in self.layers and "__dbt_" not in name)


def flows_of(entries: Iterable[Mapping[str, Any]]) -> tuple[Flow, ...]:
    """The ways that landing tables declare; entries: each table's part of the dbt sources' YAML.

    A table that declares no outcomes is not reconciled.
    """
    declared = [(str(entry["name"]), (entry.get("config") or {}).get("meta")) for entry in entries]
    return tuple(
        Flow(
            name,
            dict(meta["outcomes"]),
            str(meta.get("readings", "")),
            str(meta.get("registers", "")),
        )
        for name, meta in declared
        if meta and meta.get("outcomes")
    )
