"""A web server of the tests' own: the explorer, or Kafka's page alone, on a free port."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from stack.base.root import PROJECT_ROOT
from stack.programs.ports import free_ports

RESULTS = PROJECT_ROOT / ".stack-test" / "results"
START_SECONDS = 60.0
STOP_SECONDS = 10.0


def answers(url: str) -> bool:
    """Whether a Streamlit server is up at this address."""
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=3) as answer:  # noqa: S310
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, OSError):
        return False


def running(
    words: Sequence[str], environment: Mapping[str, str] | None = None
) -> AbstractContextManager[str]:
    """`python -m WORDS` until the end of the block; gives its address.

    environment: settings that differ from the stack's, by the names of .env.example.
    """
    return started([*words, "--port", "{port}"], environment or {})


def running_without(what: str) -> AbstractContextManager[str]:
    """The explorer over a lakehouse without its rows or models: see changed_app.py."""
    paths = {"PYTHONPATH": str(PROJECT_ROOT), "PYTHONSAFEPATH": "1"}
    quiet = ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
    script = [str(PROJECT_ROOT / "tests" / "browser" / "changed_app.py"), what]
    words = ["streamlit", "run", *quiet, "--server.address", "127.0.0.1"]
    return started([*words, "--server.port", "{port}", *script], paths)


@contextmanager
def started(words: Sequence[str], changes: Mapping[str, str]) -> Iterator[str]:
    """A server on a free port, which stands for {port} in its words; ended with the block."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", *(word.replace("{port}", str(port)) for word in words)]
    log_path = RESULTS / f"{words[0]}-{port}.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=os.environ | changes,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_up(url, process, log_path)
            yield url
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Poll to a limit; fail with the server's own words."""
    end = time.monotonic() + START_SECONDS
    while not answers(url):
        is_over = process.poll() is not None or time.monotonic() > end
        assert not is_over, f"no server at {url}:\n{log.read_text(errors='replace')[-2000:]}"
        time.sleep(0.2)
