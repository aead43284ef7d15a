"""Programs to watch, each started as `python -m tests.unit.rounds.programs CHANNEL NAME FOLDER`."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from stack.rounds import lifeline, program, protocol
from stack.rounds.program import Program

MODULE = "tests.unit.rounds.programs"
LONG_SECONDS = 60.0
SOON_SECONDS = 20.0


def start(name: str, folder: Path) -> Program:
    """Start the program of that name and wait until it is at work."""
    running = program.start(MODULE, [name, str(folder)], {})
    assert wait_until((folder / "at work").exists)
    return running


def wait_until(is_so: Callable[[], bool]) -> bool:
    """Whether something comes true soon."""
    end = time.monotonic() + SOON_SECONDS
    while not (so := is_so()) and time.monotonic() < end:
        time.sleep(0.02)
    return so


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def note(folder: Path, name: str, text: str = "") -> None:
    """Leave a whole file for the test."""
    (folder / f".{name}").write_text(text)
    (folder / f".{name}").rename(folder / name)


def exit_three(channel: socket.socket, folder: Path) -> None:
    """End by itself."""
    note(folder, "at work")
    sys.exit(3)


def work_long(channel: socket.socket, folder: Path) -> None:
    """Note how it ends: by Ctrl+C's signal."""
    with lifeline.held(channel, lambda: note(folder, "cleaned")):
        try:
            note(folder, "at work")
            time.sleep(LONG_SECONDS)
        except KeyboardInterrupt:
            note(folder, "cancelled")
            sys.exit(program.INTERRUPTED)


def be_deaf(channel: socket.socket, folder: Path) -> None:
    """Hear no polite word."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    note(folder, "at work")
    time.sleep(LONG_SECONDS)


def send_on(channel: socket.socket, folder: Path) -> None:
    """Write from a thread until after the interruption, as a thread of dbt may."""

    def write() -> None:
        with (folder / "sent").open("a") as file:
            while not (folder / "cleaning").exists():
                file.write("x")
                file.flush()

    def clean_up() -> None:
        note(folder, "cleaning")
        note(folder, "cleaned", str((folder / "sent").stat().st_size))

    thread = threading.Thread(target=write, daemon=True)
    with lifeline.held(channel, clean_up):
        thread.start()
        try:
            note(folder, "at work")
            time.sleep(LONG_SECONDS)
        finally:
            thread.join()


def watch_one(channel: socket.socket, folder: Path) -> None:
    """Watch another program, whose number is noted."""
    below = folder / "below"
    below.mkdir()
    running = start(sys.argv[4], below)
    note(folder, "pid", str(running.process.pid))
    note(folder, "at work")
    time.sleep(LONG_SECONDS)


def be_worker(channel: socket.socket, folder: Path) -> None:
    """Answer commands as dbt's worker does; their words say how."""
    lifeline.ordinary_signals()
    receiver = protocol.Receiver(channel)
    with suppress(EOFError):
        while True:
            for message in receiver.receive():
                answer(channel, folder, message)


def answer(channel: socket.socket, folder: Path, message: protocol.Message) -> None:
    """Do what one command's words say."""
    note(folder, "environment", str(message.content["environment"]))
    note(folder, "lock", str(Path(f"/proc/self/fd/{message.files[0]}").readlink()))
    message.close()
    for word in message.content["words"]:
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "hang":
            note(folder, "at work")
            time.sleep(LONG_SECONDS)
        elif word.startswith("last:"):
            try:
                note(folder, "at work")
                time.sleep(LONG_SECONDS)
            finally:
                tell_of_model(channel, word)
        elif word.startswith("model:"):
            tell_of_model(channel, word)
        elif word == "read":
            protocol.send(channel, {"event": "read", "seconds": 2.5})
    memory = 1e6 if "big" in message.content["words"] else 1.0
    protocol.send(channel, {"event": "end", "error": "", "memory_mb": memory})


def tell_of_model(channel: socket.socket, word: str) -> None:
    """Tell of the model whose name and status a command's word says."""
    _, name, status = word.split(":")
    facts = {"name": name, "status": status, "seconds": 1.0, "message": "m" * 100_000}
    protocol.send(channel, {"event": "model", "progress": {"table": name}, **facts})


PROGRAMS = {
    function.__name__: function
    for function in (exit_three, work_long, be_deaf, send_on, watch_one, be_worker)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[2]](socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[3]))
