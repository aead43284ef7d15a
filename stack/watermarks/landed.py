"""Decide where to read on and whether a batch may be written, from what the table says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from stack.base.errors import FatalError

LANDED_PROPERTY = "meterhouse.landed"
LOST_PROPERTY = "meterhouse.lost"
# In the property of every commit since landing tables have a column kafka_skipped.
SKIPPED_KEY = "skipped"
RETENTION = "retention"
TRUNCATED = "topic truncated"
RECREATED = "topic recreated"
# As version 0.1.0 wrote them.
STORED_REASONS = {
    "topic cut short": TRUNCATED,  # codespell:ignore
    "topic made anew": RECREATED,  # codespell:ignore
}
# In place of the offset at which a log was cut, as Kafka answers.
NOT_KNOWN = -1


@dataclass(frozen=True)
class Watermark:
    """How far a landing table has got, as it stands in its property.

    batch_id: number of the last commit that added rows, 0 before the first;
    landed_at: its time; offsets: partition -> next offset; topic_id: Kafka's id of the topic,
    which changes when a topic is deleted and recreated; epochs: partition -> leader epoch of the
    last message before the next offset, where it is known. Kafka raises that number each time it
    elects a partition's leader, so a message that took the place of a lost one has another.
    skipped: partition -> how many offsets between that message and the next offset hold none (the
    markers of transactions, aborted and compacted messages); partitions without any are left out.
    """

    batch_id: int
    landed_at: datetime
    offsets: Mapping[int, int]
    topic_id: str
    epochs: Mapping[int, int] = field(default_factory=dict)
    skipped: Mapping[int, int] = field(default_factory=dict)

    def to_json(self) -> str:
        """The property's text."""
        return json.dumps(
            {
                "batch_id": self.batch_id,
                "landed_at": self.landed_at.isoformat(timespec="microseconds"),
                "offsets": {str(p): offset for p, offset in sorted(self.offsets.items())},
                "topic_id": self.topic_id,
                "epochs": {str(p): epoch for p, epoch in sorted(self.epochs.items())},
                SKIPPED_KEY: {str(p): count for p, count in sorted(self.skipped.items())},
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Watermark:
        """Read the property's text. Raises FatalError if it is none of ours."""
        try:
            content = json.loads(text)
            return cls(
                batch_id=int(content["batch_id"]),
                landed_at=datetime.fromisoformat(content["landed_at"]).astimezone(UTC),
                offsets={int(p): int(offset) for p, offset in content["offsets"].items()},
                topic_id=str(content["topic_id"]),
                # Older landers kept neither.
                epochs={int(p): int(epoch) for p, epoch in content.get("epochs", {}).items()},
                skipped={int(p): int(count) for p, count in content.get(SKIPPED_KEY, {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FatalError(
                f"offsets in table property {LANDED_PROPERTY}",
                repr(text),
                "restore the property from an older metadata file of the table",
            ) from error

    def offsets_of(self, topic_id: str) -> Mapping[int, int]:
        """The offsets if they are of this topic, none if a recreated topic has begun afresh."""
        return self.offsets if topic_id == self.topic_id else {}

    def epochs_of(self, topic_id: str) -> Mapping[int, int]:
        """The epochs that go with the offsets of this topic."""
        return self.epochs if topic_id == self.topic_id else {}

    def ends_of(self, topic_id: str) -> dict[int, int]:
        """Partition -> the offset after its last landed message, or its last accepted loss."""
        return {
            partition: offset - self.skipped.get(partition, 0)
            for partition, offset in self.offsets_of(topic_id).items()
        }

    def moved_to(self, positions: Mapping[int, int], topic_id: str) -> Watermark:
        """The watermark after a person accepted that reading goes on at these positions."""
        before, ends = self.offsets_of(topic_id), self.ends_of(topic_id)
        offsets = {**before, **positions}
        epochs = self.epochs_of(topic_id).items()
        kept = {p: epoch for p, epoch in epochs if offsets[p] == before[p]}
        # A loss is recorded from the last landed message on: nothing is left to skip after it.
        skipped = {p: offsets[p] - end for p, end in ends.items() if end < offsets[p] <= before[p]}
        return replace(self, offsets=offsets, topic_id=topic_id, epochs=kept, skipped=skipped)

    def read_to(self, ends: Mapping[int, int]) -> Watermark:
        """The watermark once partitions were read up to these offsets without a message.

        Offsets that are not past what is known change nothing.
        """
        moved = {p: end for p, end in ends.items() if end > self.offsets.get(p, 0)}
        if not moved:
            return self
        known = self.ends_of(self.topic_id)
        skipped = {p: end - known.get(p, 0) for p, end in moved.items()}
        return replace(self, offsets={**self.offsets, **moved}, skipped={**self.skipped, **skipped})

    def following(
        self,
        next_offsets: Mapping[int, int],
        now: datetime,
        topic_id: str,
        epochs: Mapping[int, int],
    ) -> Watermark:
        """The watermark after one more batch; time never runs backwards.

        next_offsets: after the batch's last messages; epochs: those of these messages. Offsets of
        a topic that was recreated begin afresh, in all its partitions.
        """
        before = self.epochs_of(topic_id).items()
        others = {partition: epoch for partition, epoch in before if partition not in next_offsets}
        skipped = self.skipped if topic_id == self.topic_id else {}
        return Watermark(
            batch_id=self.batch_id + 1,
            landed_at=max(now, self.landed_at),
            offsets={**self.offsets_of(topic_id), **next_offsets},
            topic_id=topic_id,
            epochs={**others, **epochs},
            skipped={p: count for p, count in skipped.items() if p not in next_offsets},
        )


@dataclass(frozen=True)
class Bounds:
    """What Kafka holds of a partition: offsets from `earliest` up to, not including, `end`.

    end: as far as its readers get; an open transaction and what follows it are not in.
    """

    earliest: int
    end: int


@dataclass(frozen=True)
class Loss:
    """Offsets first..last that no lander has read and Kafka no longer holds.

    first: after the last landed message; offsets that were read and hold none may be among them.
    last: None where nobody can tell how far the old topic went. topic_id: the topic they were of,
    None for what was recorded before losses had one.
    """

    partition: int
    first: int
    last: int | None
    reason: str
    noticed_at: datetime
    is_accepted: bool = False
    topic_id: str | None = None

    @property
    def key(self) -> tuple[str | None, int, int, str]:
        """Two losses of one key are one loss, seen again later."""
        return self.topic_id, self.partition, self.first, self.reason

    def is_of(self, topic_id: str, partition: int) -> bool:
        """Whether this partition of this topic lost it."""
        return self.partition == partition and self.topic_id in {None, topic_id}

    def __str__(self) -> str:
        end = "unknown" if self.last is None else self.last
        return f"partition {self.partition}, offsets {self.first} to {end}: {self.reason}"


@dataclass(frozen=True)
class Start:
    """How far the partitions have landed, partition -> offset, and what was lost on the way there.

    reading: where to read from. What lies between there and the position was read before and held
    no message. It is read again: a log that was cut there meanwhile holds other messages now.
    """

    positions: Mapping[int, int]
    losses: tuple[Loss, ...] = ()
    reading: Mapping[int, int] = field(default_factory=dict)


def plan_start(
    watermark: Watermark,
    bounds: Mapping[int, Bounds],
    topic_id: str,
    now: datetime,
    cuts: Mapping[int, int] | None = None,
) -> Start:
    """Positions of the given partitions, and ranges that retention or a new topic took away.

    What retention took of offsets that were read and hold no message is no loss. cuts: partition ->
    offset at which Kafka's log was cut, whatever has followed since, or NOT_KNOWN. A partition the
    table does not know is a new one, to be read from 0; so is each of a recreated topic, which may
    have lost what followed in every partition of the old one.
    Raises FatalError where nobody can tell what has landed of what Kafka holds.
    """
    positions: dict[int, int] = {}
    losses: list[Loss] = []
    if topic_id != watermark.topic_id:
        losses += (
            Loss(partition, end, None, RECREATED, now, topic_id=watermark.topic_id)
            for partition, end in sorted(watermark.ends_of(watermark.topic_id).items())
        )
    offsets, ends = watermark.offsets_of(topic_id), watermark.ends_of(topic_id)
    for partition, held in sorted(bounds.items()):
        expected, last_end = offsets.get(partition, 0), ends.get(partition, 0)
        cut = (cuts or {}).get(partition, held.end)
        if cut == NOT_KNOWN:
            if held.end >= expected:
                raise older_log(partition, expected, held)
            cut = held.end
        end = max(held.earliest, min(held.end, cut))
        if end < expected:
            # All that Kafka holds before it has landed: only what follows is new.
            positions[partition] = end
            losses.append(Loss(partition, last_end, None, TRUNCATED, now, topic_id=topic_id))
        elif held.earliest > expected:
            positions[partition] = held.earliest
            last = held.earliest - 1
            losses.append(Loss(partition, last_end, last, RETENTION, now, topic_id=topic_id))
        else:
            positions[partition] = expected
    reading = {
        partition: min(position, max(ends.get(partition, 0), bounds[partition].earliest))
        for partition, position in positions.items()
    }
    return Start(positions, tuple(losses), reading)


def older_log(partition: int, expected: int, held: Bounds) -> FatalError:
    """The error of a log that was put back to an older state and has grown since."""
    return FatalError(
        f"what landed of partition {partition}, up to offset {expected}, in Kafka's log",
        f"a log up to {held.end} that was put back to before the last of it was written",
        "copy what is missing to a recreated topic of the same name, and accept the loss",
    )


def may_write(known: Watermark, found: Watermark, partitions: Iterable[int]) -> bool:
    """True if the watermark of these partitions is still as known since reading began.

    False: another lander was here; the batch must be dropped and the positions read again.
    """
    return found.topic_id == known.topic_id and all(
        found.offsets.get(partition) == known.offsets.get(partition)
        and found.skipped.get(partition) == known.skipped.get(partition)
        for partition in partitions
    )


def losses_to_json(losses: Sequence[Loss]) -> str:
    """The text of the property that records losses."""
    return json.dumps(
        [
            {
                "partition": loss.partition,
                "first": loss.first,
                "last": loss.last,
                "reason": loss.reason,
                "noticed_at": loss.noticed_at.isoformat(timespec="seconds"),
                "is_accepted": loss.is_accepted,
                "topic_id": loss.topic_id,
            }
            for loss in losses
        ]
    )


def losses_from_json(text: str | None) -> list[Loss]:
    """Read the property that records losses; none if it is absent."""
    return [
        Loss(
            **{
                **entry,
                "reason": STORED_REASONS.get(entry["reason"], entry["reason"]),
                "noticed_at": datetime.fromisoformat(entry["noticed_at"]),
            }
        )
        for entry in json.loads(text or "[]")
    ]


def record_losses(known: Sequence[Loss], seen: Sequence[Loss]) -> list[Loss]:
    """The known losses with those now seen; one seen again keeps its first time of notice.

    One that nobody has accepted may have been noticed before losses had a topic id.
    """
    merged = {loss.key: loss for loss in known}
    for loss in seen:
        nameless = merged.get(replace(loss, topic_id=None).key)
        if loss.topic_id and nameless and not nameless.is_accepted:
            del merged[nameless.key]
            merged.setdefault(loss.key, replace(nameless, topic_id=loss.topic_id))
        earlier = merged.get(loss.key)
        kept = replace(loss, noticed_at=earlier.noticed_at) if earlier else loss
        merged[loss.key] = kept
    return list(merged.values())
