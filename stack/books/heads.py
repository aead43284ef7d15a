"""What tables' metadata files say of their newest state."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from stack.base.settings import Settings
from stack.books.evidence import Head
from stack.clients.metadata import Metadata, StoredFiles

PROPERTIES = "meterhouse."


class Heads:
    """The newest states of one stack's tables. A metadata file never changes: each is read once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, Head] = {}

    def of(self, locations: Mapping[str, str]) -> dict[str, Head]:
        """The state of each table: schema.table -> where its newest metadata is.

        Raises RetriableError if the object store does not answer, or holds the file no longer.
        """
        known = {place: self._known.get(place) for place in locations.values()}
        self._known = {
            place: head or head_of(self._files.read(place)) for place, head in known.items()
        }
        return {table: self._known[place] for table, place in locations.items()}

    @cached_property
    def _files(self) -> StoredFiles:
        """The object store, asked for when it is first needed."""
        return StoredFiles(self._settings)


def head_of(metadata: Metadata) -> Head:
    """A table's newest state. Source: Iceberg's table specification, "Table Metadata Fields"."""
    properties = {
        name: text
        for name, text in metadata.get("properties", {}).items()
        if name.startswith(PROPERTIES)
    }
    snapshots = {each["snapshot-id"]: each for each in metadata.get("snapshots", [])}
    # Of a table without a commit it is absent, null or, in older files, -1.
    newest = snapshots.get(metadata.get("current-snapshot-id"))
    if newest is None:
        return Head(properties=properties, snapshots=len(snapshots))
    summary = newest.get("summary", {})
    files = int(summary.get("total-data-files", 0)) + int(summary.get("total-delete-files", 0))
    return Head(newest["snapshot-id"], rows_of(summary), files, len(snapshots), properties)


def rows_of(summary: Mapping[str, Any]) -> int | None:
    """Rows that a snapshot's summary states; None where it does not, or deletes by value."""
    if "total-records" not in summary or int(summary.get("total-equality-deletes", 0)):
        return None
    return int(summary["total-records"]) - int(summary.get("total-position-deletes", 0))
