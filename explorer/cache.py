"""Keep answers for a while, and know how old each is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Kept(Generic[Item]):
    """Something made at a time, in seconds of the cache's clock."""

    item: Item
    made_at: float


class Cache(Generic[Item]):
    """Items by key; safe among threads, and two askers of one key make it once.

    clock: seconds that never go back. An item that could not be made is not kept.
    """

    def __init__(self, seconds: float, most: int, clock: Callable[[], float]) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._kept: dict[Hashable, Kept[Item]] = {}
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Item]) -> Kept[Item]:
        """The item of a key, recreated if there is none or it is too old."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            kept = self._kept.get(key)
            if kept is None or self._clock() - kept.made_at > self._seconds:
                kept = Kept(make(), self._clock())
                self._keep(key, kept)
            return kept

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()

    def _keep(self, key: Hashable, kept: Kept[Item]) -> None:
        with self._lock:
            self._kept[key] = kept
            while len(self._kept) > self._most:
                oldest = min(self._kept, key=lambda each: self._kept[each].made_at)
                del self._kept[oldest]
                self._making.pop(oldest, None)
