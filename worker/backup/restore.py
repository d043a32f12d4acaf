"""Put a backup into an empty workspace, verify its trail, and record what is lost: the event ``restored``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from domain.audit.key_chain import KeyChain
from domain.errors import BadRequest
from worker import evidence
from worker.backup import database
from worker.backup.folder import BackupFolder, Manifest, private
from worker.checkpoints.external_file import CheckpointFile, Entry
from worker.checkpoints.key_file import KeyFile
from worker.code_keys import needed_by
from worker.opened import open_store
from worker.settings import Settings
from worker.store import Store, session_asking
from worker.store.migrate import head, upgrade
from worker.store.schema import processes

SHOWN = 10          # faults that a refusal names
HALTED = "Restored from a backup: orders and fills since then are not in this database. Check every account, then release"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Restored:
    """``verdict``: of the trail, as its verification gives it. ``lost``: a sentence. ``missing``: what could not be put back. ``needed``: what no backup holds and must be put back."""

    manifest: Manifest
    verdict: dict[str, Any]
    lost: str
    missing: list[str]
    halted: bool
    needed: str = ""


def restore(settings: Settings, source: Path, actor: str, name: str = "", checkpoint: Path | None = None, partial: bool = False, progress: Progress = lambda sentence: None) -> Restored:
    """``checkpoint``: a file of signed checkpoints that was kept elsewhere; default: that of the settings. ``partial``: also where files of the backup are damaged."""
    folder = BackupFolder(source)
    manifest = folder.read(name)
    _refuse_newer(manifest)
    with private():
        store = open_store(settings)
        try:
            _refuse_occupied(store, settings)
            database.refuse_other_kind(store.engine, manifest.dialect)
            progress("Verify the backup")
            faults = _checked(folder, manifest, partial)
            progress("Restore the database")
            database.load(store.engine, folder.folder_of(manifest.name) / "database", manifest.revision)
            upgrade(store.engine)
            progress("Restore what it names")
            _put_back(store, folder, manifest, faults)
            _put_keys_back(folder.folder_of(manifest.name), settings.home)
            progress("Verify the audit trail")
            return _recorded(store, settings, manifest, actor, checkpoint, faults)
        finally:
            store.close()


def _refuse_newer(manifest: Manifest) -> None:
    if manifest.revision > head():
        raise BadRequest(f"the backup {manifest.name} is at revision {manifest.revision}, newer than this program's {head()}; restore it with the program that made it, or a newer one")


def _refuse_occupied(store: Store, settings: Settings) -> None:
    if not database.empty(store.engine):
        raise BadRequest(f"the database of this workspace, {store.engine.url.render_as_string(hide_password=True)}, is not empty, and a restore writes over nothing; name an empty one in TIDEMARK_DATABASE_URL or TIDEMARK_STORAGE_HOME")
    if store.frames.occupied():
        raise BadRequest("there are tables already where this workspace stores its frames, and a restore writes over nothing; name an empty folder or bucket in TIDEMARK_STORAGE_FRAMES_URL or TIDEMARK_STORAGE_HOME")


def _checked(folder: BackupFolder, manifest: Manifest, partial: bool) -> list[str]:
    """The faults of the backup. Without its database there is nothing to restore; with ``partial`` the rest may be damaged."""
    faults = folder.faults(manifest)
    fatal = any(fault.startswith("the database file") for fault in faults)
    if faults and (fatal or not partial):
        more = f", and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        advice = "Restore an earlier backup, by --backup" + ("" if fatal else ", or what is intact, by --partial")
        raise BadRequest(f"the backup {manifest.name} is damaged: {'; '.join(faults[:SHOWN])}{more}. Nothing was restored. {advice}")
    return faults


def _put_back(store: Store, folder: BackupFolder, manifest: Manifest, faults: Sequence[str]) -> None:
    root, damaged = folder.path / "frames", " ".join(faults)
    for name in manifest.frames:
        if name not in damaged:
            store.frames.put_stored(root / name[:2] / f"{name}.parquet", name)
    for name in manifest.files:
        if name not in damaged:
            store.blobs.put_file(root / "blobs" / name[:2] / name, name)


def _put_keys_back(backup: Path, home: Path) -> None:
    """The public keys, where the workspace has none; the key itself is in no backup."""
    home.mkdir(parents=True, exist_ok=True)
    for path in sorted(backup.glob("audit-keys*.txt")):
        if not (home / path.name).exists():
            shutil.copyfile(path, home / path.name)


def _recorded(store: Store, settings: Settings, manifest: Manifest, actor: str, checkpoint: Path | None, faults: list[str]) -> Restored:
    """Verify the trail as it came back, and only then write to it."""
    verdict = evidence.check(store)
    if not verdict["holds"] or (verdict["rows"], verdict["root"]) != (manifest.rows, manifest.root):
        why = verdict["why"] or "; ".join(verdict["faults"]) or "it is not the one that was backed up"
        return Restored(manifest, {**verdict, "holds": False}, f"The restored trail does not hold: {why}. Nothing was added to it", faults, False)
    outside = _outside(checkpoint or settings.checkpoints_file, KeyFile(settings.home).chains())
    with store.unit() as unit:
        unit.connection.execute(sa.delete(processes))       # of the machines that ran it then
        halted = bool(unit.sessions.all(("ready", "running"))) and session_asking.halt(unit, actor, HALTED, keep=True) is not None
        lost, needed = _lost(manifest, outside), needed_by(unit, settings.home)
        missing = [*manifest.missing, *faults]
        detail: dict[str, Any] = dict(lost_first=manifest.rows + 1, lost_last=outside.checkpoint.size if outside and outside.checkpoint.size > manifest.rows else None)
        detail |= dict(checkpoint=outside.note, checkpoint_size=outside.checkpoint.size, checkpoint_root=outside.checkpoint.root.hex()) if outside else dict(checkpoint=None)
        unit.audit(actor, "restored", "audit:trail", sentence=lost, backup=manifest.name, taken_at=manifest.taken_at, rows=manifest.rows, root=manifest.root, missing=missing[:20], **detail)
    return Restored(manifest, verdict, lost, missing, halted, needed)


def _outside(path: Path, chains: Sequence[KeyChain]) -> Entry | None:
    """The last checkpoint outside the database that a key of the trail signed."""
    return CheckpointFile(path).last(chains) if chains else None


def _lost(manifest: Manifest, outside: Entry | None) -> str:
    """What is lost, as far as it is known."""
    begun = f"Restored from the backup of {manifest.at:%Y-%m-%d %H:%M:%S} UTC, with {manifest.rows:,} events"
    if outside is None:
        return f"{begun}; events recorded after it are lost. How many is not known: there is no checkpoint outside the database to tell"
    size = outside.checkpoint.size
    if size > manifest.rows:
        return f"{begun}; events {manifest.rows + 1:,} to {size:,}, which the last checkpoint outside the database covers, are lost, and any after them"
    return f"{begun}; events recorded after it are lost. The last checkpoint outside the database covers {size:,}, all of which are here"
