"""What a witness keeps: its key, and for each trail the last checkpoint it cosigned, on the disk before it says so."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain.audit.keys import COSIGNATURE, SigningKey, is_name
from domain.errors import BadRequest
from worker.checkpoints import durable

KEY, LOCK, JOURNAL, TRAILS = "witness.key", "witness.lock", "refused.jsonl", "trails"
MOST_TRAILS = 1_000


@dataclass(frozen=True)
class Seen:
    """The last checkpoint of a trail. ``keys``: its key chain as text. ``size`` 0: none yet."""

    origin: str
    keys: str
    size: int = 0
    root: str = ""
    note: str = ""
    seconds: int = 0


class Memory:
    """The folder ``home`` of one witness."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._thread = threading.Lock()
        try:
            (home / TRAILS).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadRequest(f"the folder {home} cannot be written: {error.strerror}. Name another with --home") from None

    def key(self, name: str) -> SigningKey:
        """The witness's key, made at the first start under ``name``."""
        path = self.home / KEY
        if not path.exists():
            if not is_name(name):
                raise BadRequest(f"--name is {name!r}; it must be up to 200 letters without spaces or plus signs, such as witness.example.com")
            durable.create(path, f"{SigningKey(name, os.urandom(32), COSIGNATURE).text}\n")
        if os.name != "nt" and path.stat().st_mode & 0o077:
            raise BadRequest(f"others may read the key {path}: close it with chmod 600")
        return SigningKey.parse(path.read_text(encoding="utf-8"))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One at a time, of all threads and processes that work in this folder."""
        with self._thread, (self.home / LOCK).open("a") as lock:
            if os.name != "nt":
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def seen(self, origin: str) -> Seen | None:
        path = self._path(origin)
        return Seen(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None

    def keep(self, seen: Seen) -> None:
        """Returns once it is on the disk."""
        path = self._path(seen.origin)
        if not path.exists() and sum(1 for _ in (self.home / TRAILS).iterdir()) >= MOST_TRAILS:
            raise BadRequest(f"this witness keeps {MOST_TRAILS:,} trails and takes no more")
        durable.replace(path, json.dumps(asdict(seen), indent=1))

    def record(self, what: str, **facts: Any) -> None:
        """A line in the journal of what was refused, and of what a person accepted."""
        durable.append(self.home / JOURNAL, (json.dumps(dict(what=what, **facts), ensure_ascii=False) + "\n").encode())

    def journal(self) -> list[dict[str, Any]]:
        path = self.home / JOURNAL
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def _path(self, origin: str) -> Path:
        return self.home / TRAILS / f"{hashlib.sha256(origin.encode()).hexdigest()}.json"
