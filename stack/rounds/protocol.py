"""Messages between the runner and its worker: JSON lines over a pair of sockets.

The runner sends commands, one at a time: `words` (of dbt), `project` (fingerprint of its files) and
`environment` (what dbt reads by env_var()). With a command goes the open socket of the one-writer
lock under which it runs. While it runs, `recorded` (a table) says that its progress is, to a model
that awaits it. The worker answers with events: `read` (the project was; `seconds`),
`model` (one has finished; the fields of ModelResult) and at last `end` (`error`, empty if dbt
itself went well, and `memory_mb`, the worker's resident memory).
"""

from __future__ import annotations

import json
import os
import select
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CHUNK_BYTES = 65_536
MOST_FILES = 4


@dataclass
class Message:
    """A line's content, and the files that came with it."""

    content: dict[str, Any]
    files: list[int] = field(default_factory=list)

    def close(self) -> None:
        """Close the files."""
        while self.files:
            os.close(self.files.pop())


def send(channel: socket.socket, content: Mapping[str, Any], files: Sequence[int] = ()) -> None:
    """Send one message. Raises OSError where nobody receives any more."""
    line = json.dumps(content).encode() + b"\n"
    sent = socket.send_fds(channel, [line], files) if files else 0
    channel.sendall(line[sent:])


class Receiver:
    """The messages that come over a channel."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._rest, self._files = b"", list[int]()

    def receive(self, seconds: float | None = None) -> list[Message]:
        """The messages that have come whole; none if nothing comes within so many seconds.

        Raises EOFError when the other side has closed the channel or died.
        """
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        if not poll.poll(None if seconds is None else seconds * 1000):
            return []
        try:
            data, files, _, _ = socket.recv_fds(self._channel, CHUNK_BYTES, MOST_FILES)
        except ConnectionResetError:
            data, files = b"", []
        self._files += files
        if not data:
            raise EOFError
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [self._message(line) for line in lines]

    def _message(self, line: bytes) -> Message:
        files, self._files = self._files, []
        return Message(json.loads(line), files)
