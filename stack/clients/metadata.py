"""Read and write the files in which Iceberg keeps what a table says of itself."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from minio.error import MinioException
from urllib3.exceptions import HTTPError

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients import s3
from stack.clients.objectstore import DBT, keys_of

READ_SECONDS = 10.0
RETRIES = 1
KEPT = "write.metadata.previous-versions-max"
DELETES = "write.metadata.delete-after-commit.enabled"
# Where Trino keeps the comment of a table.
COMMENT = "comment"
# Iceberg's own number of older files where a table does not say.
KEPT_BY_DEFAULT = 100
NAME = re.compile(r"/(\d{5,})-[^/]+\.metadata\.json$")

Metadata = dict[str, Any]


class Files(Protocol):
    """What is asked of the object store."""

    def read(self, location: str) -> Metadata:
        """A metadata file's content."""

    def write(self, location: str, metadata: Metadata) -> None:
        """Make a metadata file."""

    def remove(self, location: str) -> None:
        """Delete a metadata file; one that is gone is no error."""


class StoredFiles:
    """The metadata files of one stack. Raises RetriableError where the store fails."""

    def __init__(self, settings: Settings) -> None:
        own = keys_of(settings, DBT)
        self._client = s3.client(settings, READ_SECONDS, RETRIES, own)
        self._bucket = settings.s3_bucket

    def read(self, location: str) -> Metadata:
        """A metadata file's content."""
        with self._answering(location):
            answer = self._client.get_object(self._bucket, self._key(location))
            try:
                content: Metadata = json.loads(answer.read())
            finally:
                answer.close()
                answer.release_conn()
        return content

    def write(self, location: str, metadata: Metadata) -> None:
        """Make a metadata file."""
        content = json.dumps(metadata, separators=(",", ":")).encode()
        with self._answering(location):
            key = self._key(location)
            self._client.put_object(self._bucket, key, io.BytesIO(content), len(content))

    def remove(self, location: str) -> None:
        """Delete a metadata file; one that is gone is no error."""
        with self._answering(location):
            self._client.remove_object(self._bucket, self._key(location))

    def _key(self, location: str) -> str:
        return location.partition(f"://{self._bucket}/")[2]

    @contextmanager
    def _answering(self, location: str) -> Iterator[None]:
        try:
            yield
        except (MinioException, HTTPError, ValueError) as error:
            raise RetriableError(
                f"the metadata file {location}",
                f"{type(error).__name__}: {error}"[:300],
                "see ./initial-setup.sh status; setup makes the user and its rights",
            ) from error


def with_properties(
    metadata: Metadata, location: str, properties: Mapping[str, str], now_ms: int
) -> tuple[Metadata, tuple[str, ...]]:
    """The content of the next file, and the older files that may go once it is in place.

    location: of `metadata`. Whatever else stands there, of later versions of the format too, is
    passed on. Source: Iceberg's table specification, "Table Metadata Fields".
    """
    held = {**metadata.get("properties", {}), **properties}
    earlier = metadata.get("metadata-log", [])
    entry = {"timestamp-ms": metadata["last-updated-ms"], "metadata-file": location}
    log = [*earlier, entry]
    kept = log[-int(held.get(KEPT, KEPT_BY_DEFAULT)) :]
    dropped = log[: len(log) - len(kept)] if held.get(DELETES) == "true" else []
    changed = {
        "properties": held,
        "last-updated-ms": max(now_ms, metadata["last-updated-ms"]),
        "metadata-log": kept,
    }
    return {**metadata, **changed}, tuple(each["metadata-file"] for each in dropped)


def with_descriptions(
    metadata: Metadata, table: str, columns: Mapping[str, str]
) -> tuple[Metadata, dict[str, str]]:
    """The content with these comments on the current columns, and properties for the table's own.

    Source: Iceberg's table specification, "Schemas and Data Types": field documentation.
    """
    current = metadata["current-schema-id"]
    schemas = [
        {**schema, "fields": [described(each, columns) for each in schema["fields"]]}
        if schema["schema-id"] == current
        else schema
        for schema in metadata["schemas"]
    ]
    return {**metadata, "schemas": schemas}, {COMMENT: table} if table else {}


def described(column: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """A field of a schema with its comment, its old one where none is given."""
    comment = columns.get(column["name"])
    return {**column, "doc": comment} if comment else dict(column)


def next_location(location: str) -> str:
    """Where the file after this one goes. Raises RetriableError for a name of another form."""
    found = NAME.search(location)
    if not found:
        raise RetriableError(
            "a metadata file named NUMBER-UUID.metadata.json",
            location,
            "rebuild the table: bin/dbt run --full-refresh --select its model",
        )
    number = int(found[1]) + 1
    return f"{location[: found.start()]}/{number:05d}-{uuid.uuid4()}.metadata.json"
