"""The Iceberg side of a topic file: columns, partitioning, order and properties of its table."""

from __future__ import annotations

from collections.abc import Mapping

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import NullOrder, SortDirection, SortField, SortOrder
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import (
    BooleanType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

from lander.topics import Topic

ICEBERG_TYPES: Mapping[str, IcebergType] = {
    "string": StringType(),
    "double": DoubleType(),
    "long": LongType(),
    "boolean": BooleanType(),
    "timestamp": TimestamptzType(),
}
KAFKA_FIELDS: tuple[tuple[str, IcebergType, str], ...] = (
    ("kafka_topic_id", StringType(), "Kafka's id of the topic; a recreated topic has another."),
    ("kafka_partition", IntegerType(), "Partition of the message."),
    ("kafka_offset", LongType(), "Offset of the message within its partition."),
    ("kafka_at", TimestamptzType(), "Time that Kafka holds for the message."),
    ("message_key", StringType(), "Key of the message; null if it has none."),
    ("message_key_encoding", StringType(), "utf8: the key as it is; base64: no UTF-8, encoded."),
    ("message", StringType(), "The whole message; null for a tombstone, '' if it was empty."),
    ("message_encoding", StringType(), "utf8: the message as it is; base64: no UTF-8, encoded."),
)
OUTCOME_FIELDS: tuple[tuple[str, IcebergType, str], ...] = (
    ("extra_fields", StringType(), "JSON object of what no column holds; null if nothing."),
    (
        "parse_error",
        StringType(),
        "First of not_json, not_an_object, missing:<field>, type:<field> of the required fields; "
        "in text topics not_text; null if the message could be read.",
    ),
    ("batch_id", LongType(), "Number of the commit that landed the row; increases by one."),
    ("landed_at", TimestamptzType(), "Time of that commit; never runs backwards."),
    (
        "kafka_skipped",
        LongType(),
        "Offsets between the message landed before in the partition and this one that hold no "
        "message: markers of transactions, aborted or compacted messages; losses are not counted.",
    ),
    (
        "message_headers",
        StringType(),
        "JSON array of [name, value], a value that is no UTF-8 as {base64: text}; null if it has "
        "none.",
    ),
    (
        "field_errors",
        StringType(),
        "type:<field> of each field that is not required and has a value of another type, with a "
        "comma and a blank between; its column is null. Null if there is none.",
    ),
)
PARTITION_COLUMN = "landed_at"
# Long texts: nobody looks for their smallest and greatest.
COLUMNS_WITHOUT_STATISTICS = ("message", "extra_fields")
# Columns that batches hold as Arrow dictionaries, because one value or two fill them.
DICTIONARY_COLUMNS = ("kafka_topic_id", "message_key_encoding", "message_encoding")
PROPERTIES = {
    "format-version": "2",
    "write.format.default": "parquet",
    "write.parquet.compression-codec": "zstd",
    # A commit onto another state than the one its offsets were read from must fail.
    "commit.retry.num-retries": "0",
    # Keep the cost of a commit independent of how many came before.
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "50",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
    **{f"write.metadata.metrics.column.{c}": "none" for c in COLUMNS_WITHOUT_STATISTICS},
}


def table_schema(topic: Topic) -> Schema:
    """Columns of the landing table; all but the coordinates and the batch can be null."""
    declared = tuple((f.column, ICEBERG_TYPES[f.type], f.description) for f in topic.fields)
    required = {"kafka_topic_id", "kafka_partition", "kafka_offset", "batch_id", "landed_at"}
    return Schema(
        *(
            NestedField(
                field_id=number, name=name, field_type=kind, required=name in required, doc=doc
            )
            for number, (name, kind, doc) in enumerate(
                KAFKA_FIELDS + declared + OUTCOME_FIELDS, start=1
            )
        )
    )


def partition_spec(schema: Schema) -> PartitionSpec:
    """One partition a day of landing."""
    source = schema.find_field(PARTITION_COLUMN)
    return PartitionSpec(
        PartitionField(source.field_id, 1000, DayTransform(), f"{PARTITION_COLUMN}_day")
    )


def sort_order(schema: Schema, topic: Topic) -> SortOrder:
    """The order within files; compaction keeps it too."""
    return SortOrder(
        *(
            SortField(
                source_id=schema.find_field(name).field_id,
                transform=IdentityTransform(),
                direction=SortDirection.ASC,
                null_order=NullOrder.NULLS_FIRST,
            )
            for name in topic.sort_by
        )
    )
