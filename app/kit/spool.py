"""Uploads and downloads on disk: Streamlit's memory has only a ticket of some bytes for each."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO

MARK = b"tidemark file "
LIFETIME = 3_600        # seconds that a prepared download stays on disk


class Spool:
    """A folder of this process, readable by its owner only and removed when the process ends. A ticket names a file in
    it and cannot be forged."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tidemark-page-"))
        self._secret = secrets.token_hex(16).encode()
        self._headers: dict[str, Mapping[str, str]] = {}
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)

    def new(self) -> Path:
        """The path of a new file."""
        return self.folder / uuid.uuid4().hex

    def open_new(self, path: Path) -> IO[bytes]:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb")

    def ticket(self, path: Path) -> bytes:
        return MARK + self._secret + b" " + path.name.encode()

    @property
    def ticket_size(self) -> int:
        return len(self.ticket(self.new()))

    def path_of(self, ticket: bytes) -> Path | None:
        """The file that a ticket names; None for anything else."""
        head, name = MARK + self._secret + b" ", ticket[-32:]
        if len(ticket) != self.ticket_size or not secrets.compare_digest(ticket[:-32], head) or not name.isalnum():
            return None
        path = self.folder / name.decode("ascii", "replace")
        return path if path.is_file() else None

    def size(self) -> int:
        """Bytes of all files here."""
        return sum(entry.stat().st_size for entry in os.scandir(self.folder))

    def headers_of(self, path: Path) -> Mapping[str, str]:
        """What else an answer with this file says."""
        return self._headers.get(path.name, {})

    def written(self, write: Callable[[Path], None], headers: Callable[[], Mapping[str, str]] = dict) -> bytes:
        """The ticket of a file that ``write`` fills; files older than an hour are removed. ``headers``: of the answer with it, requested once it is written."""
        for entry in os.scandir(self.folder):
            if entry.stat().st_mtime < time.time() - LIFETIME:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(entry.path)
                    self._headers.pop(entry.name, None)
        path = self.new()
        self.open_new(path).close()
        write(path)
        self._headers[path.name] = headers()
        return self.ticket(path)


@cache
def spool() -> Spool:
    return Spool()


@contextlib.contextmanager
def uploaded(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """An uploaded file, open for reading; one on disk is removed afterwards."""
    path = spool().path_of(file.read(200))
    file.seek(0)
    if path is None:
        yield file
        return
    with path.open("rb") as stored:
        yield stored
    path.unlink(missing_ok=True)


def content(file: IO[bytes]) -> bytes:
    """All bytes of a small uploaded file; one on disk stays for its hour, so that it may be read again."""
    file.seek(0)
    path = spool().path_of(file.read(200))
    file.seek(0)
    return file.read() if path is None else path.read_bytes()
