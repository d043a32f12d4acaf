"""The folder of backups: what is named by its hash once for all of them, and of each backup its database and what is in it.

    frames/                     frames and, in frames/blobs, files, as the store has them
    backups/2026-11-30T14-47-03Z/
        database/               tidemark.db, or a file a table of PostgreSQL
        audit-keys*.txt         the public keys of the trail
        manifest.json           written last: a backup without one was not finished, and does not count
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain.errors import BadRequest
from worker.checkpoints import durable
from worker.store.blobs import Blobs
from worker.store.frames import Frames

FORMAT = "tidemark-backup/1"
STAMP = "%Y-%m-%dT%H-%M-%SZ"
MANIFEST = "manifest.json"
PART = 1 << 20      # bytes


@dataclass(frozen=True)
class Manifest:
    """What is in a backup. ``database``: file -> its SHA-256. ``missing``: what the database names and the store did not have intact, a sentence each."""

    name: str
    taken_at: str
    dialect: str
    revision: str
    rows: int
    root: str
    frames: list[str]
    files: list[str]
    missing: list[str]
    database: dict[str, str]
    tables: dict[str, int] = field(default_factory=dict)
    format: str = FORMAT

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.taken_at)


class BackupFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def frames(self) -> Frames:
        return Frames(str(self.path / "frames"))

    @property
    def files(self) -> Blobs:
        return Blobs(str(self.path / "frames"))

    def make(self) -> None:
        """Folders that only their owner reads."""
        for folder in (self.path, self.path / "frames", self.path / "backups"):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise BadRequest(f"the backup cannot be written to {folder}: {error.strerror}. Name another folder") from None

    def begin(self, at: datetime) -> Path:
        """The folder of a new backup."""
        name = f"{at.astimezone(UTC):{STAMP}}"
        folder = self.path / "backups" / name
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            raise BadRequest(f"there is a backup {name} already, of this same second; wait a second") from None
        (folder / "database").mkdir(mode=0o700)
        return folder

    def names(self) -> list[str]:
        """Finished backups, oldest first."""
        return sorted(path.parent.name for path in (self.path / "backups").glob(f"*/{MANIFEST}"))

    def folder_of(self, name: str) -> Path:
        return self.path / "backups" / name

    def write(self, manifest: Manifest) -> None:
        durable.create(self.folder_of(manifest.name) / MANIFEST, json.dumps(asdict(manifest), indent=1) + "\n")

    def read(self, name: str = "") -> Manifest:
        """The manifest of a backup, or of the newest."""
        names = self.names()
        if not names:
            raise BadRequest(f"there is no finished backup in {self.path}; make one: tidemark backup --out {self.path}")
        if name and name not in names:
            raise BadRequest(f"there is no backup {name} in {self.path}; there are: {', '.join(names)}")
        return self._parsed(name or names[-1])

    def _parsed(self, name: str) -> Manifest:
        path = self.folder_of(name) / MANIFEST
        try:
            values: dict[str, Any] = json.loads(path.read_text())
            if values.get("format") != FORMAT:
                raise BadRequest(f"{path} is of the format {values.get('format')!r}, and this program reads {FORMAT}; use the program that made it")
            return Manifest(**values)
        except (ValueError, TypeError, AttributeError):
            raise BadRequest(f"{path} is damaged: it is no manifest of a backup. Restore an earlier one, by --backup") from None

    def faults(self, manifest: Manifest) -> list[str]:
        """A sentence for each file of the backup that is gone or altered."""
        folder, frames, files = self.folder_of(manifest.name), self.frames, self.files
        sentences = []
        for name, digest in manifest.database.items():
            path = folder / "database" / name
            if not path.is_file() or digest_of(path) != digest:
                sentences.append(f"the database file {path} is {'altered' if path.is_file() else 'gone'}")
        sentences += [f"the table {name} ({self.path / 'frames' / name[:2] / name}.parquet) is {fault}" for name in manifest.frames if (fault := frames.fault(name))]
        return sentences + [f"the file {name} ({self.path / 'frames' / 'blobs' / name[:2] / name}) is {fault}" for name in manifest.files if (fault := files.fault(name))]


def digest_of(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        for part in iter(lambda: file.read(PART), b""):
            hasher.update(part)
    return hasher.hexdigest()


@contextmanager
def private() -> Iterator[None]:
    """Whatever is written inside is for its owner only: 0600, folders 0700."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
