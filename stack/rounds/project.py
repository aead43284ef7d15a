"""The dbt project as the runner sees it: its folder, its files, the landing tables it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stack.base.errors import ConfigurationError
from stack.base.fingerprint import fingerprint, written_files
from stack.base.root import PROJECT_ROOT
from stack.base.settings import Settings
from stack.rounds.decision import LANDING
from stack.writing.statements import WRITER_USER

# Made by dbt itself: they change with every command.
GENERATED_FOLDERS = {"target", "logs", "dbt_packages"}


@dataclass(frozen=True)
class Project:
    """A dbt project. trino_user: the user of its profile, whose statements are its own."""

    folder: Path = PROJECT_ROOT / "dbt-project"
    trino_user: str = WRITER_USER

    def files(self) -> Iterator[Path]:
        """Every file that a person wrote."""
        yield from written_files(self.folder, GENERATED_FOLDERS)

    def fingerprint(self) -> str:
        """A digest that changes with the content or name of any file."""
        return fingerprint([self.folder], GENERATED_FOLDERS)

    def sources(self) -> dict[str, str]:
        """Each landing table that the models read, with dbt's name of it: source.table.

        Raises ConfigurationError if the models' YAML declares none.
        """
        return {
            str(table["name"]): f"{source}.{table['name']}" for source, table in self._landing()
        }

    def source_entries(self) -> list[dict[str, Any]]:
        """What the models' YAML says of each landing table. Raises as sources() does."""
        return [table for _, table in self._landing()]

    def _landing(self) -> list[tuple[str, dict[str, Any]]]:
        """The landing tables, each with the name of its source."""
        found: list[tuple[str, dict[str, Any]]] = []
        for path in self.files():
            if path.suffix not in {".yml", ".yaml"} or "models" not in path.parts:
                continue
            text = path.read_text(encoding="utf-8")
            # Every round asks, and reading all the YAML of a grown project takes a while.
            if "sources:" in text:
                found += landing_entries(yaml.safe_load(text))
        if not found:
            raise ConfigurationError(
                f"a dbt source with schema {LANDING} in the models' YAML",
                f"none in {self.folder}",
                "declare the landing tables there",
            )
        return found


def landing_entries(document: object) -> list[tuple[str, dict[str, Any]]]:
    """The tables of the landing sources in one YAML document, each with its source's name."""
    sources = document.get("sources") or [] if isinstance(document, dict) else []
    return [
        (str(source["name"]), table)
        for source in sources
        if source.get("schema", source["name"]) == LANDING
        for table in source.get("tables") or []
    ]


def environment(settings: Settings, project: Project) -> Mapping[str, str]:
    """What dbt reads by env_var(), and where it finds the project unless flags say otherwise."""
    # What dbt generates belongs to one stack: another one may run the same project at this moment.
    generated = str(settings.state_dir / "dbt" / "by-hand")
    found = settings.environment() | {
        "DBT_TARGET_PATH": generated,
        "DBT_LOG_PATH": generated,
        "DBT_PROJECT_DIR": str(project.folder),
        "DBT_PROFILES_DIR": str(project.folder),
        "PROJECT_DIGEST": project.fingerprint(),
        "DO_NOT_TRACK": "1",
    }
    if settings.secure:
        # A certificate bundle named in the environment would win over the profile's.
        found["REQUESTS_CA_BUNDLE"] = str(settings.tls_ca_file)
    return found


def seen_file(settings: Settings) -> Path:
    """Where the last good round is on record."""
    return settings.state_dir / "dbt" / "seen.json"
