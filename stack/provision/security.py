"""What a secure stack has on top of a plain one, and what the screen says of either."""

from __future__ import annotations

from stack.base.settings import Settings
from stack.base.text import Say
from stack.provision import certificates, passwords

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def prepare(settings: Settings, say: Say) -> bool:
    """Make certificates and Trino's password file where the stack is secure.

    Say whether the servers' certificate is new, which they notice when they start.
    """
    if not settings.secure:
        return False
    is_new = certificates.ensure(settings, say)
    passwords.ensure(settings)
    return is_new


def summary(settings: Settings) -> list[str]:
    """Who can reach Trino and Kafka and what they are asked for, in lines for people."""
    where = "127.0.0.1"
    if settings.kafka_bind_address not in LOOPBACK:
        where = f"127.0.0.1, Kafka on {settings.kafka_bind_address}"
    if settings.secure:
        return [
            f"Secure: Trino and Kafka use TLS and ask for passwords, and listen on {where}.",
            f"Passwords: {settings.env_file}. Certificate to trust: {settings.tls_ca_file}",
            "./initial-setup.sh --plain takes that back.",
        ]
    return [
        f"Open: Trino and Kafka use no TLS and ask for no password. They listen on {where};",
        "who reaches them there may do everything. ./initial-setup.sh --secure changes that.",
    ]
