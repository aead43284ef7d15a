"""What the tables of a catalog are made of: every file that any state of theirs refers to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO
from pyiceberg.manifest import ManifestFile, read_manifest_list
from pyiceberg.serializers import FromInputFile
from pyiceberg.table.metadata import TableMetadata

from stack.backup.databases import CatalogEntry
from stack.backup.folder import place_of
from stack.base.errors import FatalError


class PoolIO(PyArrowFileIO):
    """Reads s3://BUCKET/KEY from a backup's pool."""

    def __init__(self, pool: Path, bucket: str) -> None:
        super().__init__()
        self._pool, self._prefix = pool, f"s3://{bucket}/"

    def key_of(self, location: str) -> str:
        """The key of a location. Raises FatalError for one outside the bucket."""
        if not location.startswith(self._prefix):
            raise FatalError(
                f"tables in {self._prefix}", location, "name the tables' bucket in S3_BUCKET"
            )
        return location.removeprefix(self._prefix)

    def path_of(self, location: str) -> Path:
        """The file that stands for a location."""
        return place_of(self._pool, self.key_of(location))

    def new_input(self, location: str) -> PyArrowFile:
        """The file to read."""
        return super().new_input(str(self.path_of(location)))


class Walk:
    """Follows tables from their metadata to their data.

    needed: key -> bytes as Iceberg wrote them down, None where it did not. What is not in the
    pool is needed all the same, but cannot be followed.
    """

    def __init__(self, pool: Path, bucket: str) -> None:
        self._io = PoolIO(pool, bucket)
        self.needed: dict[str, int | None] = {}

    def follow(self, entries: Iterable[CatalogEntry]) -> None:
        """Add all that these tables and views need."""
        for entry in entries:
            is_new = self._need(entry.location, None)
            if is_new and not entry.is_view:
                self._follow_table(self.metadata(entry))

    def metadata(self, entry: CatalogEntry) -> TableMetadata:
        """A table's metadata."""
        return FromInputFile.table_metadata(self._io.new_input(entry.location))

    def _follow_table(self, metadata: TableMetadata) -> None:
        for statistics in (*metadata.statistics, *metadata.partition_statistics):
            self._need(statistics.statistics_path, statistics.file_size_in_bytes)
        for snapshot in metadata.snapshots:
            if self._need(snapshot.manifest_list, None):
                for manifest in read_manifest_list(self._io.new_input(snapshot.manifest_list)):
                    self._follow_manifest(manifest)

    def _follow_manifest(self, manifest: ManifestFile) -> None:
        if self._need(manifest.manifest_path, manifest.manifest_length):
            for entry in manifest.fetch_manifest_entry(self._io):
                self._need(entry.data_file.file_path, entry.data_file.file_size_in_bytes)

    def _need(self, location: str, size: int | None) -> bool:
        """Note a file; whether it is new here and can be followed."""
        key = self._io.key_of(location)
        is_new = key not in self.needed
        self.needed[key] = size if is_new else (self.needed[key] or size)
        return is_new and self._io.path_of(location).is_file()
