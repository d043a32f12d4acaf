"""Files by the SHA-256 of their content, under one root: a folder, or a bucket that every worker sees, as ``Frames``."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from domain.errors import BadRequest
from worker.store.copies import Altered, Copies
from worker.store.root import PART, Root
from worker.store.whole_files import whole_file
from worker.store.written import written_at


class WrongHash(BadRequest):
    """A stored file is gone, or is not the one that its name says."""


class Blobs:
    """Beside the frames, in ``blobs``; nothing is ever changed, and what nothing names any more is swept."""

    def __init__(self, url: str, copies: Copies | None = None) -> None:
        self._at = Root.of(url)
        self._fs, self._root, self._local = self._at.fs, f"{self._at.path}/blobs", self._at.local
        self._copies = None if self._local else copies

    def put(self, content: bytes) -> str:
        """Store the bytes unless they are stored intact already; returns their name."""
        name = hashlib.sha256(content).hexdigest()
        if self.fault(name):
            self._write(content, name)
        elif self._local:
            os.utime(self._path(name))      # young again: a sweep that is under way leaves it
        return name

    def put_all(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """File name -> name of its content, in order."""
        return {name: self.put(files[name]) for name in sorted(files)}

    def put_file(self, path: Path, name: str) -> None:
        """Store a file of any size, part by part, under the SHA-256 of its content."""
        with path.open("rb") as source, whole_file(self._at, self._path(name)) as file:
            shutil.copyfileobj(source, file, PART)

    def copy(self, name: str, path: Path) -> None:
        """Write the bytes to a file of this machine, part by part. Raises ``WrongHash`` where they are gone or are not those of the name."""
        hasher = hashlib.sha256()
        try:
            with self._fs.open(self._path(name), "rb") as source, path.open("wb") as file:
                for part in iter(lambda: source.read(PART), b""):
                    hasher.update(part)
                    file.write(part)
        except FileNotFoundError:
            raise WrongHash(f"The file {name[:8]} is no longer in the workspace; it was kept for a day. Ask for it again") from None
        if hasher.hexdigest() != name:
            raise WrongHash(f"The file {name[:8]} was altered since it was written, so it is not used. Ask for it again")

    def get(self, name: str, what: str = "A stored file") -> bytes:
        """The bytes; each reading is checked against the name. ``what``: how the sentence calls the file where they are not those."""
        try:
            content = self._read_here(name)
        except FileNotFoundError:
            raise WrongHash(f"{what} ({name[:8]}) is no longer in the workspace, so it is not used. Restore it from a backup, or train again") from None
        if (actual := hashlib.sha256(content).hexdigest()) != name:
            raise WrongHash(f"{what} was altered since it was written: its SHA-256 is {actual[:8]}…, and {name[:8]}… was recorded, so it is not used. Restore it from a backup, or train again")
        return content

    def fault(self, name: str) -> str:
        """``gone`` or ``altered``; empty where the file is intact."""
        try:
            return "" if hashlib.sha256(self._read(name)).hexdigest() == name else "altered"
        except FileNotFoundError:
            return "gone"

    def size(self, name: str) -> int:
        """Bytes as stored."""
        return int(self._fs.size(self._path(name)) or 0)

    def sweep(self, keep: Iterable[str], older_than: float) -> int:
        """Remove files that nothing names and that were written before ``older_than`` (POSIX seconds)."""
        used, removed = set(keep), 0
        for entry in self._fs.find(self._root, detail=True).values() if self._fs.exists(self._root) else ():
            if os.path.basename(entry["name"]) not in used and written_at(entry) < older_than:
                with contextlib.suppress(FileNotFoundError):
                    self._fs.rm_file(entry["name"])
                    removed += 1
        return removed

    def _path(self, name: str) -> str:
        return f"{self._root}/{name[:2]}/{name}"

    def _read_here(self, name: str) -> bytes:
        """Of the copy on this machine, where there may be one."""
        if self._copies is None:
            return self._read(name)
        try:
            return self._copies.path(name, lambda here: self._at.download(self._path(name), here), lambda here: hashlib.sha256(here.read_bytes()).hexdigest() == name).read_bytes()
        except Altered:
            return self._read(name)

    def _read(self, name: str) -> bytes:
        with self._fs.open(self._path(name), "rb") as file:
            return bytes(file.read())

    def _write(self, content: bytes, name: str) -> None:
        with whole_file(self._at, self._path(name)) as file:
            file.write(content)
