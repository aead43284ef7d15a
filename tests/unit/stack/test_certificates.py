"""The stack's certificates: trusted by its clients, for the right names, renewed in time."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stack.base.settings import Settings, load_settings
from stack.programs import tls_files
from stack.provision import certificates

NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"STATE_DIR": str(tmp_path), "RUN_MODE": "native"})


def ensure(settings: Settings, days_later: int = 0) -> bool:
    return certificates.ensure(settings, lambda text: None, NOW + timedelta(days=days_later))


def shake_hands(settings: Settings, name: str) -> None:
    """A whole TLS handshake in memory, the client checking that the server is `name`."""
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(tls_files.files_of(settings).server)
    client_side = ssl.create_default_context(cafile=str(settings.tls_ca_file))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    client = client_side.wrap_bio(to_client, to_server, server_hostname=name)
    sides: list[Callable[[], None]] = [client.do_handshake, server.do_handshake]
    while sides:
        for side in list(sides):
            try:
                side()
                sides.remove(side)
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "kafka-kraft", "trino-coordinator"])
def test_a_client_trusts_the_certificate_under_each_name(settings: Settings, name: str) -> None:
    ensure(settings)
    shake_hands(settings, name)


def test_a_client_refuses_another_name_and_another_authority(
    settings: Settings, tmp_path: Path
) -> None:
    ensure(settings)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(settings, "example.org")
    other = replace(settings, state_dir=tmp_path / "other")
    ensure(other)
    stranger = replace(settings, tls_ca_file=tls_files.files_of(other).authority)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(stranger, "localhost")


def test_a_second_setup_changes_nothing(settings: Settings) -> None:
    assert ensure(settings)
    before = tls_files.digest(settings)
    assert not ensure(settings)
    assert tls_files.digest(settings) == before


@pytest.mark.parametrize(("days_later", "is_renewed"), [(366, False), (368, True)])
def test_a_certificate_is_renewed_near_its_end_by_the_same_authority(
    settings: Settings, days_later: int, is_renewed: bool
) -> None:
    ensure(settings)
    authority = settings.tls_ca_file.read_bytes()
    assert ensure(settings, days_later) is is_renewed
    assert settings.tls_ca_file.read_bytes() == authority


def test_another_address_makes_another_certificate(settings: Settings) -> None:
    ensure(settings)
    elsewhere = replace(settings, kafka_advertised_host="10.0.1.20")
    assert ensure(elsewhere)
    shake_hands(elsewhere, "10.0.1.20")


@pytest.mark.parametrize(("mode", "expected"), [("native", 0o600), ("compose", 0o644)])
def test_keys_are_for_their_owner_only(settings: Settings, mode: str, expected: int) -> None:
    ensure(replace(settings, run_mode=mode))
    files = tls_files.files_of(settings)
    assert files.authority_key.stat().st_mode & 0o777 == 0o600
    # A container's user may be any: the folder keeps the host's other users out.
    assert files.server.stat().st_mode & 0o777 == expected
    assert files.folder.stat().st_mode & 0o777 == 0o700
