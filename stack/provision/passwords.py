"""Trino's password file: the stack's own users from the settings, people one by one.

A line is `user:iterations:salt:hash`, PBKDF2 in hexadecimal, as Trino's file authenticator reads
it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from pathlib import Path

from stack.base.errors import ConfigurationError
from stack.base.files import replace_file
from stack.base.settings import Settings
from stack.clients import trino
from stack.programs import tls_files
from stack.provision import certificates

# The only digest that Trino knows for it. Every password in the file is random, 96 bits or more.
DIGEST = "sha1"
ITERATIONS = 100_000
SALT_BYTES = 16
PASSWORD_BYTES = 12
# Roles of trino/etc/access/rules.json that people append their name to.
PERSON = re.compile(r"(?:analyst|operator|explorer)_\w+")

Lines = dict[str, str]


def hashed(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """A password as the file keeps it."""
    digest = hashlib.pbkdf2_hmac(DIGEST, password.encode(), salt, iterations)
    return f"{iterations}:{salt.hex()}:{digest.hex()}"


def is_password(kept: str, password: str) -> bool:
    """Whether a line of the file belongs to this password."""
    iterations, salt, _ = kept.split(":")
    return hmac.compare_digest(kept, hashed(password, bytes.fromhex(salt), int(iterations)))


def read(path: Path) -> Lines:
    """What the file keeps of each user; empty if there is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.split(":", 1) for line in lines)


def write(path: Path, lines: Lines, mode: int) -> None:
    """Replace the file; Trino reads it again within ten seconds."""
    text = "".join(f"{user}:{kept}\n" for user, kept in sorted(lines.items()))
    replace_file(path, text, mode)


def ensure(settings: Settings) -> None:
    """Bring the stack's own users up to date with the settings; people stay."""
    path = tls_files.files_of(settings).trino_passwords
    lines = read(path)
    own = {
        user: lines[user]
        if user in lines and is_password(lines[user], password)
        else hashed(password, secrets.token_bytes(SALT_BYTES))
        for user, password in trino.passwords(settings).items()
    }
    write(path, lines | own, certificates.server_mode(settings.run_mode))


def give(settings: Settings, user: str) -> str:
    """A fresh password for a person, who is added or gets it in place of the old one.

    Raises ConfigurationError for a name that no rule of access knows, or in a plain stack.
    """
    if not settings.secure:
        raise ConfigurationError(
            "a stack with passwords", "SECURE=false", "run ./initial-setup.sh --secure"
        )
    if not PERSON.fullmatch(user):
        raise ConfigurationError(
            "analyst_, explorer_ or operator_ and a name", repr(user), "such as analyst_ada"
        )
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    kept = hashed(password, secrets.token_bytes(SALT_BYTES))
    path = tls_files.files_of(settings).trino_passwords
    write(path, read(path) | {user: kept}, certificates.server_mode(settings.run_mode))
    return password
