"""``tidemark backup`` and ``tidemark restore``."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import typer

from worker.terminal.say import Json, say


def backup(
    out: Path = typer.Option(..., help="Folder of the backups; a later backup in it copies only what is new."),
    as_json: Json = False,
) -> None:
    """Back up the database and all that it names, while everything runs. Exit status 1 where something that it names is gone or altered."""
    from worker.backup.take import take
    from worker.opened import open_store
    from worker.settings import load
    from worker.store.migrate import refuse_other_version

    settings = load()
    store = open_store(settings)
    refuse_other_version(store.engine)
    taken = take(store, settings, out, settings.user, _progress(as_json))
    manifest = taken.manifest
    head = dict(backup=manifest.name, folder=str(out), events=manifest.rows, root=manifest.root, named=taken.named, copied=taken.copied, bytes=taken.bytes, missing=len(manifest.missing))
    say(head | (dict(faults=manifest.missing) if as_json else {}), as_json)
    _name(manifest.missing, as_json)
    raise typer.Exit(1 if manifest.missing else 0)


def restore(
    source: Path = typer.Option(..., "--from", help="Folder of the backups."),
    name: str = typer.Option("", "--backup", help="Which of them, by its name; default: the newest."),
    checkpoint: Path = typer.Option(None, help="File of signed checkpoints that was kept elsewhere, to tell what is lost. Default: that of the settings."),
    partial: bool = typer.Option(False, "--partial", help="Restore what is intact where files of the backup are damaged or gone."),
    as_json: Json = False,
) -> None:
    """Restore a backup into an empty workspace, and verify it. Exit status 1 where its audit trail does not hold, or something is missing."""
    from worker.backup.restore import restore as put_back
    from worker.settings import load
    from worker.supervise import lock_workspace

    settings = load()
    with closing(lock_workspace(settings.home)):        # type: ignore[type-var]
        done = put_back(settings, source, settings.user, name, checkpoint, partial, _progress(as_json))
    verdict = done.verdict
    head = dict(backup=done.manifest.name, taken_at=done.manifest.taken_at, events=verdict["rows"], root=verdict["root"], holds=verdict["holds"], lost=done.lost, trading_halted=done.halted, missing=len(done.missing)) | (dict(needed=done.needed) if done.needed else {})
    say(head | (dict(faults=done.missing) if as_json else {}), as_json)
    _name(done.missing, as_json)
    raise typer.Exit(0 if verdict["holds"] and not done.missing else 1)


def _progress(quiet: bool):
    return (lambda sentence: None) if quiet else (lambda sentence: print(f"{sentence} …", file=sys.stderr, flush=True))


def _name(sentences: list[str], quiet: bool) -> None:
    for sentence in () if quiet else sentences:
        print(f"missing: {sentence}", file=sys.stderr)
