"""Identity of a lease holder: a process id from which others on the same machine see whether it is alive, independent of clocks."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from pathlib import Path

PROC = Path("/proc")


def machine() -> str:
    """Identity of this boot of this machine and its process table; empty where the system does not provide it."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return hashlib.sha256(f"{boot} {os.readlink(PROC / 'self/ns/pid')}".encode()).hexdigest()[:8]
    except OSError:
        return ""


def began(pid: int) -> str:
    """When a process began, in ticks since the machine did; empty if there is none, or only its remains."""
    try:
        words = (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if words[0] in "ZX" else words[19]


MACHINE = machine()
OWNER = f"{socket.gethostname()}:{os.getpid()}:{MACHINE}-{began(os.getpid())}-{secrets.token_hex(2)}"


def gone(owner: str | None) -> bool:
    """True only where this machine knows that the process has ended. Of other machines it knows nothing.

    >>> gone(OWNER), gone("elsewhere:1:ab-1-cd"), gone(None)
    (False, False, False)
    """
    try:
        _, pid, mark = (owner or "").rsplit(":", 2)
        on, since, _ = mark.split("-")
    except ValueError:
        return False
    return bool(MACHINE) and on == MACHINE and began(int(pid)) != since and not _hidden(int(pid))


def _hidden(pid: int) -> bool:
    """Whether a process is alive but hides its start time: another user's, on a machine that isolates users."""
    if (PROC / str(pid)).exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
