"""Collect consumed messages until they are committed, and lay them out as sorted rows."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lander.parse import Parser
from stack.base.errors import FatalError

# A row group holds at most this many rows, and (one message aside) this many message bytes.
GROUP_ROWS = 50_000
GROUP_BYTES = 16 * 2**20
# The end of the year 9999: a sender can give any later time, which no engine would read.
LATEST_MS = 253_402_300_799_999
UTF8, BASE64 = "utf8", "base64"
ENCODINGS = pa.array([UTF8, BASE64])


@dataclass(frozen=True)
class Chunk:
    """Messages of one read, in the order Kafka gave them, all of equal length.

    offsets: int64 within the partition; times_ms: Kafka time, negative where the broker has none;
    one beyond LATEST_MS lands as none; keys and messages: raw bytes, None where Kafka holds null.
    epochs: partition -> leader epoch of its last message, where the broker tells. headers: JSON
    text of each message's, None where it has none; empty if no message has any.
    """

    partitions: np.ndarray[tuple[int], np.dtype[np.int32]]
    offsets: np.ndarray[tuple[int], np.dtype[np.int64]]
    times_ms: np.ndarray[tuple[int], np.dtype[np.int64]]
    keys: list[bytes | None]
    messages: list[bytes | None]
    epochs: dict[int, int] = field(default_factory=dict)
    headers: Sequence[str | None] = ()

    def __len__(self) -> int:
        return len(self.messages)

    @property
    def byte_count(self) -> int:
        """Bytes of all keys and messages, and characters of their headers."""
        texts = (self.messages, self.keys, self.headers)
        return sum(sum(map(len, filter(None, each))) for each in texts)


@dataclass
class Batch:
    """Messages read since the last commit.

    next_offsets: partition -> one past the offset of its last row, for partitions with rows.
    epochs: partition -> leader epoch of its last row, where known.
    started_at: when the first message came, on the caller's monotonic clock, in seconds.
    """

    parser: Parser
    next_offsets: dict[int, int] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    byte_count: int = 0
    started_at: float = 0.0
    _tables: list[pa.Table] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self._tables))

    def add(self, chunk: Chunk, now: float) -> None:
        """Take up a chunk whose offsets follow those already here."""
        if not self._tables:
            self.started_at = now
        for partition in np.unique(chunk.partitions).tolist():
            offsets = chunk.offsets[chunk.partitions == partition]
            if int(offsets[0]) < self.next_offsets.get(partition, 0):
                raise FatalError(
                    f"partition {partition} from offset {self.next_offsets[partition]} on",
                    f"offset {offsets[0]} again",
                    "restart the lander: it goes on from the table",
                )
            self.next_offsets[partition] = int(offsets[-1]) + 1
            self.epochs.pop(partition, None)
        self.epochs |= chunk.epochs
        self._tables.append(columns_of(chunk, self.parser))
        self.byte_count += chunk.byte_count

    def sorted_rows(self, sort_by: Sequence[str], stamp: Stamp) -> Iterator[pa.Table]:
        """The landing rows in order of `sort_by`, else as Kafka gave them; a table a row group."""
        table = pa.concat_tables(self._tables).combine_chunks()
        self._tables = [table]
        skipped = skipped_before(
            table.column("kafka_partition").to_numpy(),
            table.column("kafka_offset").to_numpy(),
            stamp.ends,
        )
        table = table.append_column("kafka_skipped", pa.array(skipped))
        order = sort_order(table, sort_by)
        for start, stop in groups(len(self), self.byte_count):
            yield stamped(table.take(pa.array(order[start:stop])), stamp)


@dataclass(frozen=True)
class Stamp:
    """What all rows of one commit share.

    ends: partition -> the offset after its last message before these rows; 0 where there is none.
    """

    batch_id: int
    landed_at: datetime
    topic_id: str
    ends: Mapping[int, int]


def columns_of(chunk: Chunk, parser: Parser) -> pa.Table:
    """Kafka coordinates, key, message and parsed columns of the chunk."""
    keys, key_encodings = encode_text(chunk.keys)
    messages, encodings = encode_text(chunk.messages)
    text, count = pa.string(), len(chunk)
    headers = pa.array(chunk.headers, text) if chunk.headers else pa.nulls(count, text)
    no_time = (chunk.times_ms < 0) | (chunk.times_ms > LATEST_MS)
    times = pa.array(chunk.times_ms * 1000, mask=no_time).cast(pa.timestamp("us", "UTC"))
    kafka = {
        "kafka_partition": pa.array(chunk.partitions),
        "kafka_offset": pa.array(chunk.offsets),
        "kafka_at": times,
        "message_key": keys,
        "message_key_encoding": key_encodings,
        "message": messages,
        "message_encoding": encodings,
        "message_headers": headers,
    }
    parsed = parser.parse(chunk.messages)
    return pa.table({**kafka, **dict(zip(parsed.column_names, parsed.columns, strict=True))})


def skipped_before(
    partitions: np.ndarray[tuple[int], np.dtype[np.int32]],
    offsets: np.ndarray[tuple[int], np.dtype[np.int64]],
    ends: Mapping[int, int],
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """How many offsets between each message and the one before it in its partition hold none.

    The messages of a partition were read on without a break, in ascending order.
    """
    skipped = np.empty_like(offsets)
    for partition in np.unique(partitions).tolist():
        mine = partitions == partition
        skipped[mine] = np.diff(offsets[mine], prepend=ends.get(partition, 0) - 1) - 1
    return skipped


def stamped(table: pa.Table, stamp: Stamp) -> pa.Table:
    """The table with the columns that the commit gives to all its rows."""
    count = len(table)
    landed_at = pa.scalar(stamp.landed_at, pa.timestamp("us", "UTC"))
    added = {
        "kafka_topic_id": pa.DictionaryArray.from_arrays(
            np.zeros(count, np.int8), [stamp.topic_id]
        ),
        "batch_id": pa.repeat(pa.scalar(stamp.batch_id, pa.int64()), count),
        "landed_at": pa.repeat(landed_at, count),
    }
    for name, column in added.items():
        table = table.append_column(name, column)
    return table


def encode_text(values: list[bytes | None]) -> tuple[pa.Array, pa.Array]:
    """The values as text, and how to read it: utf8 as it stands, base64, or null for null."""
    binary = pa.array(values, pa.binary())
    try:
        texts = binary.cast(pa.string())
    except pa.ArrowInvalid:
        pairs = [encode_one(value) for value in values]
        texts = pa.array([text for text, _ in pairs], pa.string())
        codes = np.array([code for _, code in pairs], np.int8)
    else:
        codes = np.zeros(len(values), np.int8)
    indices = pa.array(codes, mask=binary.is_null().to_numpy(zero_copy_only=False))
    return texts, pa.DictionaryArray.from_arrays(indices, ENCODINGS)


def encode_one(value: bytes | None) -> tuple[str | None, int]:
    """One value as text, and the place of its encoding among ENCODINGS."""
    try:
        return value if value is None else value.decode("utf-8"), 0
    except UnicodeDecodeError:
        return base64.b64encode(value or b"").decode("ascii"), 1


def sort_order(
    table: pa.Table, sort_by: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Row numbers in ascending order of the columns, nulls first, equal rows as they came."""
    if not sort_by:
        return np.arange(len(table))
    keys = [sort_key(table.column(name).combine_chunks()) for name in sort_by]
    return np.lexsort(keys[::-1])


def sort_key(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Integers that sort as the column does; strings by their place in a sorted dictionary."""
    if pa.types.is_string(column.type):
        encoded = column.dictionary_encode()
        places = pc.rank(encoded.dictionary, tiebreaker="dense").cast(pa.int64())
        column = places.take(encoded.indices)
    elif pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_null(column), None, pc.rank(column, tiebreaker="dense"))
    numbers = column.cast(pa.int64())
    filled = numbers.fill_null(np.iinfo(np.int64).min)
    return np.asarray(filled, dtype=np.int64)


def groups(rows: int, byte_count: int) -> Iterator[tuple[int, int]]:
    """Bounds of the row groups for messages of this number and size together."""
    size = max(1, min(GROUP_ROWS, GROUP_BYTES * rows // max(byte_count, 1)))
    for start in range(0, rows, size):
        yield start, min(start + size, rows)
