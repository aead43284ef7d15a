"""What really happened, written apart from the stream so that a scorecard can compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.serialiser import stamp


@dataclass(frozen=True)
class Truth:
    """One fact: of a kind, about a meter (or none), for a span of time.

    from_ms, to_ms: milliseconds since 1970. values: the true values, and what was sent
    instead where that differs.
    """

    kind: str
    device_id: str | None
    from_ms: int
    to_ms: int
    values: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The fact as a JSON object of the truth file: kind, device_id, from, to, true."""
        return {
            "kind": self.kind,
            "device_id": self.device_id,
            "from": stamp(self.from_ms),
            "to": stamp(self.to_ms),
            "true": self.values,
        }
