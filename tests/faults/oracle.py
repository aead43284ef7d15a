"""Whether a landing table holds exactly what a producer was told was taken."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass

from lander.table import NAMESPACE, connect
from stack.settings import Settings
from tests.faults.ledger import Ledger, fingerprint

COLUMNS = ("kafka_partition", "kafka_offset", "batch_id", "landed_at")
MESSAGE_COLUMNS = ("message_key", "message_key_encoding", "message", "message_encoding")


@dataclass(frozen=True)
class Finding:
    """lost: offsets missing; doubled: rows too many; is_same: keys and values as acknowledged.

    is_ordered: no batch landed before an earlier one, whatever clocks said; snapshot: the table's
    current snapshot id.
    """

    messages: int
    lost: int
    doubled: int
    is_same: bool
    is_ordered: bool
    snapshot: int | None

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing doubled, nothing changed, nothing out of turn."""
        return not self.lost and not self.doubled and self.is_same and self.is_ordered


def judge(settings: Settings, topic: str, ledger: Ledger) -> Finding:
    """Compare the landing table with the ledger, message by message."""
    table = connect(settings).load_table((NAMESPACE, topic))
    rows = table.scan(selected_fields=(*COLUMNS, *MESSAGE_COLUMNS)).to_arrow().to_pylist()
    found = Counter((row["kafka_partition"], row["kafka_offset"]) for row in rows)
    wanted = {(p, offset) for p, end in ledger.ends.items() for offset in range(end)}
    hash_sum = sum(
        fingerprint(
            raw(row["message_key"], row["message_key_encoding"]),
            raw(row["message"], row["message_encoding"]),
        )
        for row in rows
    )
    landed = sorted({(row["batch_id"], row["landed_at"]) for row in rows})
    snapshot = table.current_snapshot()
    return Finding(
        messages=ledger.count,
        lost=len(wanted - found.keys()),
        doubled=sum(found.values()) - len(found.keys() & wanted),
        is_same=hash_sum == ledger.hash_sum and len(wanted) == ledger.count,
        is_ordered=[at for _, at in landed] == sorted(at for _, at in landed),
        snapshot=snapshot.snapshot_id if snapshot else None,
    )


def raw(text: str | None, encoding: str | None) -> bytes | None:
    """The bytes that a landing row keeps as text."""
    if text is None:
        return None
    return base64.b64decode(text) if encoding == "base64" else text.encode()
