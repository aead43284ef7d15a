"""How much of a topic to read at once."""

from __future__ import annotations

from lander.batch import Chunk

# One read: many messages make columns worth while, but in a backlog large messages must not fill
# the memory before their size is known, so a read after a full one is short.
FIRST_READ_MESSAGES, READ_MESSAGES = 100, 5_000
READ_BYTES = 4 * 2**20
READ_SECONDS, BACKLOG_READ_SECONDS = 0.1, 0.02


def messages_of_size(average_bytes: int) -> int:
    """How many messages of this size to read at once."""
    return max(1, min(READ_MESSAGES, READ_BYTES // max(average_bytes, 1)))


class Pace:
    """Number of messages and seconds of the next read, by what the last one gave."""

    def __init__(self) -> None:
        self.messages = FIRST_READ_MESSAGES
        self.seconds = READ_SECONDS

    def learn(self, chunk: Chunk) -> None:
        """Note what a read of `messages` gave."""
        is_backlog = len(chunk) == self.messages
        self.seconds = BACKLOG_READ_SECONDS if is_backlog else READ_SECONDS
        if len(chunk):
            self.messages = messages_of_size(chunk.byte_count // len(chunk))
