"""How this machine reaches package indexes, so that image builds can reach them in the same way."""

from __future__ import annotations

import configparser
from collections.abc import Iterable, Mapping
from pathlib import Path

CERTIFICATES = Path("/usr/local/share/ca-certificates")
VARIABLES = [
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "GOPROXY",
    "GOSUMDB",
    "GONOSUMDB",
    "GOPRIVATE",
    "GOINSECURE",
]
PIP_KEYS = ["index-url", "extra-index-url", "trusted-host"]


def index_variables(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """The environment variables that name mirrors and indexes; files first, then variables."""
    files = [Path("/etc/pip.conf"), home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    if environ.get("PIP_CONFIG_FILE"):
        files.append(Path(environ["PIP_CONFIG_FILE"]))
    go_file = Path(environ.get("GOENV") or home / ".config/go/env")
    return (
        pip_variables(text_of(file) for file in files)
        | go_variables(text_of(go_file))
        | {name: environ[name] for name in VARIABLES if environ.get(name)}
    )


def pip_variables(texts: Iterable[str]) -> dict[str, str]:
    """What pip's configuration files say on indexes, as variables; later files win."""
    parser = configparser.RawConfigParser()
    for text in texts:
        parser.read_string(text)
    values = parser["global"] if parser.has_section("global") else {}
    return {
        f"PIP_{key.upper().replace('-', '_')}": " ".join(values[key].split())
        for key in PIP_KEYS
        if values.get(key)
    }


def go_variables(text: str) -> dict[str, str]:
    """What Go's own settings file says on module proxies."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
    return {name: value for name, value in pairs if name in VARIABLES}


def text_of(file: Path) -> str:
    """A file's text, empty where there is none."""
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def certificates() -> list[Path]:
    """The certificate authorities that this machine trusts beside the usual ones."""
    return sorted(CERTIFICATES.rglob("*.crt"))
