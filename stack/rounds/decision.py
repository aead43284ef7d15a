"""Decide what a round does: nothing, wait, run the models, or recount everything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

# The schema of what landed, and the dbt project's source of meters and customers.
LANDING = "landing"
MASTER_DATA = "master_data"
# Trino's catalog of all tables.
DATABASE = "iceberg"


@dataclass(frozen=True)
class MasterData:
    """Fingerprints of the meters and customers in PostgreSQL.

    counted: of all known meters, over what readings are judged by.
    counted_before: the same over the meters that were there at the last good round (made
    no later than its newest_at); empty without such a round.
    all: of meters and customers, over everything models store of them.
    newest_at: when the newest meter was made, ISO 8601; empty without meters.
    period_change: the newest change of dated master data, as number:token.
    """

    counted: str
    counted_before: str
    all: str
    newest_at: str
    period_change: str


@dataclass(frozen=True)
class Found:
    """What is there when a round begins.

    landing: landing table -> metadata location, which every commit to the table changes.
    model_tables: schema.table of everything built from them; project: fingerprint of its files.
    restored_at: when tables were last put back from a backup, ISO 8601; empty if never.
    relations: schema -> name -> table or view, of the whole catalog.
    """

    landing: Mapping[str, str]
    model_tables: Collection[str]
    master_data: MasterData
    project: str
    restored_at: str = ""
    relations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What the last good round saw.

    model_tables: as they were at its end; is_current: false once dbt was run by hand since.
    """

    landing: Mapping[str, str]
    model_tables: Collection[str]
    counted: str
    all: str
    newest_at: str
    project: str
    is_current: bool = True
    restored_at: str = ""


class Action(Enum):
    """What a round does."""

    NOTHING = "nothing"
    WAIT = "wait"
    RUN = "run"


@dataclass(frozen=True)
class Decision:
    """What a round does and why.

    with_fixed: views and seeds too, which only a change of the project alters. changed: dbt's
    names of the sources that changed; only what is below them is run, everything where none is
    named. plan: what was found, for the models, so that they need not ask again.
    """

    action: Action
    reasons: tuple[str, ...] = field(default=())
    is_full_refresh: bool = False
    with_fixed: bool = False
    changed: tuple[str, ...] = ()
    plan: Mapping[str, object] = field(default_factory=dict, compare=False)

    @property
    def reason(self) -> str:
        """All reasons in one line."""
        return "; ".join(self.reasons)


def decide(
    seen: Seen | None,
    found: Found,
    sources: Mapping[str, str],
    count_returning: Callable[[], int],
) -> Decision:
    """Compare what is there with what the last good round saw.

    sources: the landing tables the models read, each with dbt's name of it. count_returning:
    messages quarantined as of an unknown meter whose meter is known by now; asked only when meters
    were added.
    """
    missing = sorted(set(sources) - set(found.landing))
    if missing:
        return Decision(Action.WAIT, (f"no table landing.{', landing.'.join(missing)} yet",))
    if seen is None:
        reasons: tuple[str, ...] = ("no good round on record",)
        return Decision(Action.RUN, reasons, with_fixed=True, plan=plan_of(found))
    recount = recount_reasons(seen, found.master_data, count_returning)
    rebuild = rebuild_reasons(seen, found)
    landed = landed_since(seen, found, sources)
    reasons = (*recount, *rebuild, *arrival_reasons(seen, found, landed))
    if not reasons:
        return Decision(Action.NOTHING)
    names = [sources[table] for table in landed]
    changed = () if recount or rebuild else changed_sources(seen, found, names)
    return Decision(Action.RUN, reasons, bool(recount), bool(rebuild), changed, plan_of(found))


def plan_of(found: Found) -> dict[str, object]:
    """What the models' macros take from the runner instead of asking Trino."""
    return {
        "database": DATABASE,
        "relations": found.relations,
        "master_data": found.master_data.all,
        "period_change": found.master_data.period_change,
    }


def recount_reasons(
    seen: Seen, master_data: MasterData, count_returning: Callable[[], int]
) -> tuple[str, ...]:
    """Why what was counted already is no longer right."""
    if master_data.counted_before != seen.counted:
        return ("master data of known meters changed: everything is recounted",)
    if master_data.counted == seen.counted:
        return ()
    returning = count_returning()
    if not returning:
        return ()
    return (f"{returning} quarantined messages are of meters known by now: they are counted",)


def rebuild_reasons(seen: Seen, found: Found) -> tuple[str, ...]:
    """Why tables or reference data may have to be made again."""
    gone = sorted(set(seen.model_tables) - set(found.model_tables))
    return (
        *(("the dbt project changed",) if found.project != seen.project else ()),
        *((f"gone: {', '.join(gone)}",) if gone else ()),
        *(("dbt was run by hand",) if not seen.is_current else ()),
        *(("restored from a backup",) if found.restored_at != seen.restored_at else ()),
    )


def landed_since(seen: Seen, found: Found, sources: Collection[str]) -> list[str]:
    """Landing tables that got something since the last good round."""
    return sorted(table for table in sources if seen.landing.get(table) != found.landing.get(table))


def arrival_reasons(seen: Seen, found: Found, landed: Sequence[str]) -> tuple[str, ...]:
    """What came since the last good round."""
    return (
        *((f"landed: {', '.join(landed)}",) if landed else ()),
        *(("master data changed",) if found.master_data.all != seen.all else ()),
    )


def changed_sources(seen: Seen, found: Found, landed: Sequence[str]) -> tuple[str, ...]:
    """The sources of the dbt project that changed, as dbt selects them. landed: dbt's names."""
    return (
        *(f"source:{name}" for name in landed),
        *((f"source:{MASTER_DATA}",) if found.master_data.all != seen.all else ()),
    )


def seen_after(found: Found, model_tables: Collection[str]) -> Seen:
    """What a good round saw. model_tables: those there at its end."""
    master_data = found.master_data
    return Seen(
        landing=dict(found.landing),
        model_tables=tuple(sorted(model_tables)),
        counted=master_data.counted,
        all=master_data.all,
        newest_at=master_data.newest_at,
        project=found.project,
        restored_at=found.restored_at,
    )
