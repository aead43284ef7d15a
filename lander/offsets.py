"""Decide where to read on and whether a batch may be written, from what the table says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from stack.errors import FatalError

LANDED_PROPERTY = "meterhouse.landed"
LOST_PROPERTY = "meterhouse.lost"
RETENTION = "retention"
CUT_SHORT = "topic cut short"
MADE_ANEW = "topic made anew"
# In place of the offset at which a log was cut, as Kafka answers.
NOT_KNOWN = -1


@dataclass(frozen=True)
class Landed:
    """What the landing table says has landed, as it stands in its property.

    batch_id: number of the last commit that added rows, 0 before the first;
    landed_at: its time; offsets: partition -> next offset; topic_id: Kafka's id of the topic,
    which changes when a topic is deleted and made anew; epochs: partition -> leader epoch of the
    message before the next offset, where it is known. Kafka raises that number each time a
    partition's leader is chosen anew, so a message that took the place of a lost one has another.
    """

    batch_id: int
    landed_at: datetime
    offsets: Mapping[int, int]
    topic_id: str
    epochs: Mapping[int, int] = field(default_factory=dict)

    def to_json(self) -> str:
        """The property's text."""
        return json.dumps(
            {
                "batch_id": self.batch_id,
                "landed_at": self.landed_at.isoformat(timespec="microseconds"),
                "offsets": {str(p): offset for p, offset in sorted(self.offsets.items())},
                "topic_id": self.topic_id,
                "epochs": {str(p): epoch for p, epoch in sorted(self.epochs.items())},
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Landed:
        """Read the property's text. Raises FatalError if it is none of ours."""
        try:
            content = json.loads(text)
            return cls(
                batch_id=int(content["batch_id"]),
                landed_at=datetime.fromisoformat(content["landed_at"]).astimezone(UTC),
                offsets={int(p): int(offset) for p, offset in content["offsets"].items()},
                topic_id=str(content["topic_id"]),
                # Landers before this one kept none.
                epochs={int(p): int(epoch) for p, epoch in content.get("epochs", {}).items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FatalError(
                f"offsets in table property {LANDED_PROPERTY}",
                repr(text),
                "restore the property from an older metadata file of the table",
            ) from error

    def offsets_of(self, topic_id: str) -> Mapping[int, int]:
        """The offsets if they are of this topic, none if a topic made anew has begun afresh."""
        return self.offsets if topic_id == self.topic_id else {}

    def epochs_of(self, topic_id: str) -> Mapping[int, int]:
        """The epochs that go with the offsets of this topic."""
        return self.epochs if topic_id == self.topic_id else {}

    def moved_to(self, positions: Mapping[int, int], topic_id: str) -> Landed:
        """What the table says after a person accepted that reading goes on at these positions."""
        before = self.offsets_of(topic_id)
        offsets = {**before, **positions}
        epochs = self.epochs_of(topic_id).items()
        kept = {p: epoch for p, epoch in epochs if offsets[p] == before[p]}
        return replace(self, offsets=offsets, topic_id=topic_id, epochs=kept)

    def following(
        self,
        next_offsets: Mapping[int, int],
        now: datetime,
        topic_id: str,
        epochs: Mapping[int, int],
    ) -> Landed:
        """What the table says after one more batch; time never runs backwards.

        epochs: those of the batch's last messages. Offsets of a topic that was made anew begin
        afresh, in all its partitions.
        """
        before = self.epochs_of(topic_id).items()
        others = {partition: epoch for partition, epoch in before if partition not in next_offsets}
        return Landed(
            batch_id=self.batch_id + 1,
            landed_at=max(now, self.landed_at),
            offsets={**self.offsets_of(topic_id), **next_offsets},
            topic_id=topic_id,
            epochs={**others, **epochs},
        )


@dataclass(frozen=True)
class Bounds:
    """What Kafka holds of a partition: offsets from `earliest` up to, not including, `end`."""

    earliest: int
    end: int


@dataclass(frozen=True)
class Loss:
    """Offsets first..last that no lander has read and Kafka no longer holds.

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
    """Where to read on, partition -> offset, and what was lost on the way there."""

    positions: Mapping[int, int]
    losses: tuple[Loss, ...] = ()


def plan_start(
    landed: Landed,
    bounds: Mapping[int, Bounds],
    topic_id: str,
    now: datetime,
    cuts: Mapping[int, int] | None = None,
) -> Start:
    """Positions of the given partitions, and ranges that retention or a new topic took away.

    cuts: partition -> offset at which Kafka's log was cut, whatever has followed since, or
    NOT_KNOWN. A partition the table does not know is a new one, to be read from 0; so is each of a
    topic that was made anew, which may have lost what followed in every partition of the old one.
    Raises FatalError where nobody can tell what has landed of what Kafka holds.
    """
    positions: dict[int, int] = {}
    losses: list[Loss] = []
    if topic_id != landed.topic_id:
        losses += (
            Loss(partition, offset, None, MADE_ANEW, now, topic_id=landed.topic_id)
            for partition, offset in sorted(landed.offsets.items())
        )
    offsets = landed.offsets_of(topic_id)
    for partition, held in sorted(bounds.items()):
        expected = offsets.get(partition, 0)
        cut = (cuts or {}).get(partition, held.end)
        if cut == NOT_KNOWN:
            if held.end >= expected:
                raise older_log(partition, expected, held)
            cut = held.end
        end = max(held.earliest, min(held.end, cut))
        if end < expected:
            # All that Kafka holds before it has landed: only what follows is new.
            positions[partition] = end
            losses.append(Loss(partition, expected, None, CUT_SHORT, now, topic_id=topic_id))
        elif held.earliest > expected:
            positions[partition] = held.earliest
            last = held.earliest - 1
            losses.append(Loss(partition, expected, last, RETENTION, now, topic_id=topic_id))
        else:
            positions[partition] = expected
    return Start(positions, tuple(losses))


def older_log(partition: int, expected: int, held: Bounds) -> FatalError:
    """The error of a log that was put back to an older state and has grown since."""
    return FatalError(
        f"what landed of partition {partition}, up to offset {expected}, in Kafka's log",
        f"a log up to {held.end} that was put back to before the last of it was written",
        "copy what is missing to a topic made anew under the same name, and accept the loss",
    )


def may_write(read_from: Landed, landed: Landed, partitions: Iterable[int]) -> bool:
    """True if the table still says of these partitions what it said when reading began.

    False: another lander was here; the batch must be dropped and the positions read again.
    """
    return landed.topic_id == read_from.topic_id and all(
        landed.offsets.get(partition) == read_from.offsets.get(partition)
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
        Loss(**{**entry, "noticed_at": datetime.fromisoformat(entry["noticed_at"])})
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
