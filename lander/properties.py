"""What a landing table's properties say, and whether its rows say the same."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from pyiceberg.table import Table

from stack.base.errors import FatalError
from stack.watermarks.landed import (
    LANDED_PROPERTY,
    LOST_PROPERTY,
    RECREATED,
    RETENTION,
    TRUNCATED,
    Loss,
    Watermark,
    losses_from_json,
)


def watermark_of(table: Table) -> Watermark:
    """The watermark in the table's property. Raises FatalError if it has none."""
    text = table.properties.get(LANDED_PROPERTY)
    if text is None:
        raise FatalError(
            f"table property {LANDED_PROPERTY} on {'.'.join(table.name())}",
            "none",
            "the lander makes its tables itself: drop or rename this one",
        )
    return Watermark.from_json(text)


def lost_before(start: Watermark) -> list[Loss]:
    """What retention had taken before the table was made: nobody could have landed it."""
    return [
        Loss(
            partition,
            0,
            offset - 1,
            RETENTION,
            start.landed_at,
            is_accepted=True,
            topic_id=start.topic_id,
        )
        for partition, offset in sorted(start.offsets.items())
        if offset > 0
    ]


def known_losses(table: Table) -> list[Loss]:
    """Losses recorded in the table's property."""
    return losses_from_json(table.properties.get(LOST_PROPERTY))


def check_rows_against_property(table: Table) -> None:
    """Compare the newest rows with the property that must have been written with them.

    Rows of the last commit and later ones have landed_at at or after its time, so only the
    newest files are read. Raises FatalError if the rows say anything else.
    """
    watermark = watermark_of(table)
    rows = table.scan(
        row_filter=f"landed_at >= '{watermark.landed_at.isoformat()}'",
        selected_fields=("kafka_topic_id", "kafka_partition", "kafka_offset", "batch_id"),
    ).to_arrow()
    problem = difference(rows, watermark, known_losses(table))
    if problem:
        raise FatalError(
            f"rows of {'.'.join(table.name())} that end where its property {LANDED_PROPERTY} says",
            problem,
            "somebody rolled the table back, deleted rows or wrote others: restore a snapshot "
            "that agrees with the property, or correct the property",
        )


def difference(rows: pa.Table, watermark: Watermark, losses: Sequence[Loss]) -> str | None:
    """Where the newest rows and the property part, None if they agree.

    rows: kafka_topic_id, kafka_partition, kafka_offset, batch_id of all rows landed at or after
    watermark.landed_at. losses: accepted ones moved the property on without rows.
    """
    newest = max(rows.column("batch_id").to_pylist(), default=0)
    if newest != watermark.batch_id:
        return f"last batch {newest} in the rows, {watermark.batch_id} in the property"
    last = rows.filter(pa.compute.equal(rows.column("batch_id"), newest))
    places = last.group_by(["kafka_topic_id", "kafka_partition"])
    for end in places.aggregate([("kafka_offset", "max")]).to_pylist():
        topic_id, partition = end["kafka_topic_id"], end["kafka_partition"]
        following = end["kafka_offset_max"] + 1
        stored = watermark.ends_of(topic_id).get(partition)
        accepted = [loss for loss in losses if loss.is_accepted and loss.is_of(topic_id, partition)]
        if following != stored and not leads_on(following, stored, accepted):
            return f"partition {partition}: rows up to {following}, property {stored}"
    return None


def leads_on(following: int, stored: int | None, accepted: Sequence[Loss]) -> bool:
    """Whether accepted losses of a partition lead from where its rows end to where it goes on.

    stored: None where it goes on in another topic. A truncated topic goes on at an offset that no
    loss tells.
    """
    reached, is_cut, is_recreated = {following}, False, False
    for loss in accepted:
        if is_cut or loss.first in reached:
            is_cut |= loss.reason == TRUNCATED
            is_recreated |= loss.reason == RECREATED
            reached.add(-1 if loss.last is None else loss.last + 1)
    return is_recreated if stored is None else is_cut or stored in reached
