"""What a table needs is found by walking from its metadata; what lacks is named.

The table is a real one of PyIceberg's; what it consists of is what lies in its folder.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO

from stack.backup import folder, verify
from stack.backup.databases import CatalogEntry
from stack.backup.folder import Stored
from stack.backup.tables import Walk
from stack.base.errors import FatalError

BUCKET = "lakehouse"
ROWS = pa.table({"n": [1, 2, 3]})


class FolderIO(PyArrowFileIO):
    """Keeps s3://lakehouse/ in a folder."""

    def new_input(self, location: str) -> PyArrowFile:
        """The file to read."""
        local = location.replace(f"s3://{BUCKET}", self.properties["folder"])
        return PyArrowFile(location, local, self.fs_by_scheme("file", None))

    def new_output(self, location: str) -> PyArrowFile:
        """The file to write."""
        return self.new_input(location)


@pytest.fixture
def entry(tmp_path: Path) -> CatalogEntry:
    """A table of two snapshots, in the pool."""
    catalog = SqlCatalog(
        "lakehouse",
        **{
            "uri": f"sqlite:///{tmp_path}/catalog.db",
            "warehouse": f"s3://{BUCKET}/warehouse",
            "py-io-impl": f"{FolderIO.__module__}.FolderIO",
            "folder": str(tmp_path / folder.POOL),
        },
    )
    catalog.create_namespace("landing")
    table = catalog.create_table("landing.t", schema=ROWS.schema)
    table.append(ROWS)
    table.append(ROWS)
    return CatalogEntry("landing.t", table.metadata_location, is_view=False)


def listed(pool: Path) -> dict[str, Stored]:
    """Every file of the pool, as a backup lists it."""
    keys = {path.relative_to(pool).as_posix(): path for path in folder.pool_files(pool)}
    return {k: Stored(k, p.stat().st_size, folder.digest_of(p)) for k, p in keys.items()}


def test_a_whole_table_needs_its_files_but_older_metadata(
    tmp_path: Path, entry: CatalogEntry
) -> None:
    pool = tmp_path / folder.POOL
    walk = Walk(pool, BUCKET)
    walk.follow([entry])
    there = listed(pool)
    older = {k for k in there if k.endswith(".metadata.json")} - {
        entry.location.removeprefix(f"s3://{BUCKET}/")
    }
    assert len(older) == 2
    assert walk.needed.keys() == there.keys() - older
    sizes = {key: size for key, size in walk.needed.items() if size is not None}
    # Manifests and data files: Iceberg wrote their sizes down.
    assert len(sizes) == 4
    assert sizes == {key: there[key].bytes for key in sizes}
    assert verify.problems_of_tables([entry], pool, BUCKET, there) == []


@pytest.mark.parametrize(
    "pattern",
    ["snap-*.avro", "*-m0.avro", "*.parquet"],
    ids=["manifest list", "manifest", "data file"],
)
def test_each_kind_of_missing_file_is_named(
    tmp_path: Path, entry: CatalogEntry, pattern: str
) -> None:
    pool = tmp_path / folder.POOL
    lost = next(pool.rglob(pattern))
    lost.unlink()
    found = verify.problems_of_tables([entry], pool, BUCKET, listed(pool))
    key = lost.relative_to(pool).as_posix()
    assert found == [f"{key}: a table refers to it, and it is missing"]


def test_missing_metadata_is_named_though_nothing_can_be_followed(
    tmp_path: Path, entry: CatalogEntry
) -> None:
    pool = tmp_path / folder.POOL
    key = entry.location.removeprefix(f"s3://{BUCKET}/")
    (pool / key).unlink()
    found = verify.problems_of_tables([entry], pool, BUCKET, listed(pool))
    assert found == [f"{key}: a table refers to it, and it is missing"]


def test_a_truncated_data_file_is_named(tmp_path: Path, entry: CatalogEntry) -> None:
    pool = tmp_path / folder.POOL
    cut = next(pool.rglob("*.parquet"))
    whole = cut.read_bytes()
    cut.write_bytes(whole[:10])
    found = verify.problems_of_tables([entry], pool, BUCKET, listed(pool))
    key = cut.relative_to(pool).as_posix()
    assert found == [f"{key}: 10 bytes, and a table says {len(whole)}"]


def test_a_view_needs_its_metadata_alone(tmp_path: Path) -> None:
    walk = Walk(tmp_path, BUCKET)
    walk.follow([CatalogEntry("marts.v", f"s3://{BUCKET}/v.json", is_view=True)])
    assert walk.needed == {"v.json": None}


def test_a_table_of_another_bucket_is_refused(tmp_path: Path) -> None:
    walk = Walk(tmp_path, BUCKET)
    with pytest.raises(FatalError, match="S3_BUCKET"):
        walk.follow([CatalogEntry("landing.t", "s3://other/t.json", is_view=False)])
