"""Read the topic files: what each topic holds and how its messages become columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stack.base.errors import ConfigurationError

TOPICS_FOLDER = Path(__file__).resolve().parent / "topics"
FORMATS = ("json", "text")
FIELD_TYPES = ("string", "double", "long", "boolean", "timestamp")
TOPIC_KEYS = {"topic", "format", "description", "sort_by", "fields"}
FIELD_KEYS = {"path", "column", "type", "required", "description"}

# Columns every landing table has; a declared field cannot take their names.
KAFKA_COLUMNS = (
    "kafka_topic_id",
    "kafka_partition",
    "kafka_offset",
    "kafka_at",
    "message_key",
    "message_key_encoding",
    "message",
    "message_encoding",
    "message_headers",
    "kafka_skipped",
)
OUTCOME_COLUMNS = ("extra_fields", "parse_error", "field_errors", "batch_id", "landed_at")


@dataclass(frozen=True)
class Field:
    """A declared field: where it stands in the JSON object and which column it becomes.

    path: names from the outside in; required: missing, null or of another type is then a parse
    error. Any other field is a side field: of another type it is a field error.
    """

    path: tuple[str, ...]
    column: str
    type: str
    required: bool
    description: str

    @property
    def name(self) -> str:
        """The path with dots, as errors show it."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Topic:
    """One topic file. The landing table carries the topic's name."""

    name: str
    format: str
    description: str
    sort_by: tuple[str, ...]
    fields: tuple[Field, ...]


def load_topics(folder: Path = TOPICS_FOLDER) -> dict[str, Topic]:
    """Every topic file of the folder by topic name. Raises ConfigurationError."""
    topics = [load_topic(path) for path in sorted(folder.glob("*.yml"))]
    return {topic.name: topic for topic in topics}


def choose_topics(topics: Mapping[str, Topic], names: Collection[str]) -> list[Topic]:
    """The named topics, or all if none is named. Raises ConfigurationError for others."""
    unknown = sorted(set(names) - set(topics))
    if unknown:
        raise ConfigurationError(
            f"topics of {', '.join(topics)}",
            ", ".join(unknown),
            "correct --topics or add a file to lander/topics",
        )
    return [topic for name, topic in topics.items() if not names or name in names]


def load_topic(path: Path) -> Topic:
    """One topic file. Raises ConfigurationError naming the file and what is wrong in it."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise wrong(path, "YAML", str(error).replace("\n", " ")) from error
    if not isinstance(content, dict):
        raise wrong(path, "keys and values", type(content).__name__)
    return topic_from(content, path)


def topic_from(content: Mapping[str, Any], path: Path) -> Topic:
    """A topic from the parsed file; `path` is only for messages."""
    refuse_unknown_keys(content, TOPIC_KEYS, path)
    if content.get("topic") != path.stem:
        raise wrong(path, f"topic: {path.stem}, as the file is named", repr(content.get("topic")))
    if content.get("format") not in FORMATS:
        raise wrong(path, f"format: one of {', '.join(FORMATS)}", repr(content.get("format")))
    topic = Topic(
        name=path.stem,
        format=content["format"],
        description=str(content.get("description", "")),
        sort_by=tuple(content.get("sort_by") or ()),
        fields=tuple(field_from(entry, path) for entry in content.get("fields") or ()),
    )
    check(topic, path)
    return topic


def field_from(entry: object, path: Path) -> Field:
    """One entry of `fields`; the column is named after the path's last part by default."""
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise wrong(path, "fields with a path", repr(entry))
    refuse_unknown_keys(entry, FIELD_KEYS, path)
    if entry.get("type") not in FIELD_TYPES:
        raise wrong(
            path,
            f"type of {entry['path']}: one of {', '.join(FIELD_TYPES)}",
            repr(entry.get("type")),
        )
    parts = tuple(entry["path"].split("."))
    return Field(
        path=parts,
        column=entry.get("column", parts[-1]),
        type=entry["type"],
        required=entry.get("required", False),
        description=entry.get("description", ""),
    )


def check(topic: Topic, path: Path) -> None:
    """Refuse contradictions between the entries of one file."""
    columns = [*KAFKA_COLUMNS, *(field.column for field in topic.fields), *OUTCOME_COLUMNS]
    paths = [field.path for field in topic.fields]
    duplicates = sorted({column for column in columns if columns.count(column) > 1})
    nested = sorted({f.name for f in topic.fields if any(is_prefix(f.path, p) for p in paths)})
    problems = [
        (duplicates, "each column once"),
        (nested, "fields that are no objects holding other fields"),
        ([c for c in topic.sort_by if c not in columns], "sort_by of declared columns"),
        ([f.name for f in topic.fields if "" in f.path], "paths without empty parts"),
        ([f.name for f in topic.fields if topic.format == "text"], "no fields in a text topic"),
    ]
    for found, wanted in problems:
        if found:
            raise wrong(path, wanted, ", ".join(found))


def is_prefix(path: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """True if `other` lies inside the object at `path`."""
    return len(other) > len(path) and other[: len(path)] == path


def refuse_unknown_keys(content: Mapping[str, Any], known: set[str], path: Path) -> None:
    """A misspelt key must not be passed over in silence."""
    unknown = sorted(str(key) for key in set(content) - known)
    if unknown:
        raise wrong(path, f"keys of {', '.join(sorted(known))}", ", ".join(unknown))


def wrong(path: Path, wanted: str, found: str) -> ConfigurationError:
    """The error for one topic file."""
    return ConfigurationError(wanted, found, f"fix {path}")
