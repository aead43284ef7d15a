"""Progress of the models: read once before a round, recorded as each model ends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from stack.base.errors import RetriableError
from stack.clients.metadata import (
    Files,
    Metadata,
    next_location,
    with_descriptions,
    with_properties,
)
from stack.writing.lock import WriterLock

PROGRESS = "meterhouse.progress"
SAID = ("meterhouse.landed", PROGRESS)
SCHEMAS = ("landing", "staging", "quality", "intermediate", "marts")
# A table's own session of maintenance may commit in between, more than once.
ATTEMPTS = 5

# Setup makes the function; an older stack asks Trino until it has run.
CAN_RECORD_SQL = """
select coalesce(
    has_function_privilege(to_regprocedure('public.swap_metadata(text,text,text,text)'), 'execute'),
    false
)
"""
LOCATIONS_SQL = """
select table_namespace || '.' || table_name, metadata_location
from iceberg_tables
where
    catalog_name = 'lakehouse'
    and table_namespace = any(%s)
    and coalesce(iceberg_type, 'TABLE') = 'TABLE'
"""
LOCATION_SQL = """
select metadata_location
from iceberg_tables
where catalog_name = 'lakehouse' and table_namespace = %s and table_name = %s
"""
SWAP_SQL = "select public.swap_metadata(%s, %s, %s, %s)"

Said = dict[str, Any]


class Progress:
    """What tables say of their progress. All of it goes over the session that holds the lock.

    say: told once why Trino is asked instead.
    """

    def __init__(self, files: Callable[[], Files], say: Callable[[str], None]) -> None:
        self._make_files, self._say = files, say
        self._files: Files | None = None
        self._told = ""
        # Metadata files never change: location -> what its properties say.
        self._known: dict[str, Said] = {}

    @property
    def files(self) -> Files:
        """The object store, asked for when it is first needed."""
        self._files = self._files or self._make_files()
        return self._files

    def read(self, lock: WriterLock) -> dict[str, Said] | None:
        """By schema.table what each says; None where models have to ask Trino.

        Raises RetriableError if the lock is lost.
        """
        if not lock.rows(CAN_RECORD_SQL)[0][0]:
            self._tell("the catalog has no function swap_metadata for role dbt")
            return None
        located: dict[str, str] = dict(lock.rows(LOCATIONS_SQL, [list(SCHEMAS)]))
        try:
            self._known = {location: self._said(location) for location in located.values()}
        except RetriableError as error:
            self._tell(str(error))
            return None
        return {name: self._known[location] for name, location in located.items()}

    def record(self, note: Mapping[str, Any], lock: WriterLock) -> None:
        """Make `note` the progress of its table.

        note: table (schema.name), after (the load it follows), progress, descriptions (of the table
        and its columns; empty where they stand there). Raises RetriableError if another load is
        recorded there by now, if the table is gone, if the lock is lost, or if the store fails.
        """
        schema, name = note["table"].split(".", 1)
        for _ in range(ATTEMPTS):
            location = location_of(note["table"], lock.rows(LOCATION_SQL, [schema, name]))
            metadata = self.files.read(location)
            require_turn(note, said_in(metadata, location, [PROGRESS]))
            new = next_location(location)
            changed, dropped = recorded(note, metadata, location, int(time.time() * 1000))
            self.files.write(new, changed)
            if lock.rows(SWAP_SQL, [schema, name, location, new])[0][0]:
                self._remove(*dropped)
                return
            self._remove(new)
        raise RetriableError(
            f"to record the progress of {note['table']}",
            f"another commit each time, {ATTEMPTS} times",
            "the next round does it: what is written stays",
        )

    def _said(self, location: str) -> Said:
        if location not in self._known:
            return said_in(self.files.read(location), location, SAID)
        return self._known[location]

    def _remove(self, *locations: str) -> None:
        """Delete files that nothing names any more; maintenance finds what is left."""
        for location in locations:
            with suppress(RetriableError):
                self.files.remove(location)

    def _tell(self, reason: str) -> None:
        if reason != self._told:
            self._say(f"models ask Trino for their progress: {reason}")
        self._told = reason


def recorded(
    note: Mapping[str, Any], metadata: Metadata, location: str, now_ms: int
) -> tuple[Metadata, tuple[str, ...]]:
    """The content of a table's next file with what `note` says, and the files that may go."""
    properties = {PROGRESS: json.dumps(note["progress"])}
    if note["descriptions"]:
        metadata, more = with_descriptions(metadata, **note["descriptions"])
        properties |= more
    return with_properties(metadata, location, properties, now_ms)


def location_of(table: str, rows: Sequence[tuple[Any, ...]]) -> str:
    """The metadata file that the catalog names. Raises RetriableError for a table that is gone."""
    if not rows:
        raise RetriableError(
            f"table {table} in the catalog, to record its progress",
            "none: it was dropped since the round began",
            "the next round rebuilds it",
        )
    return str(rows[0][0])


def said_in(metadata: Mapping[str, Any], location: str, keys: Iterable[str]) -> Said:
    """What these properties of a table say. Raises RetriableError for what is no JSON object."""
    said: Said = {}
    for key in keys:
        text = metadata.get("properties", {}).get(key, "{}")
        try:
            said |= json.loads(text)
        except (TypeError, ValueError) as error:
            raise RetriableError(
                f"a JSON object as property {key} in {location}",
                f"{text!r:.100} ({error})",
                "a model's table is rebuilt by bin/dbt run --full-refresh --select its name",
            ) from error
    return said


def require_turn(note: Mapping[str, Any], said: Said) -> None:
    """Raise RetriableError unless the table still says the load that this one follows."""
    recorded = said.get("load_id")
    if recorded != note["after"]:
        raise RetriableError(
            f"load {note['after']} recorded in {note['table']}, as this round found it",
            f"load {recorded} of another writer",
            "the next round goes on from there",
        )
