"""What the engine changes in this machine's network, so that it can be put back."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.standins import programs
from tests.standins.command import first_line, run
from tests.standins.errors import NoEngineError

IP_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
ROUTES = Path("/proc/net/route")
INTERFACES = Path("/sys/class/net")
ORDINARY_MTU = 1500


@dataclass(frozen=True)
class Found:
    """How the network was before the engine.

    ip_forward: content of the kernel's switch, 0 or 1.
    forward_policy: what iptables does with forwarded packets, ACCEPT or DROP.
    iptables: the program to ask and to change it with.
    """

    ip_forward: str
    forward_policy: str
    iptables: str


def look(engine_programs: Path) -> Found:
    """How the network is now. Raises NoEngineError if no iptables works here."""
    iptables = working_iptables(engine_programs)
    policy = policy_of(run([iptables, "-S", "FORWARD"]))
    return Found(IP_FORWARD.read_text(encoding="utf-8").strip(), policy, iptables)


def restore(found: Found) -> None:
    """Put the network back to how it was found, as far as the engine changes it."""
    IP_FORWARD.write_text(found.ip_forward, encoding="utf-8")
    run([found.iptables, "-P", "FORWARD", found.forward_policy])


def policy_of(rules: str) -> str:
    """The policy in the output of `iptables -S FORWARD`."""
    words = (line.split() for line in rules.splitlines())
    return next(line[2] for line in words if line[:2] == ["-P", "FORWARD"])


def working_iptables(engine_programs: Path) -> str:
    """The first iptables that the kernel accepts: the machine's own, else one brought along."""
    own = shutil.which("iptables")
    brought = [
        str(engine_programs / f"iptables-{backend}" / "iptables")
        for backend in programs.IPTABLES_BACKENDS
    ]
    complaint = ""
    for candidate in [own, *brought] if own else brought:
        result = subprocess.run(
            [candidate, "-t", "nat", "-S"], capture_output=True, text=True, check=False
        )
        if result.returncode == 0:
            return candidate
        complaint = first_line(result.stderr)
    raise NoEngineError(f"the kernel refuses iptables: {complaint}")


def mtu() -> int:
    """The largest packet, in bytes, that leaves this machine whole."""
    interface = default_interface(ROUTES.read_text(encoding="utf-8"))
    if interface is None:
        return ORDINARY_MTU
    return int((INTERFACES / interface / "mtu").read_text(encoding="utf-8"))


def default_interface(routes: str) -> str | None:
    """The interface of the default route in the kernel's table, None without one."""
    rows = (line.split() for line in routes.splitlines()[1:])
    return next((row[0] for row in rows if row[1] == "00000000"), None)
