"""Where certificates and Trino's password file lie; the servers need no more to know of them.

Folder `tls` in STATE_DIR, which only its owner may enter: `ca.key`; `client/`, what clients read;
`server/`, what the servers read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from stack.base.settings import Settings


@dataclass(frozen=True)
class TlsFiles:
    """Where the certificates of one stack lie."""

    folder: Path

    @property
    def authority_key(self) -> Path:
        """Signs the server's certificates; no service reads it."""
        return self.folder / "ca.key"

    @property
    def authority(self) -> Path:
        """What clients trust."""
        return self.folder / "client" / "ca.pem"

    @property
    def server(self) -> Path:
        """The servers' key and certificate in one file."""
        return self.folder / "server" / "server.pem"

    @property
    def authority_for_servers(self) -> Path:
        """What the servers trust when they speak to themselves."""
        return self.folder / "server" / "ca.pem"

    @property
    def trino_passwords(self) -> Path:
        """Trino's users and what their passwords hash to."""
        return self.folder / "server" / "trino-passwords"


def files_of(settings: Settings) -> TlsFiles:
    """The certificates of the stack that these settings describe."""
    return TlsFiles(settings.state_dir / "tls")


def digest(settings: Settings) -> str:
    """SHA-256 of what the servers show, so that a renewal shows; empty before there is any."""
    path = files_of(settings).server
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
