"""Run the landing of several topics side by side until it is finished or told to stop."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lander import health
from lander.clock import Clock
from lander.opening import LostMessagesError
from lander.topic_lander import TopicLander
from stack.base.errors import MeterhouseError

LOG = logging.getLogger("lander")
HEALTH_SECONDS = 2.0
# A batch that cannot be finished within this time of a stop is abandoned; nothing is lost by it.
STOP_SECONDS = 8.0
DONE, FAILED, LOST_MESSAGES = 0, 1, 3


class LanderService:
    """Lands each topic in a thread of its own, so that trouble of one does not hold up others.

    health_file: kept up to date while running; None to leave it alone.
    """

    def __init__(
        self, landers: Sequence[TopicLander], health_file: Path | None, clock: Clock
    ) -> None:
        self._landers = landers
        self._health_file = health_file
        self._clock = clock
        self._stop = threading.Event()
        self._exit_codes: list[int] = []

    def stop(self) -> None:
        """Ask all topics to come to an end; safe to call from a signal handler."""
        self._stop.set()

    def run(self) -> int:
        """Land until all topics are finished, one fails or `stop` is called; the exit code."""
        threads = [
            threading.Thread(target=self._land, args=(lander,), name=lander.topic.name, daemon=True)
            for lander in self._landers
        ]
        for thread in threads:
            thread.start()
        self._wait_for(threads)
        self._stop.set()
        deadline = self._clock.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - self._clock.monotonic()))
        self._write_health()
        return max(self._exit_codes, default=DONE)

    def _wait_for(self, threads: Sequence[threading.Thread]) -> None:
        """Keep the health file fresh until told to stop or nothing is left running."""
        written_at = float("-inf")
        while not self._stop.wait(0.1) and any(thread.is_alive() for thread in threads):
            if self._clock.monotonic() - written_at >= HEALTH_SECONDS:
                self._write_health()
                written_at = self._clock.monotonic()

    def _land(self, lander: TopicLander) -> None:
        """The thread of one topic. A failure stops the others too: the supervisor restarts it."""
        try:
            while not self._stop.is_set() and not lander.is_finished:
                lander.step()
            lander.finish()
        except MeterhouseError as error:
            LOG.error("failed topic=%s reason=%s", lander.topic.name, error)
            is_lost = isinstance(error, LostMessagesError)
            self._fail(lander, error, LOST_MESSAGES if is_lost else FAILED)
        except Exception as error:
            LOG.exception("failed topic=%s", lander.topic.name)
            self._fail(lander, error, FAILED)

    def _fail(self, lander: TopicLander, error: Exception, exit_code: int) -> None:
        lander.health = replace(lander.health, state="failed", reason=str(error))
        self._exit_codes.append(exit_code)
        self._stop.set()
        with contextlib.suppress(Exception):
            lander.leave()

    def _write_health(self) -> None:
        if self._health_file is None:
            return
        topics = {lander.topic.name: lander.health for lander in self._landers}
        try:
            health.write(self._health_file, topics, self._clock.now())
        except OSError as error:
            LOG.warning("health not written file=%s reason=%s", self._health_file, error)
