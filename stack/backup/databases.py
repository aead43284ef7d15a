"""Dump PostgreSQL's databases and restore them, by PostgreSQL's own programs."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from stack.base.errors import RetriableError
from stack.base.settings import Settings
from stack.clients.postgres import CATALOG, MASTER_DATA, Postgres
from stack.modes.choice import runtime_of

ICEBERG_CATALOG = "lakehouse"
# What is lost where a database is replaced, and its name.
CONTENTS = {
    CATALOG: ("select count(*) from iceberg_tables", "tables and views"),
    MASTER_DATA: ("select count(*) from device_master", "meters"),
}
SHOWN_ERROR = 500
# The schema as PostgreSQL makes it in a new database.
EMPTY_SQL = """
drop schema public cascade;
create schema public authorization pg_database_owner;
grant usage on schema public to public;
comment on schema public is 'standard public schema';
"""


@dataclass(frozen=True)
class CatalogEntry:
    """A table or view of the Iceberg catalog. location: of its metadata file."""

    name: str
    location: str
    is_view: bool


def dump_file(folder: Path, database: str) -> Path:
    """A database's dump in a backup's folder."""
    return folder / f"{database}.dump"


def dump(settings: Settings, database: str, path: Path) -> None:
    """Copy a database as it is at one moment. Raises RetriableError with pg_dump's words."""
    run(settings, "pg_dump", ["--format=custom", database], output=path)


def restore(settings: Settings, database: str, path: Path) -> None:
    """Put a dump in the place of what the database holds: all of it or, if it fails, nothing.

    What the dump of an older version does not know goes too; setup makes it again.
    Raises RetriableError with the words of pg_restore or psql.
    """
    script = EMPTY_SQL + run(settings, "pg_restore", ["--file=-"], source=path)
    options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".sql") as file:
        file.write(script)
        file.flush()
        run(settings, "psql", [*options, f"--dbname={database}"], source=Path(file.name))


def entries(settings: Settings, path: Path) -> list[CatalogEntry]:
    """The tables and views that a dump of the catalog names."""
    options = ["--data-only", "--table=iceberg_tables", "--file=-"]
    return parse_entries(run(settings, "pg_restore", options, source=path))


def parse_entries(script: str) -> list[CatalogEntry]:
    """The rows of pg_restore's COPY of iceberg_tables, in its text format.

    Raises RetriableError if the script has no such COPY.
    """
    lines = iter(script.splitlines())
    header = next((line for line in lines if line.startswith("COPY public.iceberg_tables ")), None)
    if header is None:
        raise RetriableError(
            "the table iceberg_tables in the catalog's dump",
            "none",
            "run ./initial-setup.sh, which makes the catalog, then back up again",
        )
    columns = header[header.index("(") + 1 : header.index(")")].split(", ")
    found = []
    for line in lines:
        if line == r"\.":
            break
        row = dict(zip(columns, line.split("\t"), strict=True))
        if row["catalog_name"] == ICEBERG_CATALOG and row["metadata_location"] != r"\N":
            name = f"{row['table_namespace']}.{row['table_name']}"
            is_view = row["iceberg_type"] == "VIEW"
            found.append(CatalogEntry(name, row["metadata_location"], is_view))
    return found


def run(
    settings: Settings,
    program: str,
    arguments: Sequence[str],
    source: Path | None = None,
    output: Path | None = None,
) -> str:
    """Run one of PostgreSQL's programs on files; what it printed where no file takes it."""
    command, environment = runtime_of(settings).tool(settings, program, arguments)
    with ExitStack() as files:
        stdin = files.enter_context(source.open("rb")) if source else subprocess.DEVNULL
        stdout = files.enter_context(output.open("wb")) if output else subprocess.PIPE
        result = subprocess.run(
            command,
            env=os.environ | environment,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            check=False,
        )
    if result.returncode != 0:
        raise RetriableError(
            f"{program} to end well",
            result.stderr.decode(errors="replace").strip()[-SHOWN_ERROR:],
            "fix that (./initial-setup.sh status, room on the disk), then run it again",
        )
    return result.stdout.decode() if result.stdout else ""


def contents(server: Postgres, database: str) -> str:
    """What a database holds already, in words; empty where it holds nothing.

    Raises RetriableError if PostgreSQL does not answer.
    """
    sql, what = CONTENTS[database]
    ((count,),) = server.rows(database, "restore", sql)
    return f"{count} {what}" if count else ""
