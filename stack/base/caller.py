"""The caller's environment: the few of its variables that count, each in a list of this file.

Every program of the project starts with clear(): what no list names reaches neither its own clients
nor its children, so that a variable meant for other work (DBT_TARGET, PGHOST, http_proxy,
JAVA_TOOL_OPTIONS) changes nothing here. Services get service_environment() and their own variables.

Usage: python -m stack.base.caller COMMAND...  run a command that downloads, as downloading()
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from stack.base.settings import EXAMPLE_FILE, parse_env_file


def names(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Where programs, libraries and the user's own folders are: services get these too.
MACHINE = names("HOME LD_LIBRARY_PATH LOGNAME PATH TMPDIR USER XDG_CACHE_HOME XDG_RUNTIME_DIR")
# How a person looks at output and edits text; TRINO_PASSWORD goes with `bin/trino --user`, and
# `bin/dbt docs serve` opens a browser.
TERMINAL = names("""
    BROWSER COLORTERM COLUMNS DISPLAY EDITOR LESS LINES NO_COLOR PAGER SHELL TERM TRINO_PASSWORD
    VISUAL WAYLAND_DISPLAY XAUTHORITY
""")
# Which container engine `docker` speaks to, how it builds, and what its credential helpers need.
# No other COMPOSE_* is here: .env names project and files.
ENGINE = names("""
    BUILDKIT_HOST BUILDX_BUILDER BUILDX_CONFIG COMPOSE_BAKE
    DOCKER_API_VERSION DOCKER_BUILDKIT DOCKER_CERT_PATH DOCKER_CONFIG DOCKER_CONTENT_TRUST
    DOCKER_CONTEXT DOCKER_DEFAULT_PLATFORM DOCKER_HOST DOCKER_TLS DOCKER_TLS_VERIFY
    DBUS_SESSION_BUS_ADDRESS GNUPGHOME GPG_TTY PASSWORD_STORE_DIR SSH_AUTH_SOCK WSL_INTEROP
""")
# How this machine reaches package indexes: for what downloads and builds, and for nothing else.
DOWNLOADS = names("""
    ALL_PROXY HTTPS_PROXY HTTP_PROXY NO_PROXY all_proxy https_proxy http_proxy no_proxy
    CURL_CA_BUNDLE NETRC REQUESTS_CA_BUNDLE SSL_CERT_DIR SSL_CERT_FILE
    XDG_CONFIG_DIRS XDG_CONFIG_HOME
    PIP_CERT PIP_CLIENT_CERT PIP_CONFIG_FILE PIP_DEFAULT_TIMEOUT PIP_EXTRA_INDEX_URL PIP_FIND_LINKS
    PIP_INDEX_URL PIP_NO_INDEX PIP_PROXY PIP_RETRIES PIP_TRUSTED_HOST
    UV_CACHE_DIR UV_CONFIG_FILE UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_HTTP_TIMEOUT
    UV_INDEX UV_INDEX_STRATEGY UV_INDEX_URL UV_INSECURE_HOST UV_KEYRING_PROVIDER UV_NATIVE_TLS
    UV_NO_INDEX UV_OFFLINE UV_SYSTEM_CERTS
    GOAUTH GOCACHE GOENV GOINSECURE GONOPROXY GONOSUMDB GOPRIVATE GOPROXY GOSUMDB
""")
# uv's login at an index that its configuration names.
INDEX_LOGIN = re.compile(r"UV_INDEX_\w+_(USERNAME|PASSWORD)")
# Names of files and messages are UTF-8 and English whatever the caller speaks.
LOCALE = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

_set_aside: dict[str, str] = {}


def declared() -> frozenset[str]:
    """The settings of .env.example: set in the environment they win over .env."""
    return frozenset(parse_env_file(EXAMPLE_FILE)) | {"METERHOUSE_ENV"}


def clear(environ: MutableMapping[str, str] = os.environ) -> None:
    """Take out every variable that no list names; what downloads need is set aside."""
    kept = MACHINE | TERMINAL | ENGINE | declared()
    for name in set(environ) - kept:
        value = environ.pop(name)
        if name in DOWNLOADS or INDEX_LOGIN.fullmatch(name):
            _set_aside[name] = value
    environ.update(LOCALE)
    if environ is os.environ:
        # Python has read TZ already: local time would stay the caller's, and differ from that of
        # the services' logs.
        time.tzset()


@contextmanager
def downloading(environ: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """Within the block this process and its children reach package indexes as the caller does."""
    environ.update(_set_aside)
    try:
        yield
    finally:
        for name in _set_aside:
            environ.pop(name, None)


def download_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a child that downloads gets: the ways to package indexes on top."""
    return {**environ, **_set_aside}


def service_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What services know of the machine; everything else they are given by name."""
    return {name: environ[name] for name in sorted(MACHINE & set(environ))} | LOCALE


def main(words: list[str]) -> int:
    """Become a command that needs a package index."""
    clear()
    with downloading():
        os.execvp(words[0], words)  # noqa: S606 (becomes the command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
