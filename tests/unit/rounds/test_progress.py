"""Progress is recorded on the state it was planned on, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from stack.base.errors import RetriableError
from stack.clients.metadata import Metadata
from stack.rounds.progress import (
    ATTEMPTS,
    CAN_RECORD_SQL,
    LOCATION_SQL,
    LOCATIONS_SQL,
    SWAP_SQL,
    Progress,
)
from stack.writing.lock import WriterLock

FOLDER = "s3://lakehouse/warehouse/marts/days/metadata"
FIRST = f"{FOLDER}/00001-aa.metadata.json"
NOTE = {"table": "marts.days", "after": 5, "progress": {"load_id": 9}, "descriptions": {}}


def metadata(load_id: int) -> Metadata:
    said = json.dumps({"load_id": load_id})
    return {"last-updated-ms": 1, "properties": {"meterhouse.progress": said}}


@dataclass
class Store:
    """Files by location."""

    held: dict[str, Metadata]
    is_away: bool = False
    reads: list[str] = field(default_factory=list)

    def read(self, location: str) -> Metadata:
        """A file's content."""
        if self.is_away:
            raise RetriableError("the store", "away", "wait")
        self.reads.append(location)
        return self.held[location]

    def write(self, location: str, metadata: Metadata) -> None:
        """Make a file."""
        self.held[location] = metadata

    def remove(self, location: str) -> None:
        """Delete a file."""
        del self.held[location]


@dataclass
class Session:
    """The lock's session with a catalog of one table.

    location: empty where the table is gone. before_swap: what another writer does meanwhile.
    """

    location: str = FIRST
    can_record: bool = True
    before_swap: Callable[[Session], None] = lambda session: None

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Answer each of the statements."""
        match sql:
            case _ if sql == CAN_RECORD_SQL:
                return [(self.can_record,)]
            case _ if sql == LOCATIONS_SQL:
                return [("marts.days", self.location)]
            case _ if sql == LOCATION_SQL:
                return [(self.location,)] if self.location else []
            case _ if sql == SWAP_SQL:
                self.before_swap(self)
                *_, old, new = values
                if old != self.location:
                    return [(False,)]
                self.location = str(new)
                return [(True,)]
        raise AssertionError(sql)


def progress_of(store: Store) -> Progress:
    return Progress(lambda: store, lambda text: None)


def as_lock(session: Session) -> WriterLock:
    return cast(WriterLock, session)


def recorded(store: Store, session: Session) -> Any:
    return json.loads(store.held[session.location]["properties"]["meterhouse.progress"])


def test_progress_is_recorded_in_a_new_file() -> None:
    store, session = Store({FIRST: metadata(5)}), Session()
    progress_of(store).record(NOTE, as_lock(session))
    assert recorded(store, session) == {"load_id": 9}
    assert session.location != FIRST
    assert FIRST in store.held


def test_descriptions_are_recorded_in_the_same_file() -> None:
    columns = [{"id": 1, "name": "kwh"}]
    described = {"current-schema-id": 0, "schemas": [{"schema-id": 0, "fields": columns}]}
    store, session = Store({FIRST: metadata(5) | described}), Session()
    said = {"descriptions": {"table": "Days.", "columns": {"kwh": "Energy."}}}
    progress_of(store).record(NOTE | said, as_lock(session))
    held = store.held[session.location]
    assert recorded(store, session) == {"load_id": 9}
    assert held["properties"]["comment"] == "Days."
    assert held["schemas"][0]["fields"] == [{"id": 1, "name": "kwh", "doc": "Energy."}]


def test_a_load_of_another_writer_is_not_overwritten() -> None:
    store, session = Store({FIRST: metadata(7)}), Session()
    with pytest.raises(RetriableError, match="load 7 of another writer"):
        progress_of(store).record(NOTE, as_lock(session))
    assert session.location == FIRST
    assert list(store.held) == [FIRST]


def test_a_commit_of_maintenance_in_between_is_kept() -> None:
    store = Store({FIRST: metadata(5)})
    second = f"{FOLDER}/00002-bb.metadata.json"

    def optimize(session: Session) -> None:
        if session.location == FIRST:
            store.held[second] = metadata(5) | {"current-snapshot-id": 3}
            session.location = second

    session = Session(before_swap=optimize)
    progress_of(store).record(NOTE, as_lock(session))
    assert recorded(store, session) == {"load_id": 9}
    assert store.held[session.location]["current-snapshot-id"] == 3
    assert len(store.held) == 3


def test_a_table_that_never_stands_still_is_told() -> None:
    store = Store({FIRST: metadata(5)})

    def move(session: Session) -> None:
        session.location = f"{FOLDER}/{len(store.held):05d}-cc.metadata.json"
        store.held[session.location] = metadata(5)

    with pytest.raises(RetriableError, match=f"{ATTEMPTS} times"):
        progress_of(store).record(NOTE, as_lock(Session(before_swap=move)))


def test_a_table_that_is_gone_is_told() -> None:
    session = Session()
    session.location = ""
    with pytest.raises(RetriableError, match=r"table marts\.days in the catalog"):
        progress_of(Store({})).record(NOTE, as_lock(session))


@pytest.mark.parametrize("text", ["{", "5", "null", '"a"'])
def test_progress_that_is_no_object_is_told(text: str) -> None:
    said: list[str] = []
    store = Store({FIRST: {"last-updated-ms": 1, "properties": {"meterhouse.progress": text}}})
    with pytest.raises(RetriableError, match="a JSON object as property"):
        progress_of(store).record(NOTE, as_lock(Session()))
    assert Progress(lambda: store, said.append).read(as_lock(Session())) is None
    assert "a JSON object" in said[0]


def test_a_metadata_file_is_read_once() -> None:
    store, session = Store({FIRST: metadata(5)}), Session()
    progress = progress_of(store)
    for _ in range(3):
        assert progress.read(as_lock(session)) == {"marts.days": {"load_id": 5}}
    assert store.reads == [FIRST]


@pytest.mark.parametrize(
    ("is_away", "can_record"), [(True, True), (False, False)], ids=["no store", "no function"]
)
def test_models_ask_trino_where_progress_cannot_be_recorded(
    is_away: bool, can_record: bool
) -> None:
    said: list[str] = []
    store = Store({FIRST: metadata(5)}, is_away)
    progress = Progress(lambda: store, said.append)
    for _ in range(2):
        assert progress.read(as_lock(Session(can_record=can_record))) is None
    assert len(said) == 1
