"""Take a backup while everything runs: one state of the database, and of what it names all that the folder does not have yet."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from domain.errors import BadRequest
from worker.backup import database
from worker.backup.folder import BackupFolder, Manifest, digest_of, private
from worker.settings import Settings
from worker.store import Store, Unit
from worker.store.blobs import WrongHash
from worker.store.frames import Lost
from worker.store.migrate import current
from worker.store.named import named_files, named_frames

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Taken:
    """``copied``: how many frames and files this backup added, of ``named``."""

    manifest: Manifest
    copied: int
    named: int
    bytes: int


def take(store: Store, settings: Settings, out: Path, actor: str, progress: Progress = lambda sentence: None) -> Taken:
    """A new backup in ``out``, which may hold earlier ones; an audit event says so."""
    with private():
        folder = BackupFolder(out)
        folder.make()
        began = datetime.now(UTC)
        here = folder.begin(began)
        progress("Copy the database")
        with database.copied(store.engine, here / "database") as unit:
            manifest = _manifest(unit, here, began, store.engine.dialect.name)
        _keep_public_keys(settings.home, here)
        progress("Copy what it names")
        added, size, missing = _copy_named(store, folder, manifest)
        manifest = Manifest(**{**manifest.__dict__, "missing": missing})
        folder.write(manifest)
    with store.unit() as unit:
        unit.audit(actor, "backup_taken", "audit:trail", backup=manifest.name, rows=manifest.rows, root=manifest.root, frames=len(manifest.frames), files=len(manifest.files), added=added, missing=missing[:20])
    return Taken(manifest, added, len(manifest.frames) + len(manifest.files), size)


def _manifest(unit: Unit, here: Path, at: datetime, dialect: str) -> Manifest:
    files = {path.name: digest_of(path) for path in sorted((here / "database").iterdir())}
    revision, rows = current(unit.connection), unit.trail.head()[0]
    if revision is None:
        raise BadRequest("the database has no tables yet, so there is nothing to back up; start the program first: tidemark up")
    return Manifest(here.name, at.isoformat(), dialect, revision, rows, unit.trail.root(), sorted(named_frames(unit)), sorted(named_files(unit)), [], files)


def _keep_public_keys(home: Path, here: Path) -> None:
    for path in sorted(home.glob("audit-keys*.txt")):
        shutil.copyfile(path, here / path.name)


def _copy_named(store: Store, folder: BackupFolder, manifest: Manifest) -> tuple[int, int, list[str]]:
    """How many were added, their bytes, and a sentence for each that the store does not have intact and still names."""
    root, added, size, lost = folder.path / "frames", 0, 0, []
    wanted = [(root / name[:2] / f"{name}.parquet", name, store.frames.copy) for name in manifest.frames]
    wanted += [(root / "blobs" / name[:2] / name, name, store.blobs.copy) for name in manifest.files]
    for path, name, copy in wanted:
        if path.exists():
            continue
        try:
            size += _copied(path, name, copy)
            added += 1
        except (Lost, WrongHash) as error:
            lost.append((name, str(error)))
    return added, size, _still_named(store, lost)


def _copied(path: Path, name: str, copy: Callable[[str, Path], None]) -> int:
    """Beside, then moved into place, so that what stands under a name is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{uuid.uuid4().hex}.part")
    try:
        copy(name, beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return path.stat().st_size


def _still_named(store: Store, lost: Iterable[tuple[str, str]]) -> list[str]:
    """What was deleted while the backup was taken is no fault."""
    if not (lost := list(lost)):
        return []
    with store.read() as unit:
        named = named_frames(unit) | named_files(unit)
    return [f"{name}: {sentence}" for name, sentence in lost if name in named]
