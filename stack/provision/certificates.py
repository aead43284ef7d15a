"""The stack's own certificate authority, and the certificate that Trino and Kafka show."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stack.base.files import PRIVATE_MODE, replace_file
from stack.base.settings import COMPOSE, Settings
from stack.programs.tls_files import TlsFiles, files_of

# Names by which the services know one another in containers; this machine's come on top.
CONTAINERS = ("kafka-kraft", "trino-coordinator")
LOOPBACK = ("localhost", "127.0.0.1")
AUTHORITY_DAYS = 3650
SERVER_DAYS = 397  # what browsers accept at most (CA/Browser Forum, ballot SC31)
RENEWED_DAYS_BEFORE = 30
FOLDER_MODE, OPEN_FOLDER_MODE = 0o700, 0o755
READABLE_MODE = 0o644


def ensure(settings: Settings, say: Callable[[str], None], now: datetime | None = None) -> bool:
    """Make what is missing, near its end or of other names; say whether the servers' is new.

    now: UTC, for tests. The authority's key is never replaced while its certificate lasts, so
    clients that trust it go on. A container's user may be any: there the server's files are
    readable, in a folder that only its owner may enter.
    """
    now = now or datetime.now(UTC)
    files = files_of(settings)
    make_folders(files)
    if not lasts(files.authority, now) or not files.authority_key.exists():
        make_authority(files, now)
        files.server.unlink(missing_ok=True)
        say(f"certificate authority made: {files.authority}")
    is_new = not lasts(files.server, now) or names_in(files.server) != wanted_names(settings)
    if is_new:
        make_server(files, wanted_names(settings), now)
        end = certificate_of(files.server).not_valid_after_utc
        say(f"certificate made, valid until {end:%Y-%m-%d}")
    files.server.chmod(server_mode(settings.run_mode))
    return is_new


def server_mode(run_mode: str) -> int:
    """Natively the servers are the files' owner; in containers they are not."""
    return READABLE_MODE if run_mode == COMPOSE else PRIVATE_MODE


def make_folders(files: TlsFiles) -> None:
    """The folders, closed to other users at the top."""
    files.folder.mkdir(parents=True, exist_ok=True)
    files.folder.chmod(FOLDER_MODE)
    for folder in (files.authority.parent, files.server.parent):
        folder.mkdir(exist_ok=True)
        folder.chmod(OPEN_FOLDER_MODE)


def wanted_names(settings: Settings) -> set[str]:
    """Every name that a client may know Trino or Kafka by."""
    bound = {settings.kafka_bind_address} - {"0.0.0.0"}  # noqa: S104 (taken out)
    return {
        *LOOPBACK,
        *CONTAINERS,
        *bound,
        settings.kafka_advertised_host,
        settings.trino_host,
    }


def lasts(path: Path, now: datetime) -> bool:
    """Whether a certificate is there and not near its end."""
    if not path.exists():
        return False
    return certificate_of(path).not_valid_after_utc - now > timedelta(days=RENEWED_DAYS_BEFORE)


def certificate_of(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file."""
    return x509.load_pem_x509_certificates(path.read_bytes())[0]


def names_in(path: Path) -> set[str]:
    """The names and addresses that a certificate is valid for."""
    extension = certificate_of(path).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    names = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return {*names, *map(str, addresses)}


def make_authority(files: TlsFiles, now: datetime) -> None:
    """A key and a certificate that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = common_name("Meterhouse certificate authority")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        draft(name, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    replace_file(files.authority_key, key_text(key), PRIVATE_MODE)
    text = certificate.public_bytes(Encoding.PEM)
    replace_file(files.authority, text, READABLE_MODE)
    replace_file(files.authority_for_servers, text, READABLE_MODE)


def make_server(files: TlsFiles, names: set[str], now: datetime) -> None:
    """A key and a certificate for these names, signed by the authority."""
    authority = certificate_of(files.authority)
    signing = load_pem_private_key(files.authority_key.read_bytes(), password=None)
    if not isinstance(signing, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{files.authority_key} holds no key of an elliptic curve")
    key = ec.generate_private_key(ec.SECP256R1())
    server_auth = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        draft(common_name("Meterhouse"), authority.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(server_auth, critical=False)
        .add_extension(x509.SubjectAlternativeName(general_names(names)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
            critical=False,
        )
        .sign(signing, hashes.SHA256())
    )
    chain = [certificate.public_bytes(Encoding.PEM), authority.public_bytes(Encoding.PEM)]
    replace_file(files.server, key_text(key) + b"".join(chain), PRIVATE_MODE)


def draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    """A certificate before its purpose; valid from an hour ago, since clocks differ."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def common_name(text: str) -> x509.Name:
    """A name of one part."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def general_names(names: set[str]) -> Sequence[x509.GeneralName]:
    """Names and addresses as a certificate wants them."""
    return [general_name(name) for name in sorted(names)]


def general_name(name: str) -> x509.GeneralName:
    """A host name or an IP address."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key without a password, as Java's PEM readers want it (PKCS 8)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
